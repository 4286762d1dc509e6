/* Where a task comes from. Initial values are made, not read: they are a function of (seed, draw),
 * the same bits as those kept in the store. */
#include "origin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "nn/network.h"
#include "ticket/ticket.h"

struct sources {
    const struct plan *plan;
    struct store *store;
    const struct plan_task *task;
    const struct plan_network *network;
    const struct store_network *kept;
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    int parameter_count;
    size_t block_size;
};

int32_t origin_when(const struct store_network *network, const char *name)
{
    for (int32_t i = 0; i < network->when_count; i++) {
        if (strcmp(network->whens[i].name, name) == 0)
            return i;
    }
    return -1;
}

int32_t origin_when_at(const struct store_network *network, const char *family, int64_t iteration)
{
    char name[32];
    snprintf(name, sizeof name, "%s-%" PRId64, family, iteration);
    return origin_when(network, name);
}

/* --- weights --- */

static void initialize(const struct sources *from, const struct plan_task *of, float *block)
{
    struct rng_stream stream = {
        .seed = (uint64_t)of->seed_init,
        .purpose = RNG_INIT,
        .draw = of->diverts_init ? (uint32_t)of->draw : 0,
    };
    net_spec_initialize(&from->network->spec, of->init, stream, block);
}

static int read_weights(const struct sources *from, int32_t when, int64_t slot, const char *what,
                        float *block, struct error *err)
{
    if (when < 0 || slot < 0)
        return error_set(err, ERROR_INTERNAL, "the store keeps no weights of %s for its children",
                         what);
    return store_read_weights(from->store, from->task->network, when, slot, block, err);
}

static int read_final(const struct sources *from, const struct plan_task *of, float *block,
                      struct error *err)
{
    return read_weights(from, origin_when(from->kept, "final"), of->final_slot,
                        "a parent's last iteration", block, err);
}

static const struct plan_task *root_of(const struct sources *from)
{
    return &from->plan->tasks[from->task->root];
}

static int find_weights(const struct sources *from, float *block, struct error *err)
{
    const struct plan_task *task = from->task;
    int64_t k = task->start_iteration;
    if (task->start == START_PARENT_FINAL)
        return read_final(from, &from->plan->tasks[task->parent], block, err);
    if (task->start == START_INIT || k == 0) {
        initialize(from, task->start == START_INIT ? task : root_of(from), block);
        return 0;
    }
    return read_weights(from, origin_when_at(from->kept, "rewind", k), root_of(from)->rewind_slot,
                        "the rewind point", block, err);
}

/* --- the mask --- */

/* The weights the criterion looks at. */
static int find_judged(const struct sources *from, const struct plan_pruning *pruning, float *block,
                       struct error *err)
{
    const struct plan_task *parent = &from->plan->tasks[from->task->parent];
    if (pruning->at == PRUNE_AT_END)
        return read_final(from, parent, block, err);
    if (pruning->at == 0) {
        initialize(from, root_of(from), block);
        return 0;
    }
    return read_weights(from, origin_when_at(from->kept, "at", pruning->at), parent->at_slot,
                        "the iteration that is pruned at", block, err);
}

static struct ticket_rule rule_of(const struct plan_pruning *pruning)
{
    static const enum ticket_criterion criteria[] = {[FIELD_CRITERION_MAGNITUDE] =
                                                         TICKET_MAGNITUDE};
    static const enum ticket_scope scopes[] = {
        [FIELD_SCOPE_LAYER] = TICKET_LAYER, [FIELD_SCOPE_GLOBAL] = TICKET_GLOBAL};
    return (struct ticket_rule){
        .criterion = criteria[pruning->criterion],
        .scope = scopes[pruning->scope],
        .rate_conv = pruning->rate_conv,
        .rate_fc = pruning->rate_fc,
        .rate_output = pruning->rate_output,
        .rounds = pruning->rounds,
        .fraction = pruning->fraction,
    };
}

static int draw_mask(const struct sources *from, const uint8_t *mask, uint8_t *drawn,
                     struct error *err)
{
    struct rng_stream stream = {
        .seed = (uint64_t)from->task->seed_init,
        .purpose = RNG_MASK,
        .draw = (uint32_t)from->task->draw,
    };
    return ticket_random_mask(from->parameters, from->parameter_count, mask, stream, drawn, err);
}

/* Blocks a mask is made from. */
struct workplace {
    float *judged;
    uint8_t *parent, *pruned;
};

static int prune(const struct sources *from, struct workplace *place, uint8_t *mask,
                 struct error *err)
{
    const struct plan_task *parent = &from->plan->tasks[from->task->parent];
    const struct plan_pruning *pruning = &from->plan->prunings[from->task->pruning];
    struct ticket_rule rule = rule_of(pruning);
    bool is_dense = parent->mask_slot < 0;
    if (find_judged(from, pruning, place->judged, err) != 0 ||
        (!is_dense && store_read_mask(from->store, from->task->network, parent->mask_slot,
                                      place->parent, err) != 0) ||
        ticket_prune(from->parameters, from->parameter_count, &rule, place->judged,
                     is_dense ? NULL : place->parent, place->pruned, err) != 0)
        return -1;
    if (from->task->control == CONTROL_RANDOM_MASK)
        return draw_mask(from, place->pruned, mask, err);
    memcpy(mask, place->pruned, from->block_size);
    return 0;
}

static int make_mask(const struct sources *from, uint8_t *mask, struct error *err)
{
    struct workplace place = {
        .judged = mem_aligned(from->block_size, sizeof *place.judged, err),
        .parent = mem_zeroed(from->block_size, 1, err),
        .pruned = mem_zeroed(from->block_size, 1, err),
    };
    int failed = place.judged == NULL || place.parent == NULL || place.pruned == NULL ||
                 prune(from, &place, mask, err) != 0;
    free(place.judged);
    free(place.parent);
    free(place.pruned);
    return failed ? -1 : 0;
}

/* --- both --- */

int origin_make(const struct plan *plan, struct store *store, int32_t task, struct origin *origin,
                struct error *err)
{
    struct sources from = {.plan = plan, .store = store, .task = &plan->tasks[task]};
    *origin = (struct origin){0};
    from.network = &plan->networks[from.task->network];
    from.kept = store_network(store, from.task->network);
    from.parameter_count = net_spec_parameters(&from.network->spec, from.parameters, err);
    if (from.parameter_count < 0)
        return -1;
    from.block_size = (size_t)net_spec_block_size(&from.network->spec);
    origin->weights = mem_aligned(from.block_size, sizeof *origin->weights, err);
    int failed = origin->weights == NULL || find_weights(&from, origin->weights, err) != 0;
    if (!failed && from.task->pruning >= 0) {
        origin->mask = mem_zeroed(from.block_size, 1, err);
        failed = origin->mask == NULL || make_mask(&from, origin->mask, err) != 0;
    }
    if (failed)
        origin_finish(origin);
    return failed ? -1 : 0;
}

void origin_finish(struct origin *origin)
{
    free(origin->mask);
    free(origin->weights);
    *origin = (struct origin){0};
}
