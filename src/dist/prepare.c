/* What is done once before a grid runs. The order matters: everything that can be wrong with the
 * input is found before the lock is taken, and the store is created last. */
#include "prepare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/shared_block.h"
#include "base/text.h"
#include "base/version.h"
#include "nn/network.h"
#include "status.h"
#include "stop.h"
#include "store/checkpoint.h"
#include "tasks.h"
#include "work/work.h"

#define KERNEL_MODE_FAKE "fake" /* of the fake executor: no results at all */

struct plan *prepare_plan(const struct run_job *job, struct grid *grid, struct error *err)
{
    struct plan_options options = {.data_folder = job->data_folder, .part = job->part};
    return plan_create(grid, &options, err);
}

/* --- rounding --- */

static int check_fake(const struct run_job *job, bool is_fake, struct error *err)
{
    if (is_fake == (job->fake != NULL))
        return 0;
    if (is_fake)
        return error_set(err, ERROR_USAGE,
                         "%s is a test's: nothing in it was trained (SWEEPSTAKE_FAKE was set); "
                         "give another file with --store",
                         job->store_file);
    return error_set(err, ERROR_USAGE,
                     "%s holds real results, and SWEEPSTAKE_FAKE is set: give another file with "
                     "--store",
                     job->store_file);
}

static int check_kernel_mode(const struct run_job *job, const struct store_identity *identity,
                             struct error *err)
{
    bool is_fake = strcmp(identity->kernel_mode, KERNEL_MODE_FAKE) == 0;
    enum net_kernels theirs;
    if (check_fake(job, is_fake, err) != 0)
        return -1;
    if (is_fake)
        return 0;
    if (work_read_kernel_mode(identity->kernel_mode, &theirs, err) != 0)
        return error_prefix(err, "%s was begun by sweepstake %s: go on with that; here",
                            job->store_file, identity->version);
    if (job->kernels == NULL || strcmp(job->kernels, net_kernels_name(theirs)) == 0)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s was begun with --kernels %s, and with --kernels %s results would round "
                     "differently: go on without that option, or give another file with --store",
                     job->store_file, net_kernels_name(theirs), job->kernels);
}

int prepare_rounding(const struct run_job *job, const struct store_identity *identity,
                     struct error *err)
{
    if (check_kernel_mode(job, identity, err) != 0)
        return -1;
    if (strcmp(identity->isa, kernels_isa()) != 0 && kernels_select(identity->isa, err) != 0)
        return error_prefix(err, "the store's results were computed with %s instructions",
                            identity->isa);
    if (strcmp(identity->blas_core, kernels_blas_core()) != 0)
        return error_set(err, ERROR_USAGE,
                         "the store's results were computed by OpenBLAS's %s kernels, here it uses "
                         "those for %s and would round differently: set OPENBLAS_CORETYPE=%s",
                         identity->blas_core, kernels_blas_core(), identity->blas_core);
    return 0;
}

int prepare_check_plan(const struct run_job *job, const struct plan *plan,
                       const struct store_identity *identity, struct error *err)
{
    if (strcmp(identity->plan_hash, plan->hash) == 0)
        return prepare_rounding(job, identity, err);
    return error_set(err, ERROR_USAGE,
                     "%s: the grid or its data changed while the run started, or are others on "
                     "this machine",
                     job->grid_file);
}

void prepare_tell(const struct run_job *job, const struct store_identity *identity)
{
    char threads[32] = "";
    if (job->threads > 1)
        snprintf(threads, sizeof threads, "; %d threads a worker", job->threads);
    log_line(LOG_INFO, "kernels: %s instructions, mode %s; OpenBLAS: %s%s", identity->isa,
             identity->kernel_mode, identity->blas_core, threads);
}

static void identify_kernels(const struct run_job *job, struct store_identity *identity)
{
    enum net_kernels kernels = NET_KERNELS_AUTO;
    if (job->kernels != NULL)
        net_kernels_named(job->kernels, &kernels);
    if (job->fake != NULL)
        text_copy(identity->kernel_mode, sizeof identity->kernel_mode, KERNEL_MODE_FAKE);
    else
        work_kernel_mode(kernels, identity->kernel_mode, sizeof identity->kernel_mode);
}

static void identify(const struct run_job *job, const struct prepared *prepared,
                     struct store_identity *identity)
{
    time_t now = time(NULL);
    struct tm utc;
    memset(identity, 0, sizeof *identity);
    text_copy(identity->name, sizeof identity->name, prepared->grid->name);
    strftime(identity->created, sizeof identity->created, "%Y-%m-%dT%H:%M:%SZ",
             gmtime_r(&now, &utc));
    text_copy(identity->version, sizeof identity->version, version_text());
    text_copy(identity->commit, sizeof identity->commit, version_commit());
    text_copy(identity->isa, sizeof identity->isa, kernels_isa());
    text_copy(identity->blas_core, sizeof identity->blas_core, kernels_blas_core());
    identify_kernels(job, identity);
    text_copy(identity->plan_hash, sizeof identity->plan_hash, prepared->plan->hash);
}

/* --- the store --- */

static int create_store(const struct run_job *job, struct prepared *prepared, struct error *err)
{
    struct store_identity identity;
    struct store_layout layout = {0};
    identify(job, prepared, &identity);
    if (work_layout_create(prepared->plan, &identity, &layout, err) != 0)
        return -1;
    int failed = store_create(job->store_file, &layout, err);
    work_layout_finish(&layout);
    return failed;
}

/* What would refuse the run afterwards is to refuse it before the store grows. The ranks that a
 * supervisor launches are given the BLAS core that the store wants. */
static int check_growth(const struct run_job *job, const struct store_identity *identity,
                        struct error *err)
{
    bool is_fake = job->fake != NULL;
    if (check_kernel_mode(job, identity, err) != 0)
        return -1;
    if (is_fake || job->workers > 1)
        return is_fake ? 0 : kernels_select(identity->isa, err);
    return prepare_rounding(job, identity, err);
}

struct keeper {
    struct store_lock *lock;
    double next_beat;
};

/* Copying may take long: the lock is kept alive, and a wish to stop is heard. */
static bool keep_lock(void *user, double row)
{
    struct keeper *keeper = user;
    double now = clock_seconds();
    (void)row;
    if (now >= keeper->next_beat) {
        store_lock_beat(keeper->lock);
        keeper->next_beat = now + 1;
    }
    return stop_requests() > 0;
}

static int grow_store(const struct run_job *job, const struct prepared *prepared,
                      struct store *store, struct error *err)
{
    struct keeper keeper = {.lock = prepared->lock};
    const struct work_hooks hooks = {.user = &keeper, .progress = keep_lock};
    struct work_growth growth;
    if (check_growth(job, store_identity(store), err) != 0 ||
        work_grow(prepared->plan, store, job->store_file, &hooks, &growth, err) != 0)
        return -1;
    log_line(LOG_INFO,
             "%s is extended: %lld of the grid's tasks are there (%lld are run again for what was "
             "not kept), %lld are new; %lld that it does not ask for are kept",
             job->store_file, (long long)growth.kept, (long long)growth.again,
             (long long)growth.fresh, (long long)growth.orphans);
    return 0;
}

/* A store of another grid becomes this one's. One of an older release is made anew with the columns
 * of this one where results are to be written (`writes`). */
static int fit_store(const struct run_job *job, const struct prepared *prepared, bool writes,
                     struct error *err)
{
    struct store *store = store_open(job->store_file, STORE_READ, NULL, err);
    if (store == NULL)
        return -1;
    int failed = 0;
    if (strcmp(store_identity(store)->plan_hash, prepared->plan->hash) != 0 ||
        (writes && !store_takes_results(store)))
        failed = grow_store(job, prepared, store, err);
    store_close(store);
    return failed ? -1 : 0;
}

/* Counts what is to do. *believable: no row has to be set back before the run. */
static int read_statuses(struct prepared *prepared, struct store *store, bool repair,
                         bool *believable, struct error *err)
{
    int32_t count = prepared->plan->task_count, torn = 0;
    enum store_status *statuses = mem_zeroed((size_t)count, sizeof *statuses, err);
    uint8_t *attempts = mem_zeroed((size_t)count, 1, err);
    int failed =
        statuses == NULL || attempts == NULL ||
        work_read_statuses(prepared->plan, store, repair, statuses, attempts, &torn, err) != 0;
    prepared->to_do = 0;
    *believable = torn == 0;
    for (int32_t i = 0; i < count && !failed; i++) {
        prepared->to_do += statuses[i] != STORE_DONE && statuses[i] != STORE_DIVERGED &&
                           statuses[i] != STORE_SKIPPED;
        *believable =
            *believable && statuses[i] != STORE_FAILED && statuses[i] != STORE_UNREACHABLE;
    }
    if (repair && torn > 0)
        log_line(LOG_WARNING, "%d results do not match their checksums and are run again", torn);
    free(statuses);
    free(attempts);
    return failed ? -1 : 0;
}

static int grant_try(const struct run_job *job, struct store *store, int32_t task,
                     struct error *err)
{
    struct store_result result;
    if (store_read_results(store, task, 1, &result, err) != 0)
        return -1;
    if (result.status != STORE_PENDING)
        return 0;
    return store_write_attempts(store, task, (uint8_t)(job->max_attempts - 1), err);
}

static int grant_tries(const struct run_job *job, const struct prepared *prepared,
                       struct error *err)
{
    int32_t count = prepared->plan->task_count;
    uint8_t *attempts = mem_zeroed((size_t)count, 1, err);
    int failed =
        attempts == NULL || store_read_attempts(prepared->store, count, attempts, err) != 0;
    for (int32_t i = 0; i < count && !failed; i++) {
        if (attempts[i] >= job->max_attempts)
            failed = grant_try(job, prepared->store, i, err) != 0;
    }
    free(attempts);
    return failed ? -1 : 0;
}

/* Looks first: a complete store need not be writable. */
static int look_at_store(const struct run_job *job, struct prepared *prepared, bool *believable,
                         struct error *err)
{
    struct store *store = store_open(job->store_file, STORE_READ, NULL, err);
    if (store == NULL)
        return -1;
    int failed = check_kernel_mode(job, store_identity(store), err) != 0 ||
                 read_statuses(prepared, store, false, believable, err) != 0;
    store_close(store);
    return failed ? -1 : 0;
}

static int open_for_writing(const struct run_job *job, struct prepared *prepared, bool believable,
                            struct error *err)
{
    if (fit_store(job, prepared, true, err) != 0)
        return -1;
    prepared->store = store_open(job->store_file, STORE_WRITE, NULL, err);
    if (prepared->store == NULL || work_take_places(prepared->plan, prepared->store, err) != 0 ||
        (!believable && read_statuses(prepared, prepared->store, true, &believable, err) != 0))
        return -1;
    return grant_tries(job, prepared, err);
}

static int open_store(const struct run_job *job, struct prepared *prepared, struct error *err)
{
    bool believable = true;
    store_discard_unfinished(job->store_file);
    if (access(job->store_file, F_OK) != 0 && errno == ENOENT) {
        if (create_store(job, prepared, err) != 0)
            return -1;
        prepared->to_do = prepared->plan->task_count;
        prepared->is_new = true;
    } else if (fit_store(job, prepared, false, err) != 0 ||
               look_at_store(job, prepared, &believable, err) != 0) {
        return -1;
    }
    if (prepared->to_do > 0)
        return open_for_writing(job, prepared, believable, err);
    log_line(LOG_INFO, "%s is complete: nothing to do", job->store_file);
    return 0;
}

/* What the environment says of how tasks are run. */
static int check_environment(const struct run_job *job, struct error *err)
{
    if (kernels_select(NULL, err) != 0)
        return -1;
    if (job->fake == NULL)
        return 0;
    if (executor_check_fake(job->fake, err) != 0)
        return error_prefix(err, "SWEEPSTAKE_FAKE");
    log_line(LOG_WARNING, "SWEEPSTAKE_FAKE is set: nothing is trained, the results are a test's");
    return 0;
}

int prepare_grid(const struct run_job *job, struct prepared *prepared, struct error *err)
{
    *prepared = (struct prepared){0};
    if (check_environment(job, err) != 0)
        return -1;
    prepared->grid = grid_read(job->grid_file, err);
    if (prepared->grid != NULL)
        prepared->plan = prepare_plan(job, prepared->grid, err);
    if (prepared->plan != NULL)
        return 0;
    prepare_finish(prepared);
    return -1;
}

int prepare_store(const struct run_job *job, struct prepared *prepared, struct error *err)
{
    prepared->lock = store_lock_take(job->store_file, err);
    if (prepared->lock != NULL)
        status_remove(job->store_file); /* a supervisor that was killed had no time to */
    if (prepared->lock != NULL && open_store(job, prepared, err) == 0)
        return 0;
    prepare_finish(prepared);
    return -1;
}

int prepare_states(const struct run_job *job, int workers, struct prepared *prepared,
                   struct error *err)
{
    if (prepared->to_do == 0)
        checkpoint_remove(job->store_file); /* of no use any more */
    if (prepared->to_do == 0 ||
        tasks_renew_states(job, prepared->plan, prepared->store, workers, err) == 0)
        return 0;
    if (prepared->is_new)
        unlink(job->store_file);
    prepare_finish(prepared);
    return -1;
}

int prepare_exit_status(const struct error *err)
{
    bool stopped = err->class == ERROR_RESOURCE && stop_requests() > 0;
    return stopped ? RUN_RESUMABLE : error_exit_status(err);
}

void prepare_finish(struct prepared *prepared)
{
    shared_block_clear(); /* what killed trainers left on this node */
    store_close(prepared->store);
    store_lock_release(prepared->lock);
    plan_destroy(prepared->plan);
    grid_destroy(prepared->grid);
    *prepared = (struct prepared){0};
}
