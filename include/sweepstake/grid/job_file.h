/* A job file (jobs/NAME.yaml): which grid to run, where its results go, and what to ask a SLURM
 * cluster for. Read with the same YAML tree as grids; `cluster: NAME` puts the site profile
 * slurm/NAME.yaml under it. Its texts hold no character that means anything to a shell. */
#ifndef SWEEPSTAKE_GRID_JOB_FILE_H
#define SWEEPSTAKE_GRID_JOB_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What becomes of the job when it is preempted or its time is over. */
enum job_preemption {
    JOB_REQUEUE, /* it goes back into the queue */
    JOB_CANCEL,  /* it ends; another job, submitted to start after it, goes on */
};

struct job_variable {
    const char *name, *value;
};

/* Texts are NULL, numbers 0 where they are left out. */
struct job_file {
    const char *grid, *store,
        *data; /* paths, as a command line would take them; grid is never NULL */
    int64_t workers, nodes, ranks_per_node; /* nodes come with ranks_per_node */
    int64_t cores_per_rank;
    int64_t memory; /* 1e6 bytes a rank */
    int64_t wall_seconds;
    const char *partition, *account, *qos, *mail;
    enum job_preemption preemption;
    size_t module_count, variable_count; /* the profile's first */
    const char **modules;
    struct job_variable *variables;
};

/* Usage errors read "file:line:column: key: what is wrong; what would be right". NULL on error. */
struct job_file *job_file_read(const char *file, struct error *err);
void job_file_destroy(struct job_file *job); /* accepts NULL */

#endif
