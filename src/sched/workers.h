/* The table of workers: who is there, who is idle, who holds which task, and who has been silent
 * for too long. */
#ifndef SWEEPSTAKE_SCHED_WORKERS_H
#define SWEEPSTAKE_SCHED_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum worker_state {
    WORKER_COMING, /* live, has yet to ask for work */
    WORKER_IDLE,   /* asked */
    WORKER_RUNNING,
    WORKER_AWAY, /* dismissed or dead: it may still come back and ask */
};

struct worker {
    enum worker_state state;
    int32_t host;
    int32_t task; /* at hand, or -1 */
    int32_t next; /* sent ahead, to be begun after that one, or -1 */
    double heard; /* when it last gave a sign of life */
    /* Of the task at hand; `first_heard` is when its first progress came. */
    double handed_out, progress, first_heard, first_progress;
    bool is_near; /* in the list of those near the end of their task */
};

/* Members of a circular list, in order. */
struct ring_link {
    int32_t before, after;
};

struct worker_table {
    struct worker *workers;
    int32_t count, live;
    /* [count + 1]: the last link is the head of the list. */
    struct ring_link *idle;    /* the longest idle first */
    struct ring_link *watched; /* the live ones, the longest silent first */
    struct ring_link *near;    /* near the end of their task and without a next, in that order */
    int32_t ahead;             /* how many have a next */
};

/* All workers are coming, and heard at -infinity. */
int workers_init(struct worker_table *table, int32_t count, struct error *err);
void workers_finish(struct worker_table *table);

/* Changes of state; the worker is heard at `now`. None may hold a task but for workers_come_home
 * and workers_end_task, none a next but for the latter. */
void workers_ask(struct worker_table *table, int32_t worker, double now);
void workers_give(struct worker_table *table, int32_t worker, int32_t task, double now);
void workers_come_home(struct worker_table *table, int32_t worker, double now);
void workers_leave(struct worker_table *table, int32_t worker);
/* Its task has ended: the next is at hand now, else it comes home. */
void workers_end_task(struct worker_table *table, int32_t worker, double now);

void workers_hear(struct worker_table *table, int32_t worker, double now);
/* The same with progress at its task. */
void workers_hear_progress(struct worker_table *table, int32_t worker, double progress, double now);
/* The seconds that its task will still take if it goes on as heard, or NaN. */
double workers_seconds_left(const struct worker_table *table, int32_t worker, double goal);

/* For a worker with a task at hand. `task`: -1 = none, not any more. */
void workers_set_next(struct worker_table *table, int32_t worker, int32_t task);
void workers_set_near(struct worker_table *table, int32_t worker, bool is_near);

/* Of all that are idle (live): the longest idle (silent), or -1. */
int32_t workers_longest_idle(const struct worker_table *table);
int32_t workers_first_near(const struct worker_table *table);
/* An idle worker in place of this idle one: the longest idle on another host, else the one that
 * became idle after it, or -1. */
int32_t workers_idle_elsewhere(const struct worker_table *table, int32_t worker);
int32_t workers_longest_silent(const struct worker_table *table);

#endif
