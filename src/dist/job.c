/* What the ways to run a grid share. */
#include "job.h"

int job_status(enum master_verdict verdict)
{
    switch (verdict) {
    case MASTER_COMPLETE:
        return RUN_COMPLETE;
    case MASTER_SOME_FAILED:
        return RUN_SOME_FAILED;
    default:
        return RUN_RESUMABLE;
    }
}

int job_failure_status(const struct error *err)
{
    return err->class == ERROR_RESOURCE ? RUN_RESUMABLE : error_exit_status(err);
}

/* In blocks: a row is half a kilobyte. */
int job_read_statuses(struct store *store, int32_t count, enum store_status *statuses,
                      bool *trained, struct error *err)
{
    struct store_result rows[64];
    const int32_t most = sizeof rows / sizeof *rows;
    for (int32_t first = 0; first < count; first += most) {
        int32_t block = count - first < most ? count - first : most;
        if (store_read_results(store, first, block, rows, err) != 0)
            return -1;
        for (int32_t i = 0; i < block; i++) {
            statuses[first + i] = (enum store_status)rows[i].status;
            if (trained != NULL)
                trained[first + i] = rows[i].weights_remaining >= 0;
        }
    }
    return 0;
}
