/* How a run stands, as plain data: filled by dist, shown by view on the terminal. */
#ifndef SWEEPSTAKE_BASE_PROGRESS_H
#define SWEEPSTAKE_BASE_PROGRESS_H

#include <stdint.h>

struct progress_worker {
    int32_t task; /* -1 = idle */
    int32_t level;
    double iteration, iterations; /* of that task */
    char what[32];                /* "dense", "ticket", "reinit 2" */
};

struct progress {
    int32_t total, done, diverged, failed, running, left;
    int32_t skipped, unreachable; /* below a task that diverged; below one that failed */
    int32_t kept;             /* of `done`: finished by earlier launches */
    double elapsed;           /* seconds since the launch */
    double seconds_left;      /* NaN = not known yet */
    double iterations_a_second; /* over all workers, NaN = not known yet */
    int32_t worker_count;
    const struct progress_worker *workers;
};

#endif
