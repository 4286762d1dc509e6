/* The table of tasks: states, the forest of parents and children, attempts, what is ready, and what
 * is to be written. Knows nothing of workers or of time. */
#ifndef SWEEPSTAKE_SCHED_TASKS_H
#define SWEEPSTAKE_SCHED_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "ready.h"
#include "sched/sched.h"

struct task {
    double cost;
    double chain; /* cost of the longest chain of tasks to be run, from here on */
    int32_t tree; /* tasks with the same root measure their pace together */
    int32_t first_child, next_sibling; /* -1 = none */
    int32_t attempts;
    enum task_state state;
    bool refunded; /* running, but its hand-out is no longer counted in `attempts` */
    bool queued;   /* in the queue of writes */
};

/* How long finished tasks took for their cost. */
struct pace {
    double seconds, cost;
};

struct task_table {
    struct task *tasks; /* [count] */
    int32_t count, max_attempts;
    struct ready_heap ready; /* the tasks in TASK_READY */
    struct pace *tree_paces; /* [trees] */
    struct pace pace;        /* of all trees */
    int32_t *writes;         /* [count], a ring: each task is in it at most once */
    int32_t write_first, write_count;
    int32_t in_state[TASK_UNREACHABLE + 1];
    double cost_left, cost_done;
};

int tasks_init(struct task_table *table, const struct sched_task *tasks, int32_t count,
               int32_t max_attempts, struct error *err);
void tasks_finish(struct task_table *table);

int32_t tasks_left(const struct task_table *table);
/* What a task should take by its cost and by what finished ones took, those of its tree if there
 * are any; NaN = none has finished yet. */
double tasks_expected_seconds(const struct task_table *table, int32_t task);
/* The urgency of the most urgent task that will be ready when this running one is done; 0 = none.
 */
double tasks_urgency_below(const struct task_table *table, int32_t task);

/* Takes the ready task at a place that ready_take accepts: it is running, its attempt counted. */
int32_t tasks_hand_out(struct task_table *table, int32_t place);

/* The following are for running tasks. */

/* It is done or diverged after `seconds`; what is below it becomes ready or is written off. */
void tasks_complete(struct task_table *table, int32_t task, enum task_state state, double seconds);
/* Its hand-out came to nothing: ready again, or given up when no attempt is left. */
void tasks_retry(struct task_table *table, int32_t task);
/* It failed for good: written off with all below it. */
void tasks_give_up(struct task_table *table, int32_t task);
/* Its hand-out is not to count as an attempt, however often this is called. It keeps running. */
void tasks_refund(struct task_table *table, int32_t task);
/* Its hand-out counts after all. */
void tasks_charge(struct task_table *table, int32_t task);

/* The next task whose row (when written off) or attempts (otherwise) are to be written, or -1. */
int32_t tasks_next_write(struct task_table *table);

bool task_is_written_off(enum task_state state);

#endif
