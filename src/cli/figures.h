/* What a grid would cost, in numbers: shown by `plan`, asked for by `submit`. */
#ifndef SWEEPSTAKE_CLI_FIGURES_H
#define SWEEPSTAKE_CLI_FIGURES_H

#include "nn/network.h"
#include "plan/plan.h"
#include "work/work.h"

struct plan_figures {
    int64_t experiments, points, tasks, unshared_tasks;
    int64_t done, diverged, failed, skipped, unreachable, to_run; /* by the store */
    double core_seconds, unshared_core_seconds;
    double left_core_seconds, longest_seconds, makespan_seconds; /* of the tasks to run */
    bool extends; /* the store there is another grid's */
    struct work_growth growth;
    int64_t old_bytes;
    int64_t store_bytes, memory_bytes;
    int workers;
};

/* `store`: what is there already, NULL = nothing; `kernels`: of a new one. `workers`: 0 = as many
 * as keep busy. Times are estimated from steps timed here. */
int figures_measure(const struct plan *plan, const char *store, enum net_kernels kernels,
                    int workers, struct plan_figures *figures, struct error *err);

#endif
