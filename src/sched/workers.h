/* The table of workers: who is there, who is idle, who holds which task and will end it soon, and
 * who has been silent for too long. */
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
    int32_t next; /* sent ahead, or -1 */
    double heard; /* when it last gave a sign of life */

    /* Of its task. */
    double begun, progress;
    double first_heard, first_progress; /* when progress was first heard of */
    bool ends_soon;
};

/* Members of a circular list, in order. */
struct ring_link {
    int32_t before, after;
};

struct worker_table {
    struct worker *workers;
    int32_t count, live;
    int32_t sent_ahead; /* tasks */
    /* [count + 1]: the last link is the head of the list. */
    struct ring_link *idle;    /* the longest idle first */
    struct ring_link *watched; /* the live ones, the longest silent first */
    struct ring_link *ending;  /* those whose task ends soon and who were sent none ahead */
};

/* All workers are coming, and heard at -infinity. */
int workers_init(struct worker_table *table, int32_t count, struct error *err);
void workers_finish(struct worker_table *table);

/* Changes of state; the worker is heard at `now`. None may hold a task but for workers_come_home
 * and workers_go_on. */
void workers_ask(struct worker_table *table, int32_t worker, double now);
void workers_give(struct worker_table *table, int32_t worker, int32_t task, double now);
void workers_come_home(struct worker_table *table, int32_t worker, double now);
/* It begins the task that it was sent ahead. */
void workers_go_on(struct worker_table *table, int32_t worker, double now);
void workers_leave(struct worker_table *table, int32_t worker);

void workers_hear(struct worker_table *table, int32_t worker, double now);

/* Its task will end soon. */
void workers_expect_end(struct worker_table *table, int32_t worker);
/* `task` follows the one at hand; -1: none does. */
void workers_send_ahead(struct worker_table *table, int32_t worker, int32_t task);
/* A worker that wants a task sent ahead, the longest expected one; or -1. */
int32_t workers_ending(const struct worker_table *table);

/* Of all that are idle (live): the longest idle (silent), or -1. */
int32_t workers_longest_idle(const struct worker_table *table);
/* An idle worker in place of this idle one: the longest idle on another host, else the one that
 * became idle after it, or -1. */
int32_t workers_idle_elsewhere(const struct worker_table *table, int32_t worker);
int32_t workers_longest_silent(const struct worker_table *table);

#endif
