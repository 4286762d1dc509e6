/* This process as a rank of a launch: rank 0 is the master, the others work.
 *
 * Start: collective, every local step followed by agreement on its error. Then no rank calls
 * anything collective until the end, which is collective again when no rank died; else nobody
 * closes anything and all leave by _exit.
 *
 * Under a supervisor (SUPERVISED_VARIABLE) the store stands already and the supervisor has the
 * lock; rank 0 leaves the exit status in a file and all ranks return 0, since mpirun takes other
 * statuses for a failure. Without one (plain mpirun) rank 0 prepares, tells job->end and returns
 * the status. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agree.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "dist/run.h"
#include "environment.h"
#include "job.h"
#include "launch.h"
#include "master.h"
#include "prepare.h"
#include "remote.h"
#include "status.h"
#include "stop.h"
#include "store/checkpoint.h"
#include "tasks.h"
#include "worker.h"

#define FLUSH_SECONDS 2.0

struct rank {
    const struct run_job *job;
    int number, count;
    const char *scratch;      /* the supervisor's folder; NULL = no supervisor */
    struct prepared prepared; /* of rank 0: grid, plan, and the lock, taken or joined */
    struct store *store;
    struct tasks *tasks;      /* of a worker */
    struct executor executor; /* of a worker: runs them */
    struct peer *peers;
    bool nothing_to_do, together;
};

bool run_is_rank(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        if (getenv(variables[i]) != NULL)
            return true;
    }
    return false;
}

/* --- the start --- */

/* Rank 0's part: the grid's text, and without a supervisor everything a supervisor does first. */
static int begin_master(struct rank *rank, struct error *err)
{
    struct prepared *prepared = &rank->prepared;
    if (rank->scratch != NULL) {
        const char *generation = getenv(GENERATION_VARIABLE);
        prepared->lock =
            store_lock_join(rank->job->store_file, generation == NULL ? "" : generation, err);
        if (prepared->lock != NULL)
            prepared->grid = grid_read(rank->job->grid_file, err);
        return prepared->grid == NULL ? -1 : 0;
    }
    if (prepare_grid(rank->job, prepared, err) != 0 ||
        prepare_store(rank->job, prepared, err) != 0 ||
        prepare_states(rank->job, rank->count - 1, prepared, err) != 0)
        return -1;
    rank->nothing_to_do = prepared->to_do == 0;
    store_close(prepared->store); /* to be opened by all ranks together */
    prepared->store = NULL;
    return 0;
}

/* Rank 0 as master. */
static int check_master(struct rank *rank, struct error *err)
{
    struct prepared *prepared = &rank->prepared;
    const struct store_identity *identity = store_identity(rank->store);
    if (prepared->plan == NULL)
        prepared->plan = prepare_plan(rank->job, prepared->grid, err);
    if (prepared->plan == NULL || prepare_check_plan(rank->job, prepared->plan, identity, err) != 0)
        return -1;
    prepare_tell(rank->job, identity);
    return work_take_places(prepared->plan, rank->store, err);
}

/* Rank 0 has no seat: it shares a core with whom it finds there. Collective. */
static struct seat find_seat(void)
{
    MPI_Comm node;
    int number, least;
    struct seat seat;
    MPI_Comm_rank(MPI_COMM_WORLD, &number);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, number, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &seat.index);
    MPI_Comm_size(node, &seat.workers);
    MPI_Allreduce(&number, &least, 1, MPI_INT, MPI_MIN, node);
    MPI_Comm_free(&node);
    if (least > 0)
        return seat;
    return (struct seat){seat.index - 1, seat.workers - 1};
}

/* All plan from one text: what a node's own copy of the grid says does not matter. Collective. */
static int check_ranks(struct rank *rank, struct error *err)
{
    const struct grid *grid = rank->prepared.grid;
    char *text = grid != NULL ? grid->text : NULL;
    size_t length = grid != NULL ? grid->text_length : 0;
    if (agree_on_text(&text, &length, err) != 0)
        return -1;
    const struct seat seat = find_seat();
    rank->peers = mem_zeroed((size_t)rank->count, sizeof *rank->peers, err);
    int failed = rank->peers == NULL;
    if (!failed)
        failed = rank->number == 0 ? check_master(rank, err) != 0
                                   : tasks_begin(rank->tasks, rank->number - 1, seat, text, length,
                                                 &rank->executor, err) != 0;
    if (grid == NULL)
        free(text);
    return agree_on_error(failed != 0, err);
}

/* Collective. */
static int start(struct rank *rank, struct error *err)
{
    MPI_Comm world = MPI_COMM_WORLD;
    bool failed = rank->number == 0 && begin_master(rank, err) != 0;
    if (agree_on_error(failed, err) != 0)
        return -1;
    rank->nothing_to_do = agree_on_number(rank->nothing_to_do) != 0;
    if (rank->nothing_to_do)
        return 0;
    rank->store = store_open(rank->job->store_file, STORE_WRITE, &world, err);
    if (agree_on_error(rank->store == NULL, err) != 0) {
        rank->together = false; /* some may have opened it, and could not close it alone */
        return -1;
    }
    if (check_ranks(rank, err) != 0)
        return -1;
    agree_on_peers(rank->peers);
    return 0;
}

/* --- between start and end --- */

/* For the supervisor, which has the lock, or for the lock. */
static void beat(void *user)
{
    const struct rank *rank = user;
    if (rank->scratch != NULL)
        launch_beat(rank->scratch);
    else
        store_lock_beat(rank->prepared.lock);
}

static int run_master(struct rank *rank, struct master_end *end, struct error *err)
{
    struct worker_place *places = mem_zeroed((size_t)rank->count, sizeof *places, err);
    struct channel channel;
    struct remote *remote =
        remote_open(rank->peers, rank->count, rank->prepared.plan->task_count, &channel, err);
    *end = (struct master_end){0};
    int failed = places == NULL || remote == NULL ||
                 environment_record(rank->store, rank->peers, rank->count, places, err) != 0 ||
                 (rank->scratch != NULL && launch_report_ready(rank->scratch, err) != 0);
    if (!failed) {
        struct master_setup setup = {
            .plan = rank->prepared.plan,
            .store = rank->store,
            .lock = rank->prepared.lock,
            .channel = &channel,
            .limits = {.max_attempts = rank->job->max_attempts,
                       .silence = rank->job->silence,
                       .ahead = sched_ahead(rank->job->silence, channel.workers)},
            .places = places + 1, /* rank 0's own is not asked for */
            .show = rank->job->show,
            .show_user = rank->job->show_user,
            .beat = beat,
            .beat_user = rank,
        };
        failed = master_run(&setup, end, err) != 0;
    }
    /* What is still under way keeps its memory: MPI reads it. */
    if (remote != NULL && remote_flush(remote, FLUSH_SECONDS))
        remote_close(remote);
    free(places);
    return failed ? -1 : 0;
}

static void run_worker(struct rank *rank)
{
    struct worker_setup setup = {
        .executor = &rank->executor,
        .task_count = (int32_t)store_task_count(rank->store),
        .number = rank->number - 1,
        .workers = rank->count - 1,
        .master = &rank->peers[0],
        .silence = rank->job->silence,
    };
    worker_run(&setup, &rank->together);
}

/* Returns the launch's exit status, or STATUS_RELAUNCH; workers return 0. */
static int run_started(struct rank *rank, struct error *err)
{
    struct master_end end;
    if (rank->number > 0) {
        run_worker(rank);
        return 0;
    }
    int failed = run_master(rank, &end, err);
    rank->together = !failed && end.together;
    if (failed)
        return job_failure_status(err);
    if (rank->scratch == NULL && end.verdict == MASTER_COMPLETE)
        checkpoint_remove(rank->job->store_file);
    return end.verdict == MASTER_NO_WORKERS ? STATUS_RELAUNCH : job_status(end.verdict);
}

/* --- the end --- */

/* Where another run has the store, its supervisor must not read how this one ended. */
static void tell_supervisor(const struct rank *rank, const struct status *status)
{
    struct error trouble = {0};
    if (rank->prepared.lock == NULL || store_lock_check(rank->prepared.lock, &trouble) != 0)
        log_line(LOG_ERROR, "%s", status->err.text);
    else if (status_write(rank->job->store_file, status, &trouble) != 0 &&
             launch_report_end(rank->scratch, status, &trouble) != 0)
        log_line(LOG_ERROR, "%s", trouble.text);
}

/* Rank 0 says how it ended, once. */
static int report(const struct rank *rank, int code, const struct error *err)
{
    struct status status = {.code = code, .together = rank->together, .err = *err};
    if (rank->number > 0)
        return 0;
    if (rank->scratch != NULL) {
        tell_supervisor(rank, &status);
        return 0;
    }
    return code == STATUS_RELAUNCH ? RUN_RESUMABLE : code;
}

static void tell_end(const struct rank *rank, int status, const struct error *err)
{
    const struct run_job *job = rank->job;
    if (rank->number == 0 && rank->scratch == NULL && job->end != NULL)
        job->end(job->end_user, status, err);
}

static void release(struct rank *rank)
{
    if (rank->executor.destroy != NULL)
        rank->executor.destroy(rank->executor.self);
    tasks_end(rank->tasks);
    store_close(rank->store);
    prepare_finish(&rank->prepared);
    free(rank->peers);
}

/* Ranks that may wait for a dead one in any collective call: not one more of those. */
static void leave_at_once(struct rank *rank, int status, const struct error *err)
{
    store_lock_release(rank->prepared.lock);
    tell_end(rank, status, err);
    fflush(NULL);
    _exit(status);
}

/* What a start lacked (memory, a process that was killed) the next one may have. */
static int start_status(const struct rank *rank, const struct error *err)
{
    bool is_worth_another = rank->scratch != NULL && err->class == ERROR_RESOURCE;
    return is_worth_another && stop_requests() == 0 ? STATUS_RELAUNCH : prepare_exit_status(err);
}

static int run_ranks(struct rank *rank, struct error *err)
{
    int code;
    rank->together = true;
    if (start(rank, err) != 0)
        code = start_status(rank, err);
    else
        code = rank->nothing_to_do ? RUN_COMPLETE : run_started(rank, err);
    int status = report(rank, code, err);
    if (!rank->together)
        leave_at_once(rank, status, err);
    release(rank);
    return status;
}

/* Of Open MPI's two ways to files OMPIO makes others beside the store and in /dev/shm, which stay
 * when a rank is killed; so does looking for shared memory by name. The user's choice goes first.
 */
static void choose_mpi_parts(void)
{
    setenv("OMPI_MCA_io", "^ompio", 0);
    setenv("OMPI_MCA_shmem", "mmap", 0);
}

int run_rank(const struct run_job *job, struct error *err)
{
    struct rank rank = {.job = job, .scratch = getenv(SUPERVISED_VARIABLE)};
    int status;
    stop_watch(rank.scratch == NULL ? job->seconds : 0);
    choose_mpi_parts();
    rank.tasks = tasks_start(job, NULL, err); /* rank 0 is not known yet */
    if (rank.tasks == NULL)
        return error_exit_status(err);
    if (MPI_Init(NULL, NULL) != MPI_SUCCESS) {
        error_set(err, ERROR_RESOURCE, "MPI_Init failed");
        return 1;
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank.number);
    MPI_Comm_size(MPI_COMM_WORLD, &rank.count);
    if (rank.number == 0) {
        tasks_end(rank.tasks);
        rank.tasks = NULL;
    }
    status = rank.count > 1 ? run_ranks(&rank, err) : run_single(job, err);
    tell_end(&rank, status, err);
    MPI_Finalize();
    return status;
}
