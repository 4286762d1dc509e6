/* The tasks of a run as this process hands them over: run in processes of their own
 * (work/isolation.h), their states saved from time to time. */
#ifndef SWEEPSTAKE_DIST_TASKS_H
#define SWEEPSTAKE_DIST_TASKS_H

#include "dist/run.h"
#include "pin.h"
#include "plan/plan.h"
#include "work/isolation.h"

struct tasks;

/* Forks, so: before MPI_Init and before the store is opened. `plan` is NULL where it is to be made
 * from the text that tasks_begin is given. */
struct tasks *tasks_start(const struct run_job *job, struct plan *plan, struct error *err);

/* Once the store is there: `executor` runs tasks of its plan. `slot` is this worker's place in the
 * checkpoint file, `seat` that on its node. `text` may be NULL. */
int tasks_begin(struct tasks *tasks, int32_t slot, struct seat seat, const char *text,
                size_t length, struct executor *executor, struct error *err);
void tasks_end(struct tasks *tasks); /* accepts NULL */

/* Makes the checkpoint file of a launch with `workers` workers: one process, before tasks_begin. */
int tasks_renew_states(const struct run_job *job, const struct plan *plan, struct store *store,
                       int workers, struct error *err);

#endif
