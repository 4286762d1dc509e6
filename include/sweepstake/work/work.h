/* One task from its parent to a payload that is on the disk, behind a function table: the real
 * executor (parent from the store, mask, train, write) and a fake one with set durations and
 * mishaps, which tests everything around it. And what a plan looks like as a store. */
#ifndef SWEEPSTAKE_WORK_WORK_H
#define SWEEPSTAKE_WORK_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "nn/network.h"
#include "plan/plan.h"
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

/* Keeps network and dataset for the next task that uses the same; loads nothing before its first
 * task. Layers compute in the store's kernel mode. `plan` and `store` are the caller's and must outlive it. */
int executor_create_real(struct executor *executor, const struct plan *plan, struct store *store,
                         struct error *err);

/* `description`: words separated by spaces.
 *
 *     seconds=S    what a task takes (default 0)
 *     slow=T:S     task T takes S seconds instead
 *     fail=T:N     the first N attempts of task T fail
 *     crash=T:N    its first N attempts end the process by SIGKILL
 *     silent=T:N   its first N attempts hang without a sign of life
 *
 * A task's payload is what its place in the store holds. Usage error for other words, which
 * executor_check_fake finds before there is a store. */
int executor_check_fake(const char *description, struct error *err);
int executor_create_fake(struct executor *executor, const char *description,
                         const struct plan *plan, struct store *store, struct error *err);

/* --- plan and store --- */

/* The store's kernel mode as text, and back: a usage error where kernels have changed since. */
void work_kernel_mode(enum net_kernels kernels, char *to, size_t size);
int work_read_kernel_mode(const char *mode, enum net_kernels *kernels, struct error *err);

/* The store a plan needs. Tables and networks belong to the layout, the grid's text to the plan;
 * free with work_layout_finish. */
int work_layout_create(const struct plan *plan, const struct store_identity *identity,
                       struct store_layout *layout, struct error *err);
void work_layout_finish(struct store_layout *layout);

/* What the store says of each task of the plan that it was made for; `statuses` and `attempts`:
 * [tasks]. A row whose checksum does not hold counts as pending; *torn is their number. Skipped
 * tasks are pending again where no ancestor is diverged any more. With `repair` (a new run begins)
 * failed tasks are pending again too, with no attempts, and so are unreachable ones, and the store
 * is made to say all this. */
int work_read_statuses(const struct plan *plan, struct store *store, bool repair,
                       enum store_status *statuses, uint8_t *attempts, int32_t *torn,
                       struct error *err);

/* Does a run that begins now try a task of this status? Not what has a result, nor what was skipped
 * below a diverged task. */
bool work_is_to_run(enum store_status status);

/* "dense", "ticket", "reinit 2" ... Always terminates. */
void work_task_label(const struct plan_task *task, char *to, size_t size);

/* Seconds of one core that a unit of cost takes on this machine, timed on a few steps of the
 * network most of the plan's work is done on. For estimates. */
int work_measure_speed(const struct plan *plan, double *seconds_per_operation, struct error *err);

#endif
