/* Where a PBS or LSF job may run. Open MPI knows by itself only if it was built for the batch
 * system; all of them leave a file with a host's name a slot. */
#ifndef SWEEPSTAKE_DIST_HOSTS_H
#define SWEEPSTAKE_DIST_HOSTS_H

#include <stdbool.h>

#include "base/error.h"

struct hosts {
    const char *file; /* the environment's; NULL = there is no such batch system */
    int slots;
    bool several; /* more than one host */
};

/* Usage error when the file that the environment names cannot be read or names no host. */
int hosts_read(struct hosts *hosts, struct error *err);

#endif
