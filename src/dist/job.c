/* What the ways to run a grid share. */
#include "job.h"

#include "nn/network.h"

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

int job_executor(const struct run_job *job, const struct plan *plan, struct store *store,
                 struct executor *executor, struct error *err)
{
    kernels_single_thread();
    return job->fake != NULL ? executor_create_fake(executor, job->fake, plan, store, err)
                             : executor_create_real(executor, plan, store, err);
}
