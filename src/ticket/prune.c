/* Pruning: a rule and the parent's weights and mask become the next mask.
 *
 * How many weights go is settled by counts alone, pool by pool (a pool is one parameter, or all
 * prunable ones in the global scope); which ones go is the selection's business (select.c). */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "mask.h"
#include "ticket/ticket.h"

int64_t ticket_remaining(int64_t remaining, double rate, int32_t rounds)
{
    for (int32_t i = 0; i < rounds; i++)
        remaining -= (int64_t)floor(rate * (double)remaining + 0.5);
    return remaining;
}

static int check_rule(const struct ticket_rule *rule, struct error *err)
{
    const double rates[] = {rule->rate_conv, rule->rate_fc, rule->rate_output};
    for (int i = 0; i < 3; i++)
        if (!(rates[i] >= 0 && rates[i] < 1))
            return error_set(err, ERROR_USAGE, "a pruning rate is at least 0 and below 1, not %g",
                             rates[i]);
    if (rule->rounds < 1)
        return error_set(err, ERROR_USAGE, "pruning takes at least 1 round, not %" PRId32,
                         rule->rounds);
    if (rule->fraction < 0 || rule->fraction > 1)
        return error_set(err, ERROR_USAGE, "a pruned fraction is from 0 to 1, not %g",
                         rule->fraction);
    if (rule->criterion != TICKET_MAGNITUDE)
        return error_set(err, ERROR_INTERNAL, "unknown pruning criterion %d", rule->criterion);
    return 0;
}

static double rate_of(const struct ticket_rule *rule, const struct parameter_spec *parameter)
{
    if (!parameter->is_prunable)
        return 0;
    switch (parameter->role) {
    case PARAMETER_CONV:
        return rule->rate_conv;
    case PARAMETER_FC:
        return rule->rate_fc;
    case PARAMETER_OUTPUT:
        return rule->rate_output;
    case PARAMETER_BIAS:
    case PARAMETER_SHORTCUT:
    case PARAMETER_NORM:
    case PARAMETER_STATISTIC:
        return 0;
    }
    return 0;
}

static double largest_rate(const struct parameter_spec *parameters, int count,
                           const struct ticket_rule *rule)
{
    double largest = 0;
    for (int p = 0; p < count; p++)
        largest = fmax(largest, rate_of(rule, &parameters[p]));
    return largest;
}

/* The parameters ranked together, and what one round takes of them. */
struct pool {
    struct span spans[NET_MAX_PARAMETERS];
    int span_count;
    double rate;
};

static void pool_add(struct pool *pool, const struct parameter_spec *parameter)
{
    pool->spans[pool->span_count++] = (struct span){parameter->offset, parameter->count};
}

/* How many of the `kept` of `total` weights stay; `share` of the fraction is this pool's. */
static int64_t target_count(const struct ticket_rule *rule, double rate, double share, int64_t kept,
                            int64_t total)
{
    if (isnan(rule->fraction))
        return ticket_remaining(kept, rate, rule->rounds);
    int64_t target = ticket_remaining(total, rule->fraction * share, 1);
    return target < kept ? target : kept;
}

static void prune_pool(const struct pool *pool, const struct ticket_rule *rule, double largest,
                       const float *weights, uint8_t *mask)
{
    int64_t kept = 0, total = 0;
    for (int s = 0; s < pool->span_count; s++) {
        kept += mask_kept(mask + pool->spans[s].offset, pool->spans[s].count);
        total += pool->spans[s].count;
    }
    int64_t target = target_count(rule, pool->rate, pool->rate / largest, kept, total);
    mask_drop_smallest(weights, pool->spans, pool->span_count, kept - target, mask);
}

static void prune_layers(const struct parameter_spec *parameters, int count,
                         const struct ticket_rule *rule, double largest, const float *weights,
                         uint8_t *mask)
{
    for (int p = 0; p < count; p++) {
        struct pool pool = {.rate = rate_of(rule, &parameters[p])};
        if (pool.rate == 0)
            continue;
        pool_add(&pool, &parameters[p]);
        prune_pool(&pool, rule, largest, weights, mask);
    }
}

static void prune_globally(const struct parameter_spec *parameters, int count,
                           const struct ticket_rule *rule, double largest, const float *weights,
                           uint8_t *mask)
{
    struct pool pool = {.rate = largest};
    for (int p = 0; p < count; p++)
        if (rate_of(rule, &parameters[p]) > 0)
            pool_add(&pool, &parameters[p]);
    prune_pool(&pool, rule, largest, weights, mask);
}

static void start_from_parent(const struct parameter_spec *parameters, int count,
                              const uint8_t *parent_mask, uint8_t *mask)
{
    size_t size = (size_t)mask_block_size(parameters, count);
    if (parent_mask)
        memcpy(mask, parent_mask, size);
    else
        memset(mask, 1, size);
}

int ticket_prune(const struct parameter_spec *parameters, int count, const struct ticket_rule *rule,
                 const float *weights, const uint8_t *parent_mask, uint8_t *mask, struct error *err)
{
    if (check_rule(rule, err) != 0)
        return -1;
    start_from_parent(parameters, count, parent_mask, mask);
    double largest = largest_rate(parameters, count, rule);
    if (largest > 0 && rule->scope == TICKET_GLOBAL)
        prune_globally(parameters, count, rule, largest, weights, mask);
    else
        prune_layers(parameters, count, rule, largest, weights, mask);
    int64_t remaining, total;
    ticket_count(parameters, count, mask, &remaining, &total);
    if (remaining == 0)
        return error_set(err, ERROR_TASK,
                         "pruning leaves none of the network's %" PRId64
                         " weights: prune fewer rounds or at a lower rate",
                         total);
    return 0;
}
