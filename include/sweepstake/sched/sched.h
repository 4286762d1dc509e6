/* The scheduler: a pure state machine. Events only update state; sched_next says what to do now. No MPI,
 * no HDF5, no clock: time comes in with the events. The caller (dist) does the messaging and the writing.
 *
 * Protocol of the caller: one sched_event; when it counted and is SCHED_TASK_DONE or _DIVERGED, write the
 * task's row; then sched_next until it returns false or gives SCHED_FINISHED, doing each action before
 * asking for the next one. Several events may come before sched_next is asked.
 *
 * A worker whose task is about to end gets its next one ahead, so that it need not wait for it: it holds at
 * most one task at hand and one next. The next is begun when the one at hand ends, however it ends; if the
 * worker is lost before, it is ready again, and its hand-out has not been an attempt.
 *
 * Invariants: a task is handed out only when its parent is done (diverged parents have nothing to prune);
 * one worker holds it at a time; a task done, diverged or written off is never handed out again; each task is
 * written off at most once; attempts are given for writing before the hand-out is.
 *
 * Attempts count hand-outs. A hand-out that ends by failure, by the loss or the silence of its worker has
 * been an attempt; one that is interrupted, or under way at SCHED_STOP, has not (unless it still fails by
 * itself). A task that may not be tried again is written off as failed: after its last attempt, or
 * after a failure that is final.
 *
 * A task whose hand-out came to nothing goes to another worker where there is a choice: one that is
 * idle (on another host, if there is one), or its own takes the next ready task meanwhile. No worker
 * stays idle for that. */
#ifndef SWEEPSTAKE_SCHED_SCHED_H
#define SWEEPSTAKE_SCHED_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum task_state {
    TASK_WAITING,     /* parent not done yet */
    TASK_READY,       /* to be handed out */
    TASK_RUNNING,     /* held by a worker */
    TASK_DONE,        /* trained */
    TASK_DIVERGED,    /* trained to a non-finite loss: a result */
    TASK_FAILED,      /* tried as often as allowed */
    TASK_SKIPPED,     /* an ancestor diverged: there is nothing to prune */
    TASK_UNREACHABLE, /* an ancestor failed */
};

/* What the scheduler knows of a task at the start.
 *
 * DONE, DIVERGED and FAILED are results kept from earlier launches. All other states mean "no result yet"
 * and are worked out anew from the parent: a task below a failed or diverged one is written off (without
 * SCHED_WRITE_OFF where the given state says so already), one that was skipped or unreachable and is no longer
 * is run, and one whose attempts reach the maximum is written off as failed at once. */
struct sched_task {
    int32_t parent; /* a lower task number, -1 = none */
    double cost;    /* estimated operations (any unit that is the same for all), finite, >= 0 */
    enum task_state state;
    int32_t attempts; /* hand-outs of earlier launches that count */
};

struct sched_limits {
    int32_t max_attempts; /* hand-outs of one task before it counts as failed, >= 1 (default 3) */
    double silence;       /* seconds without a sign of life before a worker counts as dead; 0 = never */
    double ahead;         /* seconds before a task's expected end from which on the next is sent; 0 = never */
};

/* `worker` is set in all events that name one below, `task` in SCHED_TASK_* and SCHED_HEARD. */
enum sched_event_kind {
    /* The worker asks for work: at its start, after each result that leaves it without a task (a result alone
     * asks for nothing), and when it comes back after it was presumed dead or dismissed. One that asks while it
     * holds a task has lost that task (an attempt). Counts always. */
    SCHED_WORKER_READY,
    /* A sign of life. From a worker that holds a task it counts only if `task` is that one and `progress` is
     * above the last; so an idle worker, and one that has not asked yet, must be heard too (with task -1).
     * From a worker presumed dead or dismissed it does not count: it must ask anew. */
    SCHED_HEARD,
    /* Results. They count only for the task that the worker has at hand; its next one, if any, is then at
     * hand. SCHED_TASK_INTERRUPTED counts for the next as well: it could not be sent. */
    SCHED_TASK_DONE,        /* counted: write the row */
    SCHED_TASK_DIVERGED,    /* counted: write the row */
    SCHED_TASK_FAILED,      /* by itself. Keep the reason, write no row: SCHED_WRITE_OFF follows if this was the last try */
    SCHED_TASK_INTERRUPTED, /* given back, write no row: not an attempt */
    /* The worker is known to be dead; silence is found out by the scheduler. Counts unless it was gone. */
    SCHED_WORKER_LOST,
    /* Hand out nothing more. The caller tells the workers to save and come home; each is dismissed as it asks. */
    SCHED_STOP,
    /* Time passed. To come at least twice in `silence`: a gap of more than `silence` between two events is
     * taken for an absence of the caller itself, and not held against the workers. */
    SCHED_TICK,
};

struct sched_event {
    enum sched_event_kind kind;
    double now; /* seconds, monotonic */
    int32_t worker, task;
    double progress; /* SCHED_HEARD: iterations done; one that stands still counts as silence */
    /* SCHED_TASK_DONE, DIVERGED: what the whole task took, over all its interruptions (0 = not known). It
     * corrects the cost estimates. */
    double seconds;
    bool is_final; /* SCHED_TASK_FAILED: it would fail again, however many attempts are left */
    double goal;   /* SCHED_HEARD: the progress with which the task ends; 0 = not known */
};

/* What the caller must do, and which members of the action say with what. */
enum sched_action_kind {
    /* Write `attempts` of `task` durably, then send `task` to `worker`. */
    SCHED_HAND_OUT,
    /* The same for a worker that has a task at hand: `task` is its next. Where it cannot be sent, give it
     * back (SCHED_TASK_INTERRUPTED). */
    SCHED_SEND_AHEAD,
    /* Write the row of `task`: `state` is TASK_FAILED, TASK_SKIPPED or TASK_UNREACHABLE. */
    SCHED_WRITE_OFF,
    /* Write `attempts` of `task`: a hand-out was taken off, or counted after all. */
    SCHED_WRITE_ATTEMPTS,
    /* Tell `worker` that there is nothing more for it (all is finished, or stopping). It may leave. */
    SCHED_DISMISS_WORKER,
    /* Send `worker` nothing more until it asks anew; `task` is what it lost at hand, or -1. Information for the log:
     * handing the task to another follows by itself. */
    SCHED_PRESUME_DEAD,
    /* Every worker is dismissed or dead: the launch is over. sched_next gives this from then on (after the
     * dismissal of a worker that comes back late). Whether the grid is complete is in sched_counts: `left` is 0. */
    SCHED_FINISHED,
};

struct sched_action {
    enum sched_action_kind kind;
    int32_t worker, task, attempts; /* -1 where the kind has none */
    enum task_state state;          /* of the task, where there is one */
};

/* Seconds between two signs of life of a worker, and between two that it gets. A second among few
 * workers; among many so long that the master has 500 a second to take at most. Never more than a
 * quarter of `silence` (0 = it does not count), so that none is missed for another: where that is
 * the shorter, the master takes more, and a longer silence takes the load off it. */
double sched_heartbeat(double silence, int32_t workers);

/* What is to be sched_limits.ahead where tasks can be sent ahead: a second, and an interval between
 * two signs of life, so that one comes in time to tell that the end is near. */
double sched_ahead(double silence, int32_t workers);

struct sched;

/* `tasks` is copied; parents come before children. Ready tasks are given longest remaining chain first (ties:
 * lower task number), where a chain's estimate is corrected by how long its finished tasks took
 * compared with all, to the longest idle worker (but see above). When none is idle the next goes ahead to a worker
 * that is near its end, unless that end will make a task ready that is more urgent. `workers` are numbered 0..workers-1; all are expected to ask or be heard, and are watched for
 * silence from the first event on. A limit or task that makes no sense is an ERROR_INTERNAL. */
struct sched *sched_create(const struct sched_task *tasks, int32_t count, int32_t workers,
                           struct sched_limits limits, struct error *err);
void sched_destroy(struct sched *sched); /* accepts NULL */

/* hosts[workers]: equal numbers for workers on one machine. Until this is called all are on one. */
void sched_set_hosts(struct sched *sched, const int32_t *hosts);

/* Updates state. Returns whether the event counted (see sched_event_kind); one that does not fit, such as
 * a result from a worker that lost the task, changes nothing. */
bool sched_event(struct sched *sched, const struct sched_event *event);

/* The next thing to do, or false when there is nothing until another event. */
bool sched_next(struct sched *sched, struct sched_action *action);

struct sched_counts {
    int32_t total, done, diverged, failed, skipped, unreachable, running, ready, waiting;
    int32_t left;                /* waiting + ready (those sent ahead included) + running */
    int32_t live_workers;        /* not dismissed and not dead; those that have not asked yet included */
    double cost_left, cost_done; /* of tasks left; of tasks done or diverged, kept ones included */
    double seconds_per_cost;     /* measured in this launch; 0 = nothing finished yet */
    double seconds_left;         /* at the last event, with the live workers; NaN = not known yet */
};
void sched_counts(const struct sched *sched, struct sched_counts *counts);
enum task_state sched_task_state(const struct sched *sched, int32_t task);
/* The task a worker has at hand, or -1. */
int32_t sched_worker_task(const struct sched *sched, int32_t worker);

#endif
