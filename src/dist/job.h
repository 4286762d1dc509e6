/* What the ways to run a grid share. */
#ifndef SWEEPSTAKE_DIST_JOB_H
#define SWEEPSTAKE_DIST_JOB_H

#include "dist/run.h"
#include "master.h"

/* The exit status a verdict stands for. */
int job_status(enum master_verdict verdict);
/* And an error in the midst of a run: what a resource lacked the same command may have later. */
int job_failure_status(const struct error *err);

/* Result statuses by task: statuses[count]. trained[count] (NULL: not asked for): whether the row
 * has the numbers of a training, be they kept or not. */
int job_read_statuses(struct store *store, int32_t count, enum store_status *statuses,
                      bool *trained, struct error *err);

#endif
