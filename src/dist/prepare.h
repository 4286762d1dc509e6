/* What is done once before a grid runs, by one process: plan it, take the lock, and create the
 * store or see that the one there fits. Usage errors leave nothing behind. */
#ifndef SWEEPSTAKE_DIST_PREPARE_H
#define SWEEPSTAKE_DIST_PREPARE_H

#include "dist/run.h"
#include "plan/plan.h"
#include "store/store.h"

struct prepared {
    struct grid *grid;
    struct plan *plan;
    struct store_lock *lock;
    struct store *store; /* open for writing in this process alone; NULL when nothing is to do */
    int32_t to_do;       /* tasks without a result */
    bool is_new;         /* the store was made now */
};

/* The plan of a grid; `job` says where datasets are. */
struct plan *prepare_plan(const struct run_job *job, struct grid *grid, struct error *err);

/* The first half: grid and plan, no lock, nothing written. */
int prepare_grid(const struct run_job *job, struct prepared *prepared, struct error *err);
/* The second: lock and store. Every unfinished task may be tried at least once more: a task that
 * was at hand whenever its machine went down need not be what brought it down. */
int prepare_store(const struct run_job *job, struct prepared *prepared, struct error *err);
/* The place for the states of running tasks, a slot a worker. A store that was made now goes again
 * where there is no room for it. */
int prepare_states(const struct run_job *job, int workers, struct prepared *prepared,
                   struct error *err);
/* How a run ends that could not be prepared: resumable when it was asked to stop. */
int prepare_exit_status(const struct error *err);
void prepare_finish(struct prepared *prepared);

/* That the store is that of the plan and that this process fits it; see prepare_rounding. */
int prepare_check_plan(const struct run_job *job, const struct plan *plan,
                       const struct store_identity *identity, struct error *err);

/* That this process rounds as the store's results were rounded; selects its instruction set. The
 * usage error names the variable that would make it fit. */
int prepare_rounding(const struct run_job *job, const struct store_identity *identity,
                     struct error *err);

/* Tells the user what computes. */
void prepare_tell(const struct run_job *job, const struct store_identity *identity);

#endif
