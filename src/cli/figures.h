/* What a grid would cost, in numbers: shown by `plan`, asked for by `submit`. */
#ifndef SWEEPSTAKE_CLI_FIGURES_H
#define SWEEPSTAKE_CLI_FIGURES_H

#include "nn/network.h"
#include "plan/plan.h"
#include "sched/simulate.h"
#include "work/work.h"

/* How the time falls is measured at the number of workers worth asking for, and so many halvings
 * and doublings of it. */
#define FIGURES_HALVINGS 2
#define FIGURES_DOUBLINGS 1

struct plan_figures {
    int64_t experiments, points, tasks, unshared_tasks;
    int64_t done, diverged, failed, skipped, unreachable, to_run; /* by the store */
    double core_seconds, unshared_core_seconds;
    struct sched_extent left; /* of the tasks to run */
    double makespan_seconds;  /* of them, on `workers` */
    int workers;
    int32_t worth; /* the most workers that are busy most of the time */
    struct {
        int32_t workers;
        double makespan, utilisation;
    } scales[FIGURES_HALVINGS + 1 + FIGURES_DOUBLINGS]; /* ascending */
    int scale_count;
    bool extends; /* the store there is another grid's */
    struct work_growth growth;
    int64_t old_bytes;
    int64_t store_bytes;  /* of the store as it will be */
    int64_t states_bytes; /* beside it while `workers` train: what running tasks save */
    int64_t memory_bytes; /* of one worker, its own */
    int64_t data_bytes;   /* that `workers` share if they are on one node */
};

/* `store`: what is there already, NULL = nothing; `kernels`: of a new one. `workers`: 0 = those
 * worth asking for. Times are estimated from steps timed here. */
int figures_measure(const struct plan *plan, const char *store, enum net_kernels kernels,
                    int workers, struct plan_figures *figures, struct error *err);

#endif
