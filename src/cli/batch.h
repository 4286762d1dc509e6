/* The batch script of a job: slurm/sweep.sbatch.in, embedded, with its places filled in. */
#ifndef SWEEPSTAKE_CLI_BATCH_H
#define SWEEPSTAKE_CLI_BATCH_H

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "grid/job_file.h"
#include "plan/plan.h"

/* A job with everything chosen that its file left out. */
struct batch {
    const struct job_file *job;
    const char *name; /* the job's: letters, digits and . _ - + */
    const char *store;
    struct plan_part part; /* with the store that the parts are joined into; else {0} */
    const char *whole;
    int64_t workers, wall_seconds;
};

/* Paths in the script are as the job file has them, from the present folder. */
int batch_render(const struct batch *batch, struct text *script, struct error *err);

#endif
