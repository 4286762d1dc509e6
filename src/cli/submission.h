/* A job to be: a grid, or a part of one, planned, with everything chosen that the job file leaves
 * out, and checked. */
#ifndef SWEEPSTAKE_CLI_SUBMISSION_H
#define SWEEPSTAKE_CLI_SUBMISSION_H

#include <stdbool.h>

#include "batch.h"
#include "figures.h"

#define SUBMISSION_PATH_SIZE 4096

struct submission {
    struct batch batch; /* points into the job file and to the texts below */
    struct plan_figures figures;
    bool is_complete;     /* nothing is left to run */
    int64_t bytes_needed; /* on the disk, beyond what is there */
    char name[GRID_NAME_SIZE + 32];
    char whole[SUBMISSION_PATH_SIZE], store[SUBMISSION_PATH_SIZE];
    long long number; /* 0 = not submitted */
};

/* Plans. Usage error for what the job could not do. */
int submission_prepare(const struct job_file *job, struct plan_part part,
                       struct submission *submission, struct error *err);

/* Whether `needed` bytes can be had where the store is to be. */
int submission_check_place(const char *store, int64_t needed, struct error *err);

#endif
