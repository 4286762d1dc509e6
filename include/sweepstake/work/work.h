/* One task from parent to commit-ready payload, behind a function table: the real executor (parent from the
 * store, mask, train, write) and a fake one with set durations and failures that tests the scheduler's surroundings. */
#ifndef SWEEPSTAKE_WORK_WORK_H
#define SWEEPSTAKE_WORK_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/plan.h"
#include "store/store.h"

enum work_status { WORK_DONE, WORK_DIVERGED, WORK_INTERRUPTED, WORK_FAILED };

struct work_outcome {
    enum work_status status;
    uint64_t digest;            /* of the payload written */
    struct store_result result; /* all but environment and checksum; failed: reason and message */
    double seconds;
};

struct work_hooks {
    void *user;
    /* Called every few steps; returns true to interrupt the task. May be NULL. */
    bool (*progress)(void *user, double iteration);
};

struct executor {
    void *self;
    /* Runs one task to its outcome and leaves its payload durable in the store. -1 only for errors that should end this process
     * (ERROR_INTERNAL, a store that cannot be written); a task that fails by itself is an outcome. */
    int (*run)(void *self, int32_t task, const struct work_hooks *hooks, struct work_outcome *outcome, struct error *err);
    void (*destroy)(void *self);
};

/* Keeps the network and dataset of the task before when the next one uses the same. `plan` and `store` are not owned. */
int executor_create_real(struct executor *executor, const struct plan *plan, struct store *store, struct error *err);

struct fake_task {
    double seconds;
    int32_t fail_attempts;  /* its first so many attempts fail */
    int32_t crash_attempts; /* its first so many attempts end the process by SIGKILL */
};
int executor_create_fake(struct executor *executor, const struct fake_task *tasks, int32_t count, struct error *err);

/* --- plan <-> store --- */

/* The store a plan needs. Rows and networks are owned by the layout; free with work_layout_finish. */
int work_layout_create(const struct plan *plan, const struct store_identity *identity, struct store_layout *layout, struct error *err);
void work_layout_finish(struct store_layout *layout);

/* What the store says of each task of the plan: done rows whose checksum holds keep their status; torn ones are reset
 * to pending (only when `repair`), failed ones are tried again (attempts start anew). `statuses` and `attempts`: [tasks]. */
int work_read_statuses(const struct plan *plan, struct store *store, bool repair, enum store_status *statuses,
                       uint8_t *attempts, int32_t *torn, struct error *err);

/* "dense", "ticket", "reinit 2" ... */
void work_task_label(const struct plan_task *task, char *to, size_t size);

#endif
