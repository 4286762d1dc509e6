/* One task from its parent to a payload that is on the disk, behind a function table: the real
 * executor (parent from the store, mask, train, write) and a fake one with set durations and
 * mishaps, which tests everything around it. And what a plan looks like as a store. */
#ifndef SWEEPSTAKE_WORK_WORK_H
#define SWEEPSTAKE_WORK_WORK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "nn/network.h"
#include "plan/plan.h"
#include "store/checkpoint.h"
#include "store/store.h"

/* --- executors --- */

enum work_status { WORK_DONE, WORK_DIVERGED, WORK_INTERRUPTED, WORK_FAILED };

struct work_outcome {
    enum work_status status;
    uint64_t digest; /* of the payload written; done and diverged only */
    /* The row, but for what the master adds: host, environment, attempts, checksum. Failed: reason
     * and message. */
    struct store_result result;
    double seconds;
};

struct work_hooks {
    void *user;
    /* Called every few steps with the iteration reached; returns true to interrupt the task. May
     * be NULL. */
    bool (*progress)(void *user, double iteration);
};

struct executor {
    void *self;
    /* Runs one task to its outcome and leaves its payload durable in the store. A task that fails
     * by itself is an outcome; -1 only for errors after which this process should not go on: an
     * internal error, or a store that cannot be written (ERROR_STORAGE: nobody can, the run ends). */
    int (*run)(void *self, int32_t task, const struct work_hooks *hooks,
               struct work_outcome *outcome, struct error *err);
    void (*destroy)(void *self);
};

/* Where a running task's state goes: every so many seconds, and when the task is interrupted. */
struct work_saving {
    struct checkpoint *checkpoint;
    double every;
};

/* Bytes of the largest in-flight state of a plan's tasks. */
int64_t work_state_bytes(const struct plan *plan);

/* Keeps network and dataset for the next task that uses the same; loads nothing before its first
 * task. Layers compute in the store's kernel mode. A task whose state was saved goes on from there.
 * `plan`, `store` and `saving` (NULL = states are not saved) are the caller's and must outlive it. */
int executor_create_real(struct executor *executor, const struct plan *plan, struct store *store,
                         const struct work_saving *saving, struct error *err);

/* `description`: words separated by spaces.
 *
 *     seconds=S    what a task takes (default 0)
 *     slow=T:S     task T takes S seconds instead
 *     fail=T:N     the first N attempts of task T fail
 *     crash=T:N    its first N attempts end the process `victim` by SIGKILL
 *     silent=T:N   its first N attempts hang without a sign of life
 *
 * A task's payload is what its place in the store holds. Usage error for other words, which
 * executor_check_fake finds before there is a store. */
int executor_check_fake(const char *description, struct error *err);
int executor_create_fake(struct executor *executor, const char *description,
                         const struct plan *plan, struct store *store, pid_t victim,
                         struct error *err);

/* --- plan and store --- */

/* The store's kernel mode as text, and back: a usage error where kernels have changed since. */
void work_kernel_mode(enum net_kernels kernels, char *to, size_t size);
int work_read_kernel_mode(const char *mode, enum net_kernels *kernels, struct error *err);

/* The store a plan needs. Tables and networks belong to the layout, the grid's text to the plan;
 * free with work_layout_finish. */
int work_layout_create(const struct plan *plan, const struct store_identity *identity,
                       struct store_layout *layout, struct error *err);
void work_layout_finish(struct store_layout *layout);

/* How large that store is; its rows, half a kilobyte a task, are not made for it. */
int work_store_bytes(const struct plan *plan, int64_t *bytes, struct error *err);

/* Where the store keeps what the plan's tasks leave: a store that grew or was merged has places of
 * its own, and may keep more than the grid asks for. To be called once, before an executor is made;
 * in a store made for this plan nothing changes. */
int work_take_places(struct plan *plan, struct store *store, struct error *err);

/* --- growing and merging --- */

/* What becomes of a store when a changed grid is run on it. */
struct work_growth {
    int64_t kept, again, fresh; /* the plan's tasks: there already; of these run again for a snapshot
                                   or curve that was not kept; new */
    int64_t orphans;            /* tasks that are kept though the plan does not ask for them */
    int64_t bytes;              /* of the enlarged store */
};

/* `statuses`: [tasks] as they would be. The store is not changed. */
int work_foresee_growth(const struct plan *plan, struct store *store, enum store_status *statuses,
                        struct work_growth *growth, struct error *err);
/* Replaces the file at `path`, which `store` has open for reading, by an enlarged one: the plan's
 * rows first, then the orphans. The caller holds the lock. `hooks` (may be NULL) hear how many tasks
 * are copied and may interrupt, which is a resource error that leaves all as it was. */
int work_grow(const struct plan *plan, struct store *store, const char *path,
              const struct work_hooks *hooks, struct work_growth *growth, struct error *err);

/* Makes a store of all that `count` have, each task once; `path` must not exist, and its lock is the
 * caller's. With a plan (else NULL) it is as a store made for it, and what the plan lacks follows as
 * orphans. A usage error when they round differently, or differ in a task that two finished. */
int work_merge(struct store *const *stores, int count, const struct plan *plan, const char *path,
               struct error *err);

/* --- statuses --- */

/* What the store says of each task of the plan that it was made for; `statuses` and `attempts`:
 * [tasks]. A row whose checksum does not hold counts as pending; *torn is their number. Skipped
 * tasks are pending again where no ancestor is diverged any more. With `repair` (a new run begins)
 * failed tasks are pending again too, with no attempts, and so are unreachable ones, and the store
 * is made to say all this. */
int work_read_statuses(const struct plan *plan, struct store *store, bool repair,
                       enum store_status *statuses, uint8_t *attempts, int32_t *torn,
                       struct error *err);

/* What the plan's tasks took that a store, of this grid or another, has finished: `seconds` and
 * `diverged` ([tasks]) of the others are left as they are. */
int work_read_seconds(const struct plan *plan, struct store *store, double *seconds, bool *diverged,
                      struct error *err);

/* Does a run that begins now try a task of this status? Not what has a result, nor what was skipped
 * below a diverged task. */
bool work_is_to_run(enum store_status status);

/* "dense", "ticket", "reinit 2" ... Always terminates. */
void work_task_label(const struct plan_task *task, char *to, size_t size);

#endif
