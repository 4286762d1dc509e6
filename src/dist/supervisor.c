/* The supervisor: outside MPI, so that it survives whatever MPI does. It prepares the store, starts
 * mpirun, passes a wish to stop on, reads from a file how the launch ended, and launches again
 * after a loss, as long as that brings the grid forward.
 *
 * Everything is bounded in time. A launch that is to end (its status was read, a stop was asked
 * for, or its master gives no sign of life) has a deadline; past it mpirun is terminated, past the
 * next one everything is killed. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "dist/run.h"
#include "job.h"
#include "launch.h"
#include "prepare.h"
#include "scratch.h"
#include "status.h"
#include "stop.h"
#include "store/checkpoint.h"
#include "tasks.h"
#include "wait.h"

#define POLL_SECONDS 0.01
#define LOOK_SECONDS 0.5    /* for the status, on a file system that may be far away */
#define BEAT_SECONDS 1.0    /* the lock's heartbeat, for runs on other nodes */
#define START_SECONDS 600.0 /* for the master's first sign of life: data may be read before */
#define LOSS_SECONDS 5.0    /* without one more rank, while some are missing */
#define GRACE_SECONDS 5.0   /* beyond the silence after which workers leave on their own */
/* For the tasks at hand to be given back. With all that may follow it stays below the 30 seconds
 * that SLURM gives between SIGTERM and SIGKILL. */
#define STOP_SECONDS 15.0
#define END_SECONDS 5.0   /* for MPI to finalize after the status was written */
#define LEAVE_SECONDS 0.5 /* for ranks to leave where no rank may finalize */
#define TERM_SECONDS 3.0  /* for mpirun to end its ranks */
#define FRUITLESS_LAUNCHES 2

/* How hard the launch was asked to end. */
enum pressure { PRESS_NOT, PRESS_STOP, PRESS_TERM, PRESS_KILL };

struct supervisor {
    const struct run_job *job;
    char *const *arguments;
    int ranks;
    struct hosts hosts;
    struct scratch scratch;
    struct launch launch;
    enum pressure pressure;
    bool has_status;
    int64_t last_beat;                     /* the master's, see launch.h */
    double silence;                        /* seconds since then */
    int most_ranks;                        /* that were seen at once */
    double missing, standing;              /* seconds since one was to come, was stopped */
    bool gave_up;                          /* the launch was ended for its master's silence */
    struct store_lock *lock;               /* not owned */
    const struct plan *plan;               /* not owned */
    double deadline, next_look, next_beat; /* seconds, monotonic; no deadline = INFINITY */
};

/* --- one launch --- */

static void press(struct supervisor *supervisor, enum pressure pressure, double seconds)
{
    supervisor->pressure = pressure;
    supervisor->deadline = clock_seconds() + seconds;
}

static void terminate(struct supervisor *supervisor)
{
    press(supervisor, PRESS_TERM, TERM_SECONDS);
    launch_signal(&supervisor->launch, SIGTERM);
}

/* Ranks that cannot take a signal yet have nothing to save. */
static void ask_to_stop(struct supervisor *supervisor)
{
    if (launch_last_beat(supervisor->scratch.path) < 0) {
        terminate(supervisor);
        return;
    }
    press(supervisor, PRESS_STOP, STOP_SECONDS);
    launch_signal(&supervisor->launch, SIGUSR1); /* mpirun passes it on to all ranks */
}

/* Until ranks have come together they wait for each other in MPI, for a dead one for ever. Those on
 * other nodes are not seen. mpirun starts one after the other: while they grow more none is lost. */
static bool lost_a_rank(struct supervisor *supervisor)
{
    int stopped, ranks = launch_count_ranks(&supervisor->launch, &stopped);
    bool is_missing = ranks > 0 && ranks < supervisor->launch.local_ranks &&
                      ranks <= supervisor->most_ranks;
    supervisor->most_ranks = ranks > supervisor->most_ranks ? ranks : supervisor->most_ranks;
    supervisor->missing = is_missing ? supervisor->missing + LOOK_SECONDS : 0;
    supervisor->standing = stopped > 0 ? supervisor->standing + LOOK_SECONDS : 0;
    return supervisor->missing > LOSS_SECONDS || supervisor->standing > supervisor->job->silence;
}

/* The silence is counted in looks: time in which this process stood still too does not count. */
static void look_after_master(struct supervisor *supervisor)
{
    double bound = supervisor->job->silence;
    int64_t beat = launch_last_beat(supervisor->scratch.path);
    supervisor->silence = beat == supervisor->last_beat ? supervisor->silence + LOOK_SECONDS : 0;
    supervisor->last_beat = beat;
    if (bound == 0 || supervisor->pressure != PRESS_NOT)
        return;
    if (beat < 0 && lost_a_rank(supervisor))
        log_line(LOG_WARNING, "a rank was lost while all started");
    else if (supervisor->silence > (beat < 0 ? START_SECONDS : bound + GRACE_SECONDS))
        log_line(LOG_WARNING, "nothing was heard of the master for %.0f seconds",
                 supervisor->silence);
    else
        return;
    supervisor->gave_up = true;
    terminate(supervisor);
}

static bool read_status(const struct supervisor *supervisor, struct status *status)
{
    return status_read(supervisor->job->store_file, status) ||
           launch_read_end(supervisor->scratch.path, status);
}

static void look(struct supervisor *supervisor, double now)
{
    struct status status;
    if (now < supervisor->next_look || supervisor->has_status)
        return;
    supervisor->next_look = now + LOOK_SECONDS;
    if (!read_status(supervisor, &status)) {
        look_after_master(supervisor);
        return;
    }
    supervisor->has_status = true;
    supervisor->deadline = now + (status.together ? END_SECONDS : LEAVE_SECONDS);
}

static void beat(struct supervisor *supervisor, double now)
{
    if (now < supervisor->next_beat)
        return;
    supervisor->next_beat = now + BEAT_SECONDS;
    store_lock_beat(supervisor->lock);
}

static void escalate(struct supervisor *supervisor)
{
    if (supervisor->pressure < PRESS_TERM) {
        terminate(supervisor);
        return;
    }
    press(supervisor, PRESS_KILL, TERM_SECONDS);
    launch_signal_all(&supervisor->launch, SIGKILL);
}

static void watch_launch(struct supervisor *supervisor)
{
    supervisor->pressure = PRESS_NOT;
    supervisor->has_status = supervisor->gave_up = false;
    supervisor->last_beat = -1;
    supervisor->most_ranks = 0;
    supervisor->silence = supervisor->missing = supervisor->standing = 0;
    supervisor->deadline = INFINITY;
    supervisor->next_look = 0;
    for (;;) {
        double now = clock_seconds();
        launch_reap(&supervisor->launch);
        if (supervisor->launch.ended)
            return;
        if (supervisor->pressure == PRESS_NOT && stop_requests() > 0)
            ask_to_stop(supervisor);
        else if (supervisor->pressure == PRESS_STOP && stop_interrupts() > 1)
            terminate(supervisor);
        else if (now > supervisor->deadline)
            escalate(supervisor);
        look(supervisor, now);
        beat(supervisor, now);
        sleep_seconds(POLL_SECONDS);
    }
}

static const char *mpirun_of(const struct run_job *job)
{
    return job->mpirun != NULL ? job->mpirun : "mpirun";
}

static int run_launch(struct supervisor *supervisor, struct error *err)
{
    const struct run_job *job = supervisor->job;
    struct launch_setup setup = {
        .mpirun = mpirun_of(job),
        .ranks = supervisor->ranks,
        .scratch = supervisor->scratch.path,
        .verbose = job->verbose,
        .arguments = supervisor->arguments,
    };
    status_remove(job->store_file);
    if (launch_start(&setup, &supervisor->launch, err) != 0)
        return -1;
    watch_launch(supervisor);
    launch_clear(&supervisor->launch);
    return 0;
}

/* --- launches --- */

/* A figure that grows with each task tried or finished. */
static int64_t progress_of(const enum store_status *statuses, const uint8_t *attempts,
                           int32_t count)
{
    int64_t progress = 0;
    for (int32_t i = 0; i < count; i++)
        progress += attempts[i] + (statuses[i] != STORE_PENDING ? UINT8_MAX : 0);
    return progress;
}

/* What was saved in the launch that was lost is the next one's to go on from. */
static int renew_states(const struct supervisor *supervisor, struct error *err)
{
    const struct run_job *job = supervisor->job;
    struct store *store = store_open(job->store_file, STORE_READ, NULL, err);
    if (store == NULL)
        return -1;
    int failed = tasks_renew_states(job, supervisor->plan, store, supervisor->ranks - 1, err) != 0;
    store_close(store);
    return failed ? -1 : 0;
}

/* -1 when the store cannot be read. */
static int64_t measure_progress(const struct run_job *job, int32_t count, struct error *err)
{
    int64_t progress = -1;
    uint8_t *attempts = mem_zeroed((size_t)count, 1, err);
    enum store_status *statuses = mem_zeroed((size_t)count, sizeof *statuses, err);
    struct store *store = store_open(job->store_file, STORE_READ, NULL, err);
    if (attempts != NULL && statuses != NULL && store != NULL &&
        store_read_attempts(store, count, attempts, err) == 0 &&
        job_read_statuses(store, count, statuses, NULL, err) == 0)
        progress = progress_of(statuses, attempts, count);
    store_close(store);
    free(statuses);
    free(attempts);
    return progress;
}

static int give_up(const struct supervisor *supervisor, struct error *err)
{
    int wait_status = supervisor->launch.wait_status;
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
    error_set(err, ERROR_RESOURCE,
              "%d launches in a row ended without finishing a task (mpirun's last exit status: %d)",
              FRUITLESS_LAUNCHES, code);
    return RUN_SOME_FAILED;
}

/* Whether the launch that ended said how the whole run ends: *code is the exit status. */
static bool read_end(const struct supervisor *supervisor, int *code, struct error *err)
{
    struct status status;
    bool has_status = read_status(supervisor, &status);
    /* A master that wakes up when it is terminated takes that for a wish to stop. */
    bool is_lost = !has_status || status.code == STATUS_RELAUNCH ||
                   (supervisor->gave_up && status.code == RUN_RESUMABLE);
    if (!is_lost) {
        *code = status.code;
        *err = status.err;
        return true;
    }
    if (has_status && status.err.text[0] != '\0')
        log_line(LOG_WARNING, "%s", status.err.text);
    *code = RUN_RESUMABLE;
    return stop_requests() > 0;
}

static int run_launches(struct supervisor *supervisor, int32_t task_count, struct error *err)
{
    int fruitless = 0, code;
    int64_t before = measure_progress(supervisor->job, task_count, err);
    while (before >= 0 && fruitless < FRUITLESS_LAUNCHES) {
        if (run_launch(supervisor, err) != 0)
            return error_exit_status(err);
        if (read_end(supervisor, &code, err))
            return code;
        if (store_lock_check(supervisor->lock, err) != 0)
            return error_exit_status(err);
        int64_t after = measure_progress(supervisor->job, task_count, err);
        if (after < 0)
            break;
        fruitless = after > before ? 0 : fruitless + 1;
        before = after;
        log_line(LOG_WARNING, "the launch was lost%s",
                 fruitless < FRUITLESS_LAUNCHES ? "; launching again" : "");
        if (renew_states(supervisor, err) != 0)
            break;
    }
    return fruitless < FRUITLESS_LAUNCHES ? error_exit_status(err) : give_up(supervisor, err);
}

/* --- the run --- */

static int supervise(struct supervisor *supervisor, struct prepared *prepared, struct error *err)
{
    const struct run_job *job = supervisor->job;
    int32_t task_count = prepared->plan->task_count;
    supervisor->lock = prepared->lock;
    supervisor->plan = prepared->plan;
    if (scratch_create(&supervisor->scratch, err) != 0)
        return error_exit_status(err);
    int status = 1;
    if (launch_set_environment(store_identity(prepared->store), &supervisor->hosts,
                               supervisor->scratch.path, store_lock_generation(prepared->lock),
                               err) == 0) {
        store_lock_leave_writing(prepared->lock); /* the ranks' from here on */
        store_close(prepared->store);
        prepared->store = NULL;
        status = run_launches(supervisor, task_count, err);
    }
    scratch_remove(&supervisor->scratch);
    if (store_lock_check(supervisor->lock, NULL) == 0)
        status_remove(job->store_file);
    return status;
}

int run_supervise(const struct run_job *job, char *const *arguments, struct error *err)
{
    struct supervisor supervisor = {.job = job, .arguments = arguments};
    struct prepared prepared;
    int status = RUN_COMPLETE;
    stop_watch(job->seconds);
    if (launch_check(mpirun_of(job), err) != 0 || hosts_read(&supervisor.hosts, err) != 0 ||
        prepare_grid(job, &prepared, err) != 0 || prepare_store(job, &prepared, err) != 0)
        return prepare_exit_status(err);
    /* No more workers than there are tasks to do. */
    int workers = job->workers < prepared.to_do ? job->workers : prepared.to_do;
    supervisor.ranks = 1 + workers;
    if (prepare_states(job, workers, &prepared, err) != 0)
        return prepare_exit_status(err);
    if (prepared.to_do > 0)
        status = stop_requests() > 0 ? RUN_RESUMABLE : supervise(&supervisor, &prepared, err);
    if (status == RUN_COMPLETE)
        checkpoint_remove(job->store_file);
    prepare_finish(&prepared);
    return status;
}
