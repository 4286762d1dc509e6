/* NAME.h5.status: how rank 0 tells the supervisor how the launch ended. mpirun cannot: with
 * recovery it returns 0 whatever happened. */
#ifndef SWEEPSTAKE_DIST_STATUS_H
#define SWEEPSTAKE_DIST_STATUS_H

#include <stdbool.h>

#include "base/error.h"

#define STATUS_RELAUNCH (-1) /* tasks are left, and another launch may do them */

struct status {
    int code;      /* an exit status, or STATUS_RELAUNCH */
    bool together; /* no rank died: they close, finalize and end on their own */
    struct error err;
};

int status_write(const char *store_file, const struct status *status, struct error *err);
/* Whether there is one; one that cannot be read is none. */
bool status_read(const char *store_file, struct status *status);
void status_remove(const char *store_file);

#endif
