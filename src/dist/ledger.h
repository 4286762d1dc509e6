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

struct ledger {
    const struct plan *plan;
    struct store *store;
    const struct store_lock *lock; /* whose run may write; NULL = nobody else can */
    bool is_closed; /* the file system failed: nothing is written any more */
    /* The last failure heard of: the reason for the row should the task be written off. */
    struct {
        int32_t task; /* -1 = none yet */
        int32_t reason;
        char message[sizeof(((struct store_result *)0)->message)];
    } failure;
};

void ledger_init(struct ledger *ledger, const struct plan *plan, struct store *store,
                 const struct store_lock *lock);

int ledger_check(const struct ledger *ledger, struct error *err);

/* The plan's tasks as the store has them, for the scheduler: tasks[task_count]. *kept: those done.
 */
int ledger_read(const struct ledger *ledger, struct sched_task *tasks, int32_t *kept,
                struct error *err);

/* The row of a result that counts. */
int ledger_commit(struct ledger *ledger, const struct report *report,
                  const struct worker_place *place, int32_t attempts, struct error *err);
void ledger_note_failure(struct ledger *ledger, const struct report *report);
/* The row of a task that will not be run, as SCHED_WRITE_OFF says. */
int ledger_write_off(const struct ledger *ledger, const struct sched_action *action,
                     struct error *err);
int ledger_write_attempts(const struct ledger *ledger, const struct sched_action *action,
                          struct error *err);

#endif
