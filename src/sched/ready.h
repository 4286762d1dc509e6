/* The ready tasks: a binary heap, highest urgency first, ties by lower task number. */
#ifndef SWEEPSTAKE_SCHED_READY_H
#define SWEEPSTAKE_SCHED_READY_H

#include <stdint.h>

#include "base/error.h"

struct ready_task {
    double urgency;
    int32_t task;
};

struct ready_heap {
    struct ready_task *tasks; /* [capacity], the first `count` in heap order */
    int32_t count;
};

int ready_init(struct ready_heap *heap, int32_t capacity, struct error *err);
void ready_finish(struct ready_heap *heap);

/* The heap has room for every task once. */
void ready_put(struct ready_heap *heap, int32_t task, double urgency);
/* The place of the task that comes after the most urgent one, whose place is 0; -1 = none. */
int32_t ready_second(const struct ready_heap *heap);
/* Takes out the task at one of these two places. */
int32_t ready_take(struct ready_heap *heap, int32_t place);

#endif
