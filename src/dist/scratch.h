/* A private folder for what MPI keeps in files while a launch runs (sessions, shared memory). */
#ifndef SWEEPSTAKE_DIST_SCRATCH_H
#define SWEEPSTAKE_DIST_SCRATCH_H

#include "base/error.h"

#define SCRATCH_PATH_SIZE 64

struct scratch {
    char path[SCRATCH_PATH_SIZE];
    int lock; /* held as long as this process lives */
};

/* Makes the folder, in memory where there is such a file system; removes those that killed
 * supervisors of this user left behind. */
int scratch_create(struct scratch *scratch, struct error *err);
void scratch_remove(struct scratch *scratch);

#endif
