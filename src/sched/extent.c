/* What bounds every schedule (all the work, the longest chain), and the number of workers that is
 * worth its price. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sched/simulate.h"

static bool has_result(enum task_state state)
{
    return state == TASK_DONE || state == TASK_DIVERGED || state == TASK_FAILED;
}

/* From here on, downwards. */
struct chain {
    double seconds;
    int32_t tasks;
};

int sched_measure_extent(const struct sched_workload *work, struct sched_extent *extent,
                         struct error *err)
{
    struct chain *chains = mem_zeroed((size_t)work->count, sizeof *chains, err);
    if (chains == NULL)
        return -1;
    *extent = (struct sched_extent){0};
    for (int32_t i = work->count - 1; i >= 0; i--) {
        int32_t parent = work->tasks[i].parent;
        if (!has_result(work->tasks[i].state)) {
            extent->seconds += work->fates[i].seconds;
            chains[i].seconds += work->fates[i].seconds;
            chains[i].tasks++;
        }
        struct chain *above = parent >= 0 ? &chains[parent] : NULL;
        if (above != NULL && chains[i].seconds > above->seconds)
            *above = chains[i];
        if (chains[i].seconds > extent->longest) {
            extent->longest = chains[i].seconds;
            extent->tasks = chains[i].tasks;
        }
    }
    free(chains);
    return 0;
}

static int32_t tasks_to_run(const struct sched_workload *work)
{
    int32_t count = 0;
    for (int32_t i = 0; i < work->count; i++)
        count += !has_result(work->tasks[i].state);
    return count;
}

/* Workers that are all of them busy for `share` of `makespan`, if the work takes `seconds`. */
static int32_t workers_busy(double seconds, double makespan, double share, int32_t most)
{
    double workers = makespan > 0 ? floor(seconds / makespan / share * (1 + 1e-9)) : 1;
    return (int32_t)fmax(1, fmin(workers, most));
}

/* From above: no more than these can be so busy if the grid took no longer than its longest chain;
 * it takes longer, so that even fewer can; and so on, until they are. */
int sched_workers_worth(const struct sched_workload *work, double utilisation, int32_t *workers,
                        struct error *err)
{
    struct sched_extent extent;
    if (sched_measure_extent(work, &extent, err) != 0)
        return -1;
    *workers = workers_busy(extent.seconds, extent.longest, utilisation, tasks_to_run(work));
    for (;;) {
        struct sched_conditions calm = {.workers = *workers, .max_attempts = INT32_MAX};
        struct sched_forecast forecast;
        if (sched_simulate(work, &calm, &forecast, err) != 0)
            return -1;
        int32_t fewer =
            workers_busy(forecast.useful_seconds, forecast.makespan, utilisation, *workers);
        if (fewer == *workers)
            return 0;
        *workers = fewer;
    }
}
