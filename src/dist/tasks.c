/* Tasks in processes of their own. What a trainer needs is made in the keeper: the plan, a store of
 * its own (opened without MPI: payloads are independent raw writes, whoever makes them), the place
 * for saved states, and the executor. */
#include "tasks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "job.h"
#include "nn/network.h"
#include "prepare.h"
#include "store/checkpoint.h"

/* Of the silence after which a worker is given up: its task is ended first, and the worker stays.
 */
#define STANDSTILL_SHARE 0.75

struct tasks {
    const struct run_job *job;
    struct isolation *isolation;
    /* The keeper's. */
    struct grid *grid;
    struct plan *plan;
    struct store *store;
    struct work_saving saving;
};

/* What is sent to the keeper; the grid's text follows. */
struct beginning {
    int32_t slot;
    struct seat seat;
};

static bool saves_states(const struct run_job *job)
{
    return job->save_every > 0 && job->fake == NULL;
}

/* --- in the keeper --- */

static int make_plan(struct tasks *tasks, const char *text, size_t length, struct error *err)
{
    if (tasks->plan != NULL)
        return 0;
    tasks->grid = grid_parse(tasks->job->grid_file, text, length, err);
    if (tasks->grid != NULL)
        tasks->plan = prepare_plan(tasks->job, tasks->grid, err);
    return tasks->plan == NULL ? -1 : 0;
}

static int open_store(struct tasks *tasks, struct error *err)
{
    tasks->store = store_open(tasks->job->store_file, STORE_WRITE, NULL, err);
    if (tasks->store == NULL ||
        prepare_check_plan(tasks->job, tasks->plan, store_identity(tasks->store), err) != 0)
        return -1;
    return work_take_places(tasks->plan, tasks->store, err);
}

static int open_states(struct tasks *tasks, int32_t slot, struct error *err)
{
    if (!saves_states(tasks->job))
        return 0;
    tasks->saving.every = tasks->job->save_every;
    tasks->saving.checkpoint = checkpoint_open(tasks->job->store_file, slot, err);
    return tasks->saving.checkpoint == NULL ? -1 : 0;
}

static int make_executor(const struct tasks *tasks, struct executor *executor, struct error *err)
{
    const struct run_job *job = tasks->job;
    const struct work_saving *saving = saves_states(job) ? &tasks->saving : NULL;
    kernels_use_threads(job->threads);
    if (job->fake != NULL)
        return executor_create_fake(executor, job->fake, tasks->plan, tasks->store, getppid(), err);
    return executor_create_real(executor, tasks->plan, tasks->store, saving, err);
}

static int make(void *user, const void *bytes, size_t size, struct executor *executor,
                struct error *err)
{
    struct tasks *tasks = user;
    const struct beginning *beginning = bytes;
    const char *text = (const char *)bytes + sizeof *beginning;
    pin_self(beginning->seat, tasks->job->threads);
    if (make_plan(tasks, text, size - sizeof *beginning, err) != 0 || open_store(tasks, err) != 0 ||
        open_states(tasks, beginning->slot, err) != 0)
        return -1;
    return make_executor(tasks, executor, err);
}

/* --- in the front --- */

struct tasks *tasks_start(const struct run_job *job, struct plan *plan, struct error *err)
{
    struct tasks *tasks = mem_zeroed(1, sizeof *tasks, err);
    if (tasks == NULL)
        return NULL;
    tasks->job = job;
    tasks->plan = plan;
    struct isolation_setup setup = {
        .user = tasks,
        .make = make,
        .limits = {.seconds = job->task_seconds,
                   .standstill = job->silence * STANDSTILL_SHARE,
                   .memory = (int64_t)(job->task_gigabytes * 1e9)},
    };
    tasks->isolation = isolation_start(&setup, err);
    if (tasks->isolation != NULL)
        return tasks;
    free(tasks);
    return NULL;
}

int tasks_begin(struct tasks *tasks, int32_t slot, struct seat seat, const char *text,
                size_t length, struct executor *executor, struct error *err)
{
    struct beginning beginning = {.slot = slot, .seat = seat};
    char *bytes = mem_zeroed(sizeof beginning + length, 1, err);
    if (bytes == NULL)
        return -1;
    memcpy(bytes, &beginning, sizeof beginning);
    if (length > 0)
        memcpy(bytes + sizeof beginning, text, length);
    int failed = isolation_begin(tasks->isolation, bytes, sizeof beginning + length, executor, err);
    free(bytes);
    return failed;
}

void tasks_end(struct tasks *tasks)
{
    if (tasks == NULL)
        return;
    isolation_end(tasks->isolation);
    free(tasks);
}

/* --- saved states --- */

static int list_keys(const struct plan *plan, struct store *store, struct hash128 *keys,
                     int32_t *count, struct error *err)
{
    enum store_status *statuses = mem_zeroed((size_t)plan->task_count, sizeof *statuses, err);
    *count = 0;
    if (statuses == NULL || job_read_statuses(store, plan->task_count, statuses, NULL, err) != 0) {
        free(statuses);
        return -1;
    }
    for (int32_t i = 0; i < plan->task_count; i++) {
        if (work_is_to_run(statuses[i]))
            keys[(*count)++] = plan->tasks[i].key;
    }
    free(statuses);
    return 0;
}

int tasks_renew_states(const struct run_job *job, const struct plan *plan, struct store *store,
                       int workers, struct error *err)
{
    if (!saves_states(job))
        return 0;
    struct hash128 *keys = mem_zeroed((size_t)plan->task_count, sizeof *keys, err);
    struct checkpoint_setup setup = {
        .store_file = job->store_file,
        .identity = store_identity(store),
        .slots = workers,
        .slot_bytes = work_state_bytes(plan),
        .keys = keys,
    };
    int failed = keys == NULL || list_keys(plan, store, keys, &setup.key_count, err) != 0;
    if (!failed && checkpoint_renew(&setup, err) != 0)
        failed = error_prefix(err, "states of running tasks cannot be saved (--save-every 0 does "
                                   "without)");
    free(keys);
    return failed ? -1 : 0;
}
