/* A plan's tasks with the seconds they should take on one core, for the scheduler in virtual time. */
#ifndef SWEEPSTAKE_CLI_ESTIMATE_H
#define SWEEPSTAKE_CLI_ESTIMATE_H

#include "plan/plan.h"
#include "sched/simulate.h"

struct estimate {
    struct sched_task *tasks; /* [work.count] */
    struct sched_fate *fates; /* [work.count] */
    struct sched_workload work;
};

/* `to_run` ([tasks]; NULL = all): the others are as good as done, nothing waits for them. */
int estimate_init(struct estimate *estimate, const struct plan *plan, const bool *to_run,
                  double seconds_per_operation, struct error *err);
void estimate_finish(struct estimate *estimate);

#endif
