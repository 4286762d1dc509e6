/* Which cores a worker's processes run on. */
#ifndef SWEEPSTAKE_DIST_PIN_H
#define SWEEPSTAKE_DIST_PIN_H

#include <sched.h>
#include <stdbool.h>

/* A worker among those of its node. */
struct seat {
    int index, workers;
};

/* The seat's `threads` cores of those allowed, in their order. False unless all workers together
 * fill exactly what is allowed: with fewer of them, the same cores would be chosen by every run on
 * the node, and the kernel balances better. */
bool pin_choose(const cpu_set_t *allowed, struct seat seat, int threads, cpu_set_t *chosen);

/* Puts this process, and those it forks from now on, on the seat's cores. */
void pin_self(struct seat seat, int threads);

#endif
