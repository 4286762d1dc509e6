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
    int32_t task;                /* held, or -1 */
    double heard;                /* when it last gave a sign of life */
    double handed_out, progress; /* of its task */
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
};

/* All workers are coming, and heard at -infinity. */
int workers_init(struct worker_table *table, int32_t count, struct error *err);
void workers_finish(struct worker_table *table);

/* Changes of state; the worker is heard at `now`. None may hold a task but for workers_come_home.
 */
void workers_ask(struct worker_table *table, int32_t worker, double now);
void workers_give(struct worker_table *table, int32_t worker, int32_t task, double now);
void workers_come_home(struct worker_table *table, int32_t worker, double now);
void workers_leave(struct worker_table *table, int32_t worker);

void workers_hear(struct worker_table *table, int32_t worker, double now);

/* Of all that are idle (live): the longest idle (silent), or -1. */
int32_t workers_longest_idle(const struct worker_table *table);
/* The one that became idle after this one, or -1. */
int32_t workers_next_idle(const struct worker_table *table, int32_t worker);
int32_t workers_longest_silent(const struct worker_table *table);

#endif
