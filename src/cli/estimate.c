/* Estimated durations: operations times the seconds of one operation. */
#include "estimate.h"

#include <stdlib.h>

#include "base/memory.h"

int estimate_init(struct estimate *estimate, const struct plan *plan, const bool *to_run,
                  double seconds_per_operation, struct error *err)
{
    size_t count = (size_t)plan->task_count;
    *estimate = (struct estimate){
        .tasks = mem_zeroed(count, sizeof *estimate->tasks, err),
        .fates = mem_zeroed(count, sizeof *estimate->fates, err),
    };
    estimate->work = (struct sched_workload){estimate->tasks, estimate->fates, plan->task_count};
    if (estimate->tasks == NULL || estimate->fates == NULL)
        return -1;
    for (int32_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *task = &plan->tasks[i];
        bool runs = to_run == NULL || to_run[i];
        estimate->tasks[i] =
            (struct sched_task){task->parent, task->cost, runs ? TASK_WAITING : TASK_DONE, 0};
        estimate->fates[i].seconds = task->cost * seconds_per_operation;
    }
    return 0;
}

void estimate_finish(struct estimate *estimate)
{
    free(estimate->tasks);
    free(estimate->fates);
    *estimate = (struct estimate){0};
}
