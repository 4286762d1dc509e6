/* Tasks in a process of their own: what a task does to its process (a crash, too much memory, no
 * end) ends the task and not the rank.
 *
 * Three processes. The front is whoever calls this (a rank, or the only process of a run). It forks
 * the keeper early, before MPI_Init, while a fork is still harmless. The keeper makes the executor,
 * and forks the trainer, which inherits it; the trainer runs one task after the other, so that
 * network and data set stay in memory from task to task, and is replaced by a new one only when it
 * ends. Each dies with the process it came from (PR_SET_PDEATHSIG), has a process group of its own,
 * and ignores the signals that ask a run to stop: the front passes that wish on.
 *
 * Tasks and results go through shared memory, and so does the iteration: the front sees a task that
 * makes no step any more. */
#ifndef SWEEPSTAKE_WORK_ISOLATION_H
#define SWEEPSTAKE_WORK_ISOLATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "work/work.h"

/* What ends a task. 0 = never. */
struct isolation_limits {
    double seconds;    /* since the task was begun */
    double standstill; /* since its last step */
    int64_t memory;    /* bytes of the trainer's data (RLIMIT_DATA) */
};

struct isolation_setup {
    void *user;
    /* Called once, in the keeper: the executor that trainers run, from what isolation_begin was
     * given. What it opens must not be open in the front already. */
    int (*make)(void *user, const void *bytes, size_t size, struct executor *executor,
                struct error *err);
    struct isolation_limits limits;
};

struct isolation;

/* Forks the keeper. `setup->user` is as it stands now. */
struct isolation *isolation_start(const struct isolation_setup *setup, struct error *err);

/* Has the executor made, or says why it was not; `executor` then runs tasks in the trainer. A task
 * whose process ends is an outcome: WORK_FAILED with the reason. `bytes` may be NULL. */
int isolation_begin(struct isolation *isolation, const void *bytes, size_t size,
                    struct executor *executor, struct error *err);

/* Ends the other processes. Accepts NULL; not for the executor's user to call before its last task.
 */
void isolation_end(struct isolation *isolation);

#endif
