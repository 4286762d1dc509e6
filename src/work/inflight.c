/* The in-flight state of a task: the sets of weights captured so far, then the training's own
 * state. How many were captured follows from the iteration. */
#include "inflight.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

static bool was_captured(const struct keep *keep, int32_t which, int64_t iteration)
{
    return keep->captures[which] < iteration &&
           keep->captures[which] >= keep->task->start_iteration;
}

/* --- saving --- */

bool inflight_is_due(const struct inflight *inflight)
{
    return inflight->saving != NULL && clock_seconds() >= inflight->next;
}

static int put_captures(const struct inflight *inflight, int64_t iteration, struct error *err)
{
    const struct keep *keep = inflight->keep;
    struct checkpoint *checkpoint = inflight->saving->checkpoint;
    for (int32_t i = 0; i < keep->capture_count; i++)
        if (was_captured(keep, i, iteration) &&
            checkpoint_put(checkpoint, keep->captured[i], keep->block_size * sizeof(float), err) !=
                0)
            return -1;
    return 0;
}

int inflight_save(struct inflight *inflight, int64_t iteration, struct train_saving *run,
                  struct error *err)
{
    if (inflight->saving == NULL)
        return 0;
    struct checkpoint *checkpoint = inflight->saving->checkpoint;
    struct train_stream stream = {.user = checkpoint, .pass = checkpoint_put};
    int failed = checkpoint_begin(checkpoint, err) != 0 ||
                 put_captures(inflight, iteration, err) != 0 ||
                 train_save(run, &stream, err) != 0 ||
                 checkpoint_end(checkpoint, &inflight->task->key, iteration,
                                inflight_seconds(inflight), err) != 0;
    inflight->is_broken = failed;
    inflight->next = clock_seconds() + inflight->saving->every;
    return failed ? -1 : 0;
}

/* --- going on --- */

static int take_captures(struct inflight *inflight, int64_t iteration, struct error *err)
{
    struct keep *keep = inflight->keep;
    for (int32_t i = 0; i < keep->capture_count; i++) {
        if (!was_captured(keep, i, iteration))
            continue;
        keep->captured[i] = mem_aligned(keep->block_size, sizeof(float), err);
        if (keep->captured[i] == NULL ||
            checkpoint_take(inflight->saving->checkpoint, keep->captured[i],
                            keep->block_size * sizeof(float), err) != 0)
            return -1;
    }
    return 0;
}

static void resume(struct inflight *inflight)
{
    struct checkpoint *checkpoint = inflight->saving->checkpoint;
    struct checkpoint_state state;
    struct error err = {0};
    int found = checkpoint_find(checkpoint, &inflight->task->key, &state, &err);
    if (found > 0 && take_captures(inflight, state.iteration, &err) == 0) {
        log_line(LOG_DEBUG, "a task goes on at iteration %" PRId64, state.iteration);
        inflight->is_resumed = true;
        inflight->seconds_before = state.seconds;
        inflight->stream = (struct train_stream){.user = checkpoint, .pass = checkpoint_take};
    } else if (found != 0) {
        log_line(LOG_WARNING, "a saved state cannot be read, its task begins anew: %s", err.text);
    }
}

void inflight_begin(struct inflight *inflight, const struct work_saving *saving,
                    const struct plan_task *task, struct keep *keep, double started)
{
    *inflight = (struct inflight){.saving = saving, .task = task, .keep = keep, .started = started};
    if (saving == NULL)
        return;
    inflight->next = clock_seconds() + saving->every;
    resume(inflight);
}

void inflight_forget(struct inflight *inflight)
{
    log_line(LOG_WARNING, "a saved state does not fit its task, which begins anew");
    inflight->is_resumed = false;
    inflight->seconds_before = 0;
}

const struct train_stream *inflight_stream(const struct inflight *inflight)
{
    return inflight->is_resumed ? &inflight->stream : NULL;
}

double inflight_seconds(const struct inflight *inflight)
{
    return inflight->seconds_before + clock_seconds() - inflight->started;
}

/* --- sizes --- */

/* `block`: floats of the task's network. */
static int64_t state_bytes(const struct plan *plan, const struct plan_task *task, int64_t block)
{
    int64_t captured = __builtin_popcountll((uint64_t)task->rewind_set) +
                       __builtin_popcountll((uint64_t)task->at_set);
    return captured * block * (int64_t)sizeof(float) +
           train_state_bytes(&plan->trainings[task->training].optimizer, task->curve_count, block);
}

int64_t work_state_bytes(const struct plan *plan)
{
    int64_t most = 0;
    for (int32_t network = 0; network < plan->network_count; network++) {
        int64_t block = net_spec_block_size(&plan->networks[network].spec);
        for (int32_t i = 0; i < plan->task_count; i++) {
            if (plan->tasks[i].network != network)
                continue;
            int64_t bytes = state_bytes(plan, &plan->tasks[i], block);
            most = bytes > most ? bytes : most;
        }
    }
    return most;
}
