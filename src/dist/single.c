/* A grid without MPI: the master's loop over a channel whose worker is this process, which has one
 * task after the other trained. */
#include "dist/run.h"

#include "environment.h"
#include "job.h"
#include "local.h"
#include "master.h"
#include "peer.h"
#include "prepare.h"
#include "stop.h"
#include "store/checkpoint.h"
#include "tasks.h"

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
        .lock = prepared->lock,
        .channel = &channel,
        /* The one worker is not watched, and nothing is sent ahead: it is the same process. */
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
                        struct tasks *tasks, struct error *err)
{
    struct executor executor;
    struct master_end end;
    if (prepared->to_do == 0)
        return RUN_COMPLETE;
    if (prepare_rounding(job, store_identity(prepared->store), err) != 0 ||
        tasks_begin(tasks, 0, (struct seat){0, 1}, NULL, 0, &executor, err) != 0)
        return job_failure_status(err);
    prepare_tell(job, store_identity(prepared->store));
    int failed = run_tasks(job, prepared, &executor, &end, err);
    executor.destroy(executor.self);
    if (!failed && end.verdict == MASTER_COMPLETE)
        checkpoint_remove(job->store_file);
    return failed ? job_failure_status(err) : job_status(end.verdict);
}

/* The grid is read before the fork that tasks need, the store opened after it. */
int run_single(const struct run_job *job, struct error *err)
{
    struct prepared prepared;
    stop_watch(job->seconds);
    if (prepare_grid(job, &prepared, err) != 0)
        return error_exit_status(err);
    struct tasks *tasks = tasks_start(job, prepared.plan, err);
    if (tasks == NULL) {
        prepare_finish(&prepared);
        return error_exit_status(err);
    }
    int status;
    if (prepare_store(job, &prepared, err) != 0 || prepare_states(job, 1, &prepared, err) != 0)
        status = prepare_exit_status(err);
    else
        status = run_prepared(job, &prepared, tasks, err);
    tasks_end(tasks);
    prepare_finish(&prepared);
    return status;
}
