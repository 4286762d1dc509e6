/* The scheduler: a pure state machine. Events only update state; sched_next is the idempotent step that
 * says what to do now. No MPI, no HDF5, no clock: time comes in with the events. The caller (dist) does
 * the messaging and the writing.
 *
 * Invariants: a task is handed out only when its parent is done; one hand-out at a time; a task finished,
 * failed or written off is never handed out again; attempts are reported for writing before hand-out. */
#ifndef SWEEPSTAKE_SCHED_SCHED_H
#define SWEEPSTAKE_SCHED_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum task_state {
    TASK_WAITING,     /* parent not done yet */
    TASK_READY,
    TASK_RUNNING,
    TASK_DONE,        /* trained */
    TASK_DIVERGED,    /* trained to a non-finite loss: a result */
    TASK_FAILED,      /* tried as often as allowed */
    TASK_SKIPPED,     /* its parent diverged: there is nothing to prune */
    TASK_UNREACHABLE, /* an ancestor failed */
};

/* What the scheduler knows of a task at the start. */
struct sched_task {
    int32_t parent;        /* -1 = none */
    double cost;           /* estimated operations (any unit that is the same for all) */
    enum task_state state; /* WAITING or READY both mean to be run; others are results kept from before */
    int32_t attempts;      /* hand-outs of earlier launches */
};

struct sched_limits {
    int32_t max_attempts; /* hand-outs of one task before it counts as failed (default 3) */
    double silence;       /* seconds without a sign of life before a worker counts as dead; 0 = never */
};

enum sched_event_kind {
    SCHED_WORKER_READY, /* worker asks for work (also: a worker that comes back) */
    SCHED_HEARD,        /* sign of life; progress = iteration done of the task */
    SCHED_TASK_DONE,
    SCHED_TASK_DIVERGED,
    SCHED_TASK_FAILED,      /* by itself: retried a bounded number of times */
    SCHED_TASK_INTERRUPTED, /* given back because of a stop: not an attempt */
    SCHED_WORKER_LOST,
    SCHED_STOP, /* hand out nothing more; let workers come home */
    SCHED_TICK, /* time passed */
};

struct sched_event {
    enum sched_event_kind kind;
    double now; /* seconds, monotonic */
    int32_t worker, task;
    double progress; /* SCHED_HEARD: iterations done; one that stands still counts as silence */
    double seconds;  /* SCHED_TASK_DONE, DIVERGED: what it took, corrects the cost estimate */
};

enum sched_action_kind {
    SCHED_HAND_OUT,          /* task to worker; write `attempts` first */
    SCHED_WRITE_OFF,         /* write the task's row: state is FAILED, SKIPPED or UNREACHABLE */
    SCHED_DISMISS_WORKER,    /* nothing more for it (finished or stopping) */
    SCHED_PRESUME_DEAD,      /* worker was silent too long: send it nothing more */
    SCHED_FINISHED,          /* nothing runs and nothing can: sched_next gives this from then on */
};

struct sched_action {
    enum sched_action_kind kind;
    int32_t worker, task, attempts;
    enum task_state state;
};

struct sched;

/* `tasks` is copied; parents come before children. Ready tasks are given longest remaining chain first
 * (ties: lower task number). `workers` are numbered 0..workers-1. */
struct sched *sched_create(const struct sched_task *tasks, int32_t count, int32_t workers,
                           struct sched_limits limits, struct error *err);
void sched_destroy(struct sched *sched); /* accepts NULL */

/* Updates state. Events that do not fit (a result from a worker that lost the task) are ignored; returns
 * whether the event counted: for SCHED_TASK_*, whether the caller is to write the result. */
bool sched_event(struct sched *sched, const struct sched_event *event);

/* The next thing to do, or false when there is nothing until another event. */
bool sched_next(struct sched *sched, struct sched_action *action);

struct sched_counts {
    int32_t total, done, diverged, failed, skipped, unreachable, running, ready, waiting;
    int32_t live_workers;
    double cost_left, cost_done;      /* of the tasks at hand, in the unit of sched_task.cost */
    double seconds_per_cost;          /* measured; 0 = nothing finished yet */
};
void sched_counts(const struct sched *sched, struct sched_counts *counts);
enum task_state sched_task_state(const struct sched *sched, int32_t task);
/* The task a worker holds, or -1. */
int32_t sched_worker_task(const struct sched *sched, int32_t worker);

#endif
