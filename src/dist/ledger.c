/* What the master reads and writes in the store. A failed task has no row until it is written off.
 * That follows its last failure at once, before the next report: one message at a time is enough to
 * remember. */
#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "job.h"

int ledger_init(struct ledger *ledger, const struct plan *plan, struct store *store,
                const struct store_lock *lock, struct error *err)
{
    *ledger = (struct ledger){.plan = plan, .store = store, .lock = lock};
    ledger->failures = mem_zeroed((size_t)plan->task_count, sizeof *ledger->failures, err);
    ledger->trained_before =
        mem_zeroed((size_t)plan->task_count, sizeof *ledger->trained_before, err);
    return ledger->failures != NULL && ledger->trained_before != NULL ? 0 : -1;
}

void ledger_finish(struct ledger *ledger)
{
    free(ledger->failures);
    free(ledger->trained_before);
    ledger->failures = NULL;
    ledger->trained_before = NULL;
}

int ledger_check(const struct ledger *ledger, struct error *err)
{
    return ledger->lock == NULL ? 0 : store_lock_check(ledger->lock, err);
}

static int commit(struct ledger *ledger, int32_t task, uint64_t digest, struct store_result *result,
                  struct error *err)
{
    if (ledger->is_closed)
        return 0;
    if (ledger_check(ledger, err) != 0)
        return -1;
    ledger->is_unsettled = true;
    return store_commit(ledger->store, task, digest, result, err);
}

/* --- reading --- */

static enum task_state state_of(enum store_status status)
{
    switch (status) {
    case STORE_DONE:
        return TASK_DONE;
    case STORE_DIVERGED:
        return TASK_DIVERGED;
    case STORE_FAILED:
        return TASK_FAILED;
    case STORE_SKIPPED:
        return TASK_SKIPPED;
    case STORE_UNREACHABLE:
        return TASK_UNREACHABLE;
    case STORE_PENDING:
        break;
    }
    return TASK_WAITING;
}

static int read_columns(const struct ledger *ledger, enum store_status *statuses, uint8_t *attempts,
                        struct error *err)
{
    if (store_read_attempts(ledger->store, ledger->plan->task_count, attempts, err) != 0)
        return -1;
    return job_read_statuses(ledger->store, ledger->plan->task_count, statuses,
                             ledger->trained_before, err);
}

int ledger_read(const struct ledger *ledger, struct sched_task *tasks, int32_t *kept,
                struct error *err)
{
    const struct plan *plan = ledger->plan;
    enum store_status *statuses = mem_zeroed((size_t)plan->task_count, sizeof *statuses, err);
    uint8_t *attempts = mem_zeroed((size_t)plan->task_count, 1, err);
    int failed =
        statuses == NULL || attempts == NULL || read_columns(ledger, statuses, attempts, err) != 0;
    *kept = 0;
    for (int32_t i = 0; i < plan->task_count && !failed; i++) {
        tasks[i] = (struct sched_task){
            .parent = plan->tasks[i].parent,
            .cost = plan->tasks[i].cost,
            .state = state_of(statuses[i]),
            .attempts = attempts[i],
        };
        *kept += tasks[i].state == TASK_DONE;
    }
    free(statuses);
    free(attempts);
    return failed ? -1 : 0;
}

/* --- results --- */

/* A task that is run again for something that was not kept must come out as before. Any other has
 * no result to read. */
static int check_repeat(const struct ledger *ledger, const struct report *report,
                        const struct store_result *result, struct error *err)
{
    struct store_result before;
    if (!ledger->trained_before[report->task])
        return 0;
    if (store_read_results(ledger->store, report->task, 1, &before, err) != 0)
        return -1;
    if (!store_results_agree(&before, result))
        log_line(LOG_WARNING,
                 "task %d was run again and came out otherwise than before; its earlier result is "
                 "replaced",
                 report->task);
    return 0;
}

static void put_place(struct store_result *result, const struct worker_place *place)
{
    memset(result->host, 0, sizeof result->host);
    text_copy(result->host, sizeof result->host, place->host);
    result->environment = place->environment;
}

int ledger_commit(struct ledger *ledger, const struct report *report,
                  const struct worker_place *place, int32_t attempts, struct error *err)
{
    struct store_result result = report->result;
    put_place(&result, place);
    result.attempts_used = attempts;
    if (check_repeat(ledger, report, &result, err) != 0)
        return -1;
    return commit(ledger, report->task, report->digest, &result, err);
}

int ledger_settle(struct ledger *ledger, struct error *err)
{
    if (ledger->is_closed || !ledger->is_unsettled)
        return 0;
    ledger->is_unsettled = false;
    return store_settle(ledger->store, err);
}

/* --- failures --- */

bool ledger_is_final(const struct ledger *ledger, const struct report *report)
{
    enum store_reason reason = (enum store_reason)report->result.reason;
    bool comes_again = reason == STORE_REASON_MEMORY || reason == STORE_REASON_CRASH ||
                       reason == STORE_REASON_TIME;
    return comes_again && ledger->failures[report->task].reason == reason;
}

void ledger_note_failure(struct ledger *ledger, const struct report *report,
                         const struct worker_place *place)
{
    ledger->failures[report->task] =
        (struct ledger_failure){(enum store_reason)report->result.reason, place};
    memcpy(ledger->message, report->result.message, sizeof ledger->message);
    log_line(LOG_DEBUG, "task %d failed on %s: %.*s", report->task, place->host,
             (int)sizeof ledger->message, ledger->message);
}

void ledger_note_loss(struct ledger *ledger, int32_t task, const struct worker_place *place)
{
    ledger->failures[task] = (struct ledger_failure){STORE_REASON_LOST, place};
}

/* --- tasks that will not be run --- */

static void describe_failure(const struct ledger *ledger, int32_t task, struct store_result *result)
{
    const struct ledger_failure *failure = &ledger->failures[task];
    bool reported = failure->reason != STORE_REASON_NONE && failure->reason != STORE_REASON_LOST;
    result->status = STORE_FAILED;
    result->reason = reported ? (int32_t)failure->reason : STORE_REASON_LOST;
    text_copy(result->message, sizeof result->message,
              reported ? ledger->message : "the processes that trained it died or fell silent");
    if (failure->place != NULL)
        put_place(result, failure->place);
}

static void describe(const struct ledger *ledger, const struct sched_action *action,
                     struct store_result *result)
{
    bool skipped = action->state == TASK_SKIPPED;
    result->attempts_used = action->attempts;
    if (action->state == TASK_FAILED) {
        describe_failure(ledger, action->task, result);
        return;
    }
    result->status = skipped ? STORE_SKIPPED : STORE_UNREACHABLE;
    text_copy(result->message, sizeof result->message,
              skipped ? "an ancestor diverged" : "an ancestor failed");
}

int ledger_write_off(struct ledger *ledger, const struct sched_action *action, struct error *err)
{
    struct store_result result = store_result_pending();
    describe(ledger, action, &result);
    if (action->state == TASK_FAILED)
        log_line(LOG_WARNING, "task %d failed for good%s%s: %s", action->task,
                 result.host[0] != '\0' ? ", last on " : "", result.host, result.message);
    return commit(ledger, action->task, 0, &result, err);
}

int ledger_write_attempts(struct ledger *ledger, const struct sched_action *action,
                          struct error *err)
{
    uint8_t attempts = (uint8_t)(action->attempts < UINT8_MAX ? action->attempts : UINT8_MAX);
    if (ledger->is_closed)
        return 0;
    if (ledger_check(ledger, err) != 0)
        return -1;
    ledger->is_unsettled = false;
    return store_write_attempts(ledger->store, action->task, attempts, err);
}
