/* A worker rank: trains what the master sends, tells that it lives, and waits without spinning. */
#ifndef SWEEPSTAKE_DIST_WORKER_H
#define SWEEPSTAKE_DIST_WORKER_H

#include <stdbool.h>

#include "peer.h"
#include "work/work.h"

struct worker_setup {
    const struct executor *executor;
    int32_t task_count;
    int32_t number, workers; /* this one of so many */
    const struct peer *master;
    double silence; /* seconds without a word from the master before it counts as dead; 0 = never */
};

/* Returns when the master orders to leave or is gone. `together`: every rank is at this point, so
 * that the collective end can follow; otherwise no collective call may. */
void worker_run(const struct worker_setup *setup, bool *together);

#endif
