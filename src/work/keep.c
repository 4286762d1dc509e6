/* What a task leaves in the store. Captured weights stay in memory until the end: the payload's
 * digest takes them in the store's order, and only finished tasks write anything. */
#include "keep.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* --- captures --- */

static void add_capture(struct keep *keep, int64_t iteration)
{
    int32_t place = keep->capture_count;
    while (place > 0 && keep->captures[place - 1] > iteration)
        place--;
    if (place > 0 && keep->captures[place - 1] == iteration)
        return;
    memmove(&keep->captures[place + 1], &keep->captures[place],
            (size_t)(keep->capture_count - place) * sizeof *keep->captures);
    keep->captures[place] = iteration;
    keep->capture_count++;
}

static void add_family(struct keep *keep, const int64_t *iterations, int32_t count, int64_t set)
{
    for (int32_t i = 0; i < count; i++) {
        if (set >> i & 1)
            add_capture(keep, iterations[i]);
    }
}

void keep_init(struct keep *keep, const struct plan *plan, struct store *store, int32_t task)
{
    *keep = (struct keep){.plan = plan, .store = store, .task = &plan->tasks[task]};
    const struct plan_network *network = &plan->networks[keep->task->network];
    keep->block_size = (size_t)net_spec_block_size(&network->spec);
    add_family(keep, network->rewinds, network->rewind_count, keep->task->rewind_set);
    add_family(keep, network->ats, network->at_count, keep->task->at_set);
}

void keep_finish(struct keep *keep)
{
    for (int32_t i = 0; i < keep->capture_count; i++)
        free(keep->captured[i]);
    keep->capture_count = 0;
}

int keep_capture(void *user, int32_t which, const struct network *net, struct error *err)
{
    struct keep *keep = user;
    float *block = mem_aligned(keep->block_size, sizeof *block, err);
    if (block == NULL)
        return -1;
    net_read_weights(net, block);
    free(keep->captured[which]);
    keep->captured[which] = block;
    return 0;
}

static const float *captured_at(const struct keep *keep, int64_t iteration)
{
    for (int32_t i = 0; i < keep->capture_count; i++) {
        if (keep->captures[i] == iteration)
            return keep->captured[i];
    }
    return NULL;
}

/* --- the payload --- */

static void add_weights(struct store_payload *payload, int32_t when, int64_t slot,
                        const float *block)
{
    int32_t index = payload->weights_count++;
    payload->weights[index].when = when;
    payload->weights[index].slot = slot;
    payload->weights[index].block = block;
}

struct family {
    const char *name;
    const int64_t *iterations;
    int32_t count;
    int64_t set, slot;
};

static void add_captured(const struct keep *keep, const struct store_network *network,
                         struct family family, struct store_payload *payload)
{
    for (int32_t i = 0; i < family.count; i++) {
        if (family.set >> i & 1)
            add_weights(payload, origin_when_at(network, family.name, family.iterations[i]),
                        family.slot, captured_at(keep, family.iterations[i]));
    }
}

static void fill_curve(const struct train_result *result, struct store_curve_point *curve)
{
    for (int32_t i = 0; i < result->curve_count; i++) {
        const struct train_point *point = &result->curve[i];
        curve[i] = (struct store_curve_point){
            .iteration = point->iteration,
            .train_loss = point->train_loss,
            .validation_loss = point->validation_loss,
            .validation_accuracy = point->validation_accuracy,
            .test_loss = point->test_loss,
            .test_accuracy = point->test_accuracy,
        };
    }
}

static void fill_payload(const struct keep *keep, const struct origin *origin,
                         const struct train_result *result, struct store_payload *payload)
{
    const struct plan_task *task = keep->task;
    const struct plan_network *planned = &keep->plan->networks[task->network];
    const struct store_network *network = store_network(keep->store, task->network);
    payload->network = task->network;
    payload->mask_slot = task->writes_mask ? task->mask_slot : -1;
    payload->mask = origin->mask;
    payload->curve_offset = task->curve_offset;
    payload->curve_count = task->curve_count;
    if (task->writes_init)
        add_weights(payload, origin_when(network, "init"), task->init_slot, origin->weights);
    add_captured(keep, network,
                 (struct family){"rewind", planned->rewinds, planned->rewind_count,
                                 task->rewind_set, task->rewind_slot},
                 payload);
    add_captured(
        keep, network,
        (struct family){"at", planned->ats, planned->at_count, task->at_set, task->at_slot},
        payload);
    if (task->writes_early_stop)
        add_weights(payload, origin_when(network, "early-stop"), task->early_stop_slot,
                    result->early_stop_weights);
    if (task->writes_final)
        add_weights(payload, origin_when(network, "final"), task->final_slot, result->weights);
}

int keep_write(const struct keep *keep, const struct origin *origin,
               const struct train_result *result, uint64_t *digest, struct error *err)
{
    if (result->curve_count != keep->task->curve_count)
        return error_set(err, ERROR_INTERNAL, "a curve of %d points came out as %d",
                         keep->task->curve_count, result->curve_count);
    struct store_payload *payload = mem_zeroed(1, sizeof *payload, err);
    struct store_curve_point *curve = mem_zeroed((size_t)result->curve_count, sizeof *curve, err);
    int failed = payload == NULL || curve == NULL;
    if (!failed) {
        fill_curve(result, curve);
        fill_payload(keep, origin, result, payload);
        payload->curve = curve;
        failed = store_write_payload(keep->store, payload, digest, err) != 0;
    }
    free(payload);
    free(curve);
    return failed ? -1 : 0;
}
