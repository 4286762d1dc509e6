/* sweepstake plan: what a grid would run, what is shared, what it costs. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "command.h"
#include "dist/run.h"
#include "plan/plan.h"
#include "store/store.h"
#include "work/speed.h"
#include "work/work.h"

struct plan_options_given {
    const char *grid, *store, *data, *format;
    int workers;
};

/* What is printed, as numbers. */
struct plan_figures {
    int64_t experiments, points, tasks, unshared_tasks;
    int64_t done, diverged, failed, todo; /* by the store; todo = tasks without one */
    double core_seconds, unshared_core_seconds, left_core_seconds, longest_seconds,
        makespan_seconds;
    int64_t store_bytes, memory_bytes;
    int workers;
};

static enum options_result read_options(const struct command *command, int argc, char **argv,
                                        struct plan_options_given *given)
{
    const struct option_row rows[] = {
        {"store", OPTION_TEXT, "FILE", "say what this store has already", &given->store, 0, 0},
        {"data", OPTION_TEXT, "FOLDER", "where datasets are (default: $SWEEPSTAKE_DATA)",
         &given->data, 0, 0},
        {"workers", OPTION_INTEGER, "N", "how long it takes on N workers (default 2)",
         &given->workers, 1, 1000000},
        {"format", OPTION_TEXT, "FORMAT", "text (default) or json", &given->format, 0, 0},
    };
    return options_read(command, rows, sizeof rows / sizeof *rows, argc, argv, &given->grid, 1);
}

/* --- figures --- */

static int count_done(const struct plan *plan, struct store *store, struct plan_figures *figures,
                      struct error *err)
{
    size_t count = (size_t)plan->task_count;
    enum store_status *statuses = mem_zeroed(count, sizeof *statuses, err);
    uint8_t *attempts = mem_zeroed(count, 1, err);
    int32_t torn;
    int failed = statuses == NULL || attempts == NULL ||
                 work_read_statuses(plan, store, false, statuses, attempts, &torn, err) != 0;
    double left = 0;
    for (int32_t i = 0; i < plan->task_count && !failed; i++) {
        figures->done += statuses[i] == STORE_DONE;
        figures->diverged += statuses[i] == STORE_DIVERGED;
        figures->failed += statuses[i] == STORE_FAILED;
        bool to_run = statuses[i] == STORE_PENDING || statuses[i] == STORE_FAILED;
        figures->todo += to_run;
        left += to_run ? plan->tasks[i].cost : 0;
    }
    figures->left_core_seconds *= plan->cost > 0 ? left / plan->cost : 0;
    free(statuses);
    free(attempts);
    return failed ? -1 : 0;
}

static int read_store(const struct plan *plan, const char *path, struct plan_figures *figures,
                      struct error *err)
{
    struct store *store = store_open(path, STORE_READ, NULL, err);
    if (store == NULL)
        return -1;
    int failed = -1;
    if (strcmp(store_identity(store)->plan_hash, plan->hash) != 0)
        error_set(err, ERROR_USAGE, "%s: holds another grid ('%s'); give the store of this grid",
                  path, store_identity(store)->name);
    else
        failed = count_done(plan, store, figures, err);
    store_close(store);
    return failed;
}

static int measure(const struct plan *plan, const struct plan_options_given *given,
                   struct plan_figures *figures, struct error *err)
{
    double seconds_per_operation;
    struct store_layout layout = {0};
    struct store_identity identity = {0};
    if (work_measure_speed(plan, &seconds_per_operation, err) != 0 ||
        work_layout_create(plan, &identity, &layout, err) != 0)
        return -1;
    *figures = (struct plan_figures){
        .experiments = plan->grid->experiment_count,
        .points = plan->point_count,
        .tasks = plan->task_count,
        .unshared_tasks = plan->unshared_tasks,
        .todo = given->store == NULL ? plan->task_count : 0,
        .core_seconds = plan->cost * seconds_per_operation,
        .unshared_core_seconds = plan->unshared_cost * seconds_per_operation,
        .left_core_seconds = plan->cost * seconds_per_operation,
        .longest_seconds = plan_critical_cost(plan) * seconds_per_operation,
        .makespan_seconds = plan_makespan_cost(plan, given->workers) * seconds_per_operation,
        .store_bytes = store_layout_bytes(&layout),
        .memory_bytes = plan_memory_bytes(plan),
        .workers = given->workers,
    };
    work_layout_finish(&layout);
    return given->store != NULL ? read_store(plan, given->store, figures, err) : 0;
}

/* --- printing --- */

static void print_text(const struct plan *plan, const struct plan_options_given *given,
                       const struct plan_figures *figures)
{
    char time[32], other[32], bytes[32];
    printf("%s: %lld experiments, %lld points, %lld tasks (training runs)\n", plan->grid->name,
           (long long)figures->experiments, (long long)figures->points, (long long)figures->tasks);
    printf("  sharing      saves %lld of %lld training runs (%.0f%% of the work)\n",
           (long long)(figures->unshared_tasks - figures->tasks),
           (long long)figures->unshared_tasks,
           plan->unshared_cost > 0 ? 100 * (1 - plan->cost / plan->unshared_cost) : 0.0);
    if (given->store != NULL)
        printf("  in %s: %lld done, %lld diverged, %lld failed, %lld to run\n", given->store,
               (long long)figures->done, (long long)figures->diverged, (long long)figures->failed,
               (long long)figures->todo);
    printf(
        "  work         about %.2f core-hours (%s on one core; estimated from steps timed here)\n",
        figures->left_core_seconds / 3600,
        text_duration(time, sizeof time, figures->left_core_seconds));
    printf("  time         about %s on %d workers; the longest chain takes %s\n",
           text_duration(time, sizeof time, figures->makespan_seconds), figures->workers,
           text_duration(other, sizeof other, figures->longest_seconds));
    printf("  store        %s\n", text_bytes(bytes, sizeof bytes, (double)figures->store_bytes));
    printf("  memory       %s a worker\n",
           text_bytes(bytes, sizeof bytes, (double)figures->memory_bytes));
}

static void print_json(const struct plan *plan, const struct plan_figures *figures)
{
    struct text name = {0};
    text_add_json(&name, plan->grid->name);
    printf("{\"name\": %s, \"experiments\": %lld, \"points\": %lld, \"tasks\": %lld, "
           "\"unshared_tasks\": %lld, \"done\": %lld, \"diverged\": %lld, \"failed\": %lld, "
           "\"to_run\": %lld, ",
           name.bytes, (long long)figures->experiments, (long long)figures->points,
           (long long)figures->tasks, (long long)figures->unshared_tasks, (long long)figures->done,
           (long long)figures->diverged, (long long)figures->failed, (long long)figures->todo);
    printf("\"core_hours\": %.6g, \"unshared_core_hours\": %.6g, \"core_hours_left\": %.6g, "
           "\"longest_chain_seconds\": %.6g, \"workers\": %d, \"makespan_seconds\": %.6g, "
           "\"store_bytes\": %lld, \"memory_bytes\": %lld}\n",
           figures->core_seconds / 3600, figures->unshared_core_seconds / 3600,
           figures->left_core_seconds / 3600, figures->longest_seconds, figures->workers,
           figures->makespan_seconds, (long long)figures->store_bytes,
           (long long)figures->memory_bytes);
    text_finish(&name);
}

static int plan_grid(const struct grid *grid, const struct plan_options_given *given,
                     struct error *err)
{
    struct plan_options options = {.data_folder = given->data};
    struct plan *plan = plan_create(grid, &options, err);
    if (plan == NULL)
        return -1;
    struct plan_figures figures;
    int failed = measure(plan, given, &figures, err);
    if (!failed && strcmp(given->format, "json") == 0)
        print_json(plan, &figures);
    else if (!failed)
        print_text(plan, given, &figures);
    plan_destroy(plan);
    return failed;
}

static int run_plan(const struct command *command, int argc, char **argv)
{
    struct plan_options_given given = {.format = "text", .workers = 2};
    enum options_result read = read_options(command, argc, argv, &given);
    if (read != OPTIONS_GO_ON)
        return read == OPTIONS_WRONG ? STATUS_USAGE : 0;
    if (strcmp(given.format, "text") != 0 && strcmp(given.format, "json") != 0) {
        fprintf(stderr, "sweepstake plan: --format '%s': expected text or json\n", given.format);
        return STATUS_USAGE;
    }
    struct error err = {0};
    struct grid *grid = grid_read(given.grid, &err);
    if (grid == NULL)
        return command_fail(&err);
    int failed = plan_grid(grid, &given, &err);
    grid_destroy(grid);
    return failed ? command_fail(&err) : 0;
}

const struct command command_plan = {
    .name = "plan",
    .operands = "GRID",
    .summary = "What a grid would run: tasks, what is shared, time, space",
    .details =
        "Nothing is trained or written. Core-hours are estimated from a few steps timed here.\n",
    .run = run_plan,
};
