/* Owns the measuring of what a grid costs: what the store has of it, the seconds left, and how they
 * fall with the workers, played in virtual time. */
#include "figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "estimate.h"
#include "store/checkpoint.h"
#include "store/store.h"
#include "work/speed.h"

/* Ranks that are busy for less of the time are not worth their price. */
#define WORTH_UTILISATION 0.75

static void count_status(struct plan_figures *figures, enum store_status status)
{
    figures->done += status == STORE_DONE;
    figures->diverged += status == STORE_DIVERGED;
    figures->failed += status == STORE_FAILED;
    figures->skipped += status == STORE_SKIPPED;
    figures->unreachable += status == STORE_UNREACHABLE;
}

/* `to_run`: [tasks]. */
static int count_statuses(const struct plan *plan, struct store *store,
                          struct plan_figures *figures, bool *to_run, struct error *err)
{
    size_t count = (size_t)plan->task_count;
    enum store_status *statuses = mem_zeroed(count, sizeof *statuses, err);
    uint8_t *attempts = mem_zeroed(count, 1, err);
    int32_t torn;
    int failed = statuses == NULL || attempts == NULL;
    if (!failed && figures->extends)
        failed = work_foresee_growth(plan, store, statuses, &figures->growth, err) != 0;
    else if (!failed)
        failed = work_read_statuses(plan, store, false, statuses, attempts, &torn, err) != 0;
    for (int32_t i = 0; i < plan->task_count && !failed; i++) {
        count_status(figures, statuses[i]);
        to_run[i] = work_is_to_run(statuses[i]);
    }
    free(statuses);
    free(attempts);
    return failed ? -1 : 0;
}

static int read_store(const struct plan *plan, const char *path, struct plan_figures *figures,
                      bool *to_run, struct error *err)
{
    struct store *store = store_open(path, STORE_READ, NULL, err);
    if (store == NULL)
        return -1;
    struct stat file = {0};
    stat(path, &file);
    figures->old_bytes = (int64_t)file.st_size;
    figures->extends = strcmp(store_identity(store)->plan_hash, plan->hash) != 0;
    int failed = count_statuses(plan, store, figures, to_run, err);
    figures->store_bytes = figures->extends ? figures->growth.bytes : figures->old_bytes;
    store_close(store);
    return failed;
}

/* Without mishaps. */
static int simulate(const struct sched_workload *work, int32_t workers,
                    struct sched_forecast *forecast, struct error *err)
{
    struct sched_conditions calm = {.workers = workers, .max_attempts = 1};
    return sched_simulate(work, &calm, forecast, err);
}

/* How the time falls with the workers, around the number that is worth asking for. */
static int measure_scales(const struct sched_workload *work, struct plan_figures *figures,
                          struct error *err)
{
    struct sched_forecast forecast;
    if (sched_workers_worth(work, WORTH_UTILISATION, &figures->worth, err) != 0)
        return -1;
    for (int octave = -FIGURES_HALVINGS; octave <= FIGURES_DOUBLINGS; octave++) {
        double workers = floor(ldexp(figures->worth, octave));
        if (workers < 1 || workers > work->count)
            continue;
        if (simulate(work, (int32_t)workers, &forecast, err) != 0)
            return -1;
        int at = figures->scale_count++;
        figures->scales[at].workers = (int32_t)workers;
        figures->scales[at].makespan = forecast.makespan;
        figures->scales[at].utilisation = forecast.utilisation;
    }
    return 0;
}

static int measure_what_is_left(const struct plan *plan, const bool *to_run,
                                double seconds_per_operation, struct plan_figures *figures,
                                struct error *err)
{
    struct estimate estimate;
    struct sched_forecast forecast;
    for (int32_t i = 0; i < plan->task_count; i++)
        figures->to_run += to_run[i];
    int failed = estimate_init(&estimate, plan, to_run, seconds_per_operation, err) != 0 ||
                 sched_measure_extent(&estimate.work, &figures->left, err) != 0 ||
                 measure_scales(&estimate.work, figures, err) != 0;
    if (figures->workers == 0)
        figures->workers = figures->worth;
    failed = failed || simulate(&estimate.work, figures->workers, &forecast, err) != 0;
    if (!failed)
        figures->makespan_seconds = forecast.makespan;
    estimate_finish(&estimate);
    return failed ? -1 : 0;
}

int figures_measure(const struct plan *plan, const char *store, enum net_kernels kernels,
                    int workers, struct plan_figures *figures, struct error *err)
{
    double seconds_per_operation;
    int64_t store_bytes;
    bool *to_run = mem_zeroed((size_t)plan->task_count, sizeof *to_run, err);
    int failed = to_run == NULL || work_measure_speed(plan, &seconds_per_operation, err) != 0 ||
                 work_store_bytes(plan, &store_bytes, err) != 0;
    if (!failed) {
        *figures = (struct plan_figures){
            .experiments = plan->grid->experiment_count,
            .points = plan->point_count,
            .tasks = plan->task_count,
            .unshared_tasks = plan->unshared_tasks,
            .core_seconds = plan->cost * seconds_per_operation,
            .unshared_core_seconds = plan->unshared_cost * seconds_per_operation,
            .store_bytes = store_bytes,
            .memory_bytes = plan_memory_bytes(plan, kernels),
            .workers = workers,
        };
        memset(to_run, true, (size_t)plan->task_count * sizeof *to_run);
        failed = store != NULL && read_store(plan, store, figures, to_run, err) != 0;
    }
    failed = failed ||
             measure_what_is_left(plan, to_run, seconds_per_operation, figures, err) != 0 ||
             plan_data_bytes(plan, figures->workers, &figures->data_bytes, err) != 0;
    if (!failed)
        figures->states_bytes = checkpoint_file_bytes(figures->workers, work_state_bytes(plan));
    free(to_run);
    return failed ? -1 : 0;
}
