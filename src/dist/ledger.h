/* What the master reads and writes in the store: results and attempts, its alone to write. Every
 * write asks first whether this run is still the store's (store_lock_check), and fails if not. */
#ifndef SWEEPSTAKE_DIST_LEDGER_H
#define SWEEPSTAKE_DIST_LEDGER_H

#include "plan/plan.h"
#include "sched/sched.h"
#include "store/store.h"
#include "wire.h"

/* Where a worker runs, for the result rows. */
struct worker_place {
    char host[64];
    int32_t environment; /* row of /environment */
};

/* How and where a task's last hand-out came to nothing. */
struct ledger_failure {
    enum store_reason reason;         /* NONE = that was not in this launch */
    const struct worker_place *place; /* the master's */
};

struct ledger {
    const struct plan *plan;
    struct store *store;
    const struct store_lock *lock;   /* whose run may write; NULL = nobody else can */
    bool is_closed;                  /* the file system failed: nothing is written any more */
    bool is_unsettled;               /* rows were written that may not be on the disk yet */
    struct ledger_failure *failures; /* [task_count]: for the row of a task that is written off */
    bool *trained_before; /* [task_count]: its row had a result before this launch, when it was read
                           */
    char message[sizeof(((struct store_result *)0)->message)]; /* of the failure reported last */
};

int ledger_init(struct ledger *ledger, const struct plan *plan, struct store *store,
                const struct store_lock *lock, struct error *err);
void ledger_finish(struct ledger *ledger);

int ledger_check(const struct ledger *ledger, struct error *err);

/* The plan's tasks as the store has them, for the scheduler: tasks[task_count]. *kept: those done.
 */
int ledger_read(const struct ledger *ledger, struct sched_task *tasks, int32_t *kept,
                struct error *err);

/* The row of a result that counts. This row, and that of ledger_write_off, is on the disk when
 * ledger_write_attempts or ledger_settle has come back: mostly a task is handed out after it, and
 * one wait for the disk serves both. */
int ledger_commit(struct ledger *ledger, const struct report *report,
                  const struct worker_place *place, int32_t attempts, struct error *err);
int ledger_settle(struct ledger *ledger, struct error *err);
/* Whether a failure must not be followed by another try: out of memory, a crash or a time limit for
 * the second time in a row. An error is retried: its cause may lie outside of the task. */
bool ledger_is_final(const struct ledger *ledger, const struct report *report);
void ledger_note_failure(struct ledger *ledger, const struct report *report,
                         const struct worker_place *place);
/* The worker that had the task died or fell silent. */
void ledger_note_loss(struct ledger *ledger, int32_t task, const struct worker_place *place);
/* The row of a task that will not be run, as SCHED_WRITE_OFF says. */
int ledger_write_off(struct ledger *ledger, const struct sched_action *action, struct error *err);
int ledger_write_attempts(struct ledger *ledger, const struct sched_action *action,
                          struct error *err);

#endif
