/* The ladder of an experiment: how the mask of each level is made, and how many weights it leaves.
 *
 * The counts are those the ticket room will find (floor(rate x remaining + 0.5) a round, by layer
 * or over the pool of all pruned layers): which weights go depends on training, how many does not.
 * So rounds that leave nothing are refused here, before anything runs. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "builder.h"
#include "key.h"

/* Weights that are ranked together, and the rate at which they go. */
struct pool {
    enum parameter_role role; /* layer scope */
    int64_t total, remaining;
    double rate;
};

struct pools {
    struct pool items[NET_MAX_PARAMETERS];
    int count;
    int64_t prunable; /* all that may be pruned, at whatever rate */
    double largest_rate;
    struct plan_pruning pruning; /* of level 1; rates only of the kinds that the network has */
};

static double *rate_of(struct plan_pruning *pruning, enum parameter_role role)
{
    switch (role) {
    case PARAMETER_CONV:
        return &pruning->rate_conv;
    case PARAMETER_FC:
        return &pruning->rate_fc;
    case PARAMETER_OUTPUT:
        return &pruning->rate_output;
    case PARAMETER_BIAS:
    case PARAMETER_SHORTCUT:
    case PARAMETER_NORM:
    case PARAMETER_STATISTIC:
        break; /* never pruned */
    }
    return NULL;
}

static void add_pool(struct pools *pools, const struct parameter_spec *parameter, double rate)
{
    const int64_t weights = parameter->count;
    if (pools->pruning.scope == FIELD_SCOPE_GLOBAL && pools->count == 1) {
        pools->items[0].total += weights;
        pools->items[0].remaining += weights;
    } else {
        pools->items[pools->count++] = (struct pool){parameter->role, weights, weights, rate};
    }
}

/* Keeps the rates of the kinds the network has. The pool of the global scope has one rate, the
 * largest: written to each kind in it, so that what means the same is the same. */
static void settle_rates(struct pools *pools, const struct parameter_spec *parameters, int count,
                         const struct experiment_fields *fields)
{
    struct plan_pruning given = {.rate_conv = fields->prune.rate.conv,
                                 .rate_fc = fields->prune.rate.fc,
                                 .rate_output = fields->prune.rate.output};
    for (int p = 0; p < count; p++)
        if (parameters[p].is_prunable)
            pools->largest_rate = fmax(pools->largest_rate, *rate_of(&given, parameters[p].role));
    for (int p = 0; p < count; p++) {
        if (!parameters[p].is_prunable)
            continue;
        double rate = *rate_of(&given, parameters[p].role);
        if (rate > 0 && pools->pruning.scope == FIELD_SCOPE_GLOBAL)
            rate = pools->largest_rate;
        *rate_of(&pools->pruning, parameters[p].role) = rate;
    }
}

static int make_pools(const struct plan_network *network, const struct experiment_fields *fields,
                      struct pools *pools, struct error *err)
{
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    int count = net_spec_parameters(&network->spec, parameters, err);
    if (count < 0)
        return -1;
    *pools = (struct pools){.pruning = {.criterion = fields->prune.criterion,
                                        .scope = fields->prune.scope,
                                        .rounds = 1,
                                        .fraction = NAN}};
    settle_rates(pools, parameters, count, fields);
    for (int p = 0; p < count; p++) {
        if (!parameters[p].is_prunable)
            continue;
        double rate = *rate_of(&pools->pruning, parameters[p].role);
        pools->prunable += parameters[p].count;
        if (rate > 0)
            add_pool(pools, &parameters[p], rate);
    }
    return 0;
}

static int64_t taken(double rate, int64_t of)
{
    return (int64_t)floor(rate * (double)of + 0.5);
}

/* Takes the pools down to a level: one round further, or to a fraction (NaN = by rates).
 * Returns how many weights of the pools remain. */
static int64_t descend(struct pools *pools, double fraction)
{
    int64_t left = 0;
    for (int i = 0; i < pools->count; i++) {
        struct pool *pool = &pools->items[i];
        if (isnan(fraction))
            pool->remaining -= taken(pool->rate, pool->remaining);
        else
            pool->remaining =
                pool->total - taken(fraction * (pool->rate / pools->largest_rate), pool->total);
        left += pool->remaining;
    }
    return left;
}

static double density_of(const struct pools *pools)
{
    int64_t gone = 0;
    for (int i = 0; i < pools->count; i++)
        gone += pools->items[i].total - pools->items[i].remaining;
    return gone == 0 ? 1 : 1 - (double)gone / (double)pools->prunable;
}

/* Of the weights of one kind. */
static double kept_of(const struct pools *pools, enum parameter_role role, double rate)
{
    const bool is_global = pools->pruning.scope == FIELD_SCOPE_GLOBAL;
    int64_t total = 0, remaining = 0;
    for (int i = 0; i < pools->count && rate > 0; i++) {
        const struct pool *pool = &pools->items[i];
        const bool counts = is_global || pool->role == role;
        total += counts ? pool->total : 0;
        remaining += counts ? pool->remaining : 0;
    }
    return total > 0 ? (double)remaining / (double)total : 1;
}

/* --- checks --- */

static int check_rates(const struct builder *builder, const struct resolved *resolved,
                       const struct pools *pools, struct error *err)
{
    if (pools->count > 0)
        return 0;
    const struct experiment *experiment = resolved->experiment;
    return grid_error_at(err, builder->grid, experiment, field_find("prune.rate.fc"),
                         "no layer of '%s' has a pruning rate above 0, and prune.rounds asks for "
                         "%" PRId32 " levels; give a rate, or rounds: 0",
                         experiment->fields.architecture, resolved->levels);
}

static int refuse_empty_level(const struct builder *builder, const struct resolved *resolved,
                              int32_t level, double fraction, struct error *err)
{
    const struct experiment *experiment = resolved->experiment;
    if (!isnan(fraction))
        return grid_error_at(err, builder->grid, experiment, field_find("prune.fractions"),
                             "a fraction of %g leaves no weight of '%s'", fraction,
                             experiment->fields.architecture);
    return grid_error_at(err, builder->grid, experiment, field_find("prune.rounds"),
                         "round %" PRId32 " leaves no weight of the layers that are pruned; at "
                         "these rates '%s' can be pruned for at most %" PRId32 " round%s",
                         level, experiment->fields.architecture, level - 1, level == 2 ? "" : "s");
}

static int check_at(const struct builder *builder, const struct resolved *resolved,
                    struct error *err)
{
    const struct experiment *experiment = resolved->experiment;
    int64_t at = experiment->fields.prune.at, rewind = resolved->rewind;
    int64_t iterations = builder->plan->trainings[resolved->training].iterations;
    if (at > iterations)
        return grid_error_at(err, builder->grid, experiment, field_find("prune.at"),
                             "iteration %" PRId64 " is after the end of training (%" PRId64 ")", at,
                             iterations);
    bool tickets_are_pruned =
        experiment->fields.prune.schedule == FIELD_ITERATIVE && resolved->levels > 1;
    if (at > 0 && at < rewind && tickets_are_pruned)
        return grid_error_at(err, builder->grid, experiment, field_find("prune.at"),
                             "tickets start at iteration %" PRId64 " (rewind.to) and have no "
                             "weights at %" PRId64 "; use init, end, or an iteration from %" PRId64
                             " to %" PRId64,
                             rewind, at, rewind, iterations);
    return 0;
}

/* --- rungs --- */

/* The pools as they are now. */
static int add_rung(struct builder *builder, int32_t pruning, const struct pools *pools,
                    struct error *err)
{
    if (builder->rung_count == INT32_MAX)
        return error_set(err, ERROR_USAGE, "the grid has too many levels");
    if (mem_grow((void **)&builder->rungs, &builder->rung_capacity, (size_t)builder->rung_count + 1,
                 sizeof *builder->rungs, err) != 0)
        return -1;
    const struct plan_pruning *rates = &pools->pruning;
    builder->rungs[builder->rung_count++] = (struct rung){
        .pruning = pruning,
        .density = density_of(pools),
        .kept = {.conv = kept_of(pools, PARAMETER_CONV, rates->rate_conv),
                 .fc = kept_of(pools, PARAMETER_FC, rates->rate_fc),
                 .output = kept_of(pools, PARAMETER_OUTPUT, rates->rate_output)},
    };
    return 0;
}

static int add_level(struct builder *builder, const struct resolved *resolved, struct pools *pools,
                     int32_t level, struct error *err)
{
    const struct experiment_fields *fields = &resolved->experiment->fields;
    bool one_shot = fields->prune.schedule == FIELD_ONE_SHOT;
    if (one_shot && fields->prune.fractions.count > 0)
        pools->pruning.fraction = fields->prune.fractions.items[level - 1];
    else if (one_shot)
        pools->pruning.rounds = level;
    if (descend(pools, pools->pruning.fraction) == 0)
        return refuse_empty_level(builder, resolved, level, pools->pruning.fraction, err);
    struct text text = {0};
    key_add_pruning(&pools->pruning, &text);
    int32_t pruning =
        shelf_put(&builder->prunings, &text, (void **)&builder->plan->prunings,
                  &builder->plan->pruning_count, &pools->pruning, sizeof pools->pruning, err);
    return pruning < 0 ? -1 : add_rung(builder, pruning, pools, err);
}

static int add_ladder(struct builder *builder, const struct resolved *resolved, struct error *err)
{
    const struct experiment_fields *fields = &resolved->experiment->fields;
    int64_t iterations = builder->plan->trainings[resolved->training].iterations;
    struct pools pools;
    if (make_pools(&builder->plan->networks[resolved->network], fields, &pools, err) != 0 ||
        add_rung(builder, -1, &pools, err) != 0)
        return -1;
    if (resolved->levels > 0 && check_rates(builder, resolved, &pools, err) != 0)
        return -1;
    pools.pruning.at = fields->prune.at == iterations ? PRUNE_AT_END : fields->prune.at;
    for (int32_t level = 1; level <= resolved->levels; level++)
        if (add_level(builder, resolved, &pools, level, err) != 0)
            return -1;
    return 0;
}

static int32_t level_count(const struct experiment_fields *fields)
{
    bool by_fractions =
        fields->prune.schedule == FIELD_ONE_SHOT && fields->prune.fractions.count > 0;
    return by_fractions ? fields->prune.fractions.count : (int32_t)fields->prune.rounds;
}

int resolve_ladder(struct builder *builder, struct resolved *resolved, struct error *err)
{
    const struct experiment_fields *fields = &resolved->experiment->fields;
    resolved->levels = level_count(fields);
    if (resolved->levels > 0 && check_at(builder, resolved, err) != 0)
        return -1;
    int64_t iterations = builder->plan->trainings[resolved->training].iterations;
    struct hash128 key =
        index_key(&fields->prune, sizeof fields->prune, resolved->network, iterations);
    resolved->ladder = index_map_find(&builder->ladder_by_fields, key);
    if (resolved->ladder >= 0)
        return 0;
    resolved->ladder = builder->rung_count;
    if (add_ladder(builder, resolved, err) != 0)
        return -1;
    return index_map_add(&builder->ladder_by_fields, key, resolved->ladder, err);
}
