/* A grid in one process, without MPI: the master's loop over a channel whose worker is this
 * process. */
#include "dist/run.h"

#include "environment.h"
#include "job.h"
#include "local.h"
#include "master.h"
#include "peer.h"
#include "prepare.h"
#include "stop.h"

static void beat(void *user)
{
    store_lock_beat(user);
}

static int run_tasks(const struct run_job *job, const struct prepared *prepared,
                     const struct executor *executor, struct master_end *end, struct error *err)
{
    struct peer self;
    struct worker_place place;
    struct local local;
    struct channel channel;
    peer_self(&self);
    local_open(&local, executor, &channel);
    if (environment_record(prepared->store, &self, 1, &place, err) != 0)
        return -1;
    struct master_setup setup = {
        .plan = prepared->plan,
        .store = prepared->store,
        .channel = &channel,
        /* The one worker is not watched: whoever would watch it is the same process. */
        .limits = {.max_attempts = job->max_attempts},
        .places = &place,
        .show = job->show,
        .show_user = job->show_user,
        .beat = beat,
        .beat_user = prepared->lock,
    };
    return master_run(&setup, end, err);
}

static int run_prepared(const struct run_job *job, const struct prepared *prepared,
                        struct error *err)
{
    struct executor executor;
    struct master_end end;
    if (prepared->to_do == 0)
        return RUN_COMPLETE;
    if (prepare_rounding(job, store_identity(prepared->store), err) != 0 ||
        job_executor(job, prepared->plan, prepared->store, &executor, err) != 0)
        return error_exit_status(err);
    prepare_tell(store_identity(prepared->store));
    int failed = run_tasks(job, prepared, &executor, &end, err);
    executor.destroy(executor.self);
    return failed ? error_exit_status(err) : job_status(end.verdict);
}

int run_single(const struct run_job *job, struct error *err)
{
    struct prepared prepared;
    stop_watch();
    if (prepare(job, &prepared, err) != 0)
        return prepare_exit_status(err);
    int status = run_prepared(job, &prepared, err);
    prepare_finish(&prepared);
    return status;
}
