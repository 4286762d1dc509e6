/* sweepstake plan: what a grid would run, what is shared, what it costs. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "command.h"
#include "figures.h"
#include "part.h"

struct plan_options_given {
    const char *grid, *store, *data, *format, *kernels_name, *part_text;
    struct plan_part part;
    enum net_kernels kernels;
    int workers, threads;
};

static enum options_result read_options(const struct command *command, int argc, char **argv,
                                        struct plan_options_given *given)
{
    const struct option_row rows[] = {
        {"store", OPTION_TEXT, "FILE", "say what this store has already, and what it would become",
         &given->store, 0, 0},
        {"data", OPTION_TEXT, "FOLDER", "where datasets are (default: $SWEEPSTAKE_DATA)",
         &given->data, 0, 0},
        {"part", OPTION_TEXT, "N/K", PART_HELP, &given->part_text, 0, 0},
        {"workers", OPTION_INTEGER, "N", "how long it takes on N workers (default 2)",
         &given->workers, 1, 1000000},
        {"threads", OPTION_INTEGER, "N", "on N cores each (default 1)", &given->threads, 1,
         NET_MOST_THREADS},
        {"kernels", OPTION_TEXT, "HOW",
         "memory when run with --kernels dense, sparse or auto (default)", &given->kernels_name, 0,
         0},
        {"format", OPTION_TEXT, "FORMAT", "text (default) or json", &given->format, 0, 0},
    };
    return options_read(command, rows, sizeof rows / sizeof *rows, argc, argv, &given->grid, 1);
}

/* --- printing --- */

static const char *plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_store(const char *path, const struct plan_figures *figures)
{
    const struct {
        int64_t count;
        const char *what;
    } mishaps[] = {{figures->diverged, "diverged"},
                   {figures->failed, "failed"},
                   {figures->skipped, "skipped"},
                   {figures->unreachable, "unreachable"}};
    printf("  in %s: %lld done, ", path, (long long)figures->done);
    for (size_t i = 0; i < sizeof mishaps / sizeof *mishaps; i++)
        if (mishaps[i].count > 0)
            printf("%lld %s, ", (long long)mishaps[i].count, mishaps[i].what);
    printf("%lld to run\n", (long long)figures->to_run);
}

/* What `run` would make of the store. Both files are there until the new one is whole. */
static void print_growth(const struct plan_figures *figures)
{
    const struct work_growth *growth = &figures->growth;
    char both[32];
    printf("  extending    %lld task%s kept, %lld new, %lld orphan%s (kept, not asked for)\n",
           (long long)growth->kept, plural(growth->kept), (long long)growth->fresh,
           (long long)growth->orphans, plural(growth->orphans));
    if (growth->again > 0)
        printf("               %lld finished task%s run again for what was not kept\n",
               (long long)growth->again, plural(growth->again));
    printf("               %s on the disk while the new file is made beside the old one\n",
           text_bytes(both, sizeof both, (double)(figures->store_bytes + figures->old_bytes)));
}

static void print_time(const struct plan_figures *figures)
{
    char time[32], other[32];
    printf(
        "  work         about %.2f core-hours (%s on one core; estimated from steps timed here)\n",
        figures->left.seconds / 3600, text_duration(time, sizeof time, figures->left.seconds));
    printf("  time         about %s on %d worker%s; the longest chain takes %s\n",
           text_duration(time, sizeof time, figures->makespan_seconds), figures->workers,
           plural(figures->workers), text_duration(other, sizeof other, figures->left.longest));
}

static void print_scales(const struct plan_figures *figures)
{
    char time[32];
    printf("  workers        makespan  utilisation\n");
    for (int i = 0; i < figures->scale_count; i++)
        printf("  %7d  %14s  %10.1f%%%s\n", figures->scales[i].workers,
               text_duration(time, sizeof time, figures->scales[i].makespan),
               100 * figures->scales[i].utilisation,
               figures->scales[i].workers == figures->worth ? "  the most that are worth it" : "");
}

static void print_text(const struct plan *plan, const struct plan_options_given *given,
                       const struct plan_figures *figures)
{
    char bytes[32], data[32];
    printf("%s: %lld experiment%s, %lld point%s, %lld task%s (training run%s)\n", plan->grid->name,
           (long long)figures->experiments, plural(figures->experiments),
           (long long)figures->points, plural(figures->points), (long long)figures->tasks,
           plural(figures->tasks), plural(figures->tasks));
    printf("  sharing      saves %lld of %lld training run%s (%.0f%% of the work)\n",
           (long long)(figures->unshared_tasks - figures->tasks),
           (long long)figures->unshared_tasks, plural(figures->unshared_tasks),
           plan->unshared_cost > 0 ? 100 * (1 - plan->cost / plan->unshared_cost) : 0.0);
    if (given->store != NULL)
        print_store(given->store, figures);
    if (figures->extends)
        print_growth(figures);
    if (figures->to_run > 0)
        print_time(figures);
    printf("  store        %s\n", text_bytes(bytes, sizeof bytes, (double)figures->store_bytes));
    printf("  states       %s beside it while %d worker%s train (what running tasks save)\n",
           text_bytes(bytes, sizeof bytes, (double)figures->states_bytes), figures->workers,
           figures->workers == 1 ? "" : "s");
    printf("  memory       %s a worker, and once a node %s of data\n",
           text_bytes(bytes, sizeof bytes, (double)figures->memory_bytes),
           text_bytes(data, sizeof data, (double)figures->data_bytes));
    if (figures->to_run > 0)
        print_scales(figures);
}

static void print_json(const struct plan *plan, const struct plan_figures *figures)
{
    struct text name = {0};
    text_add_json(&name, plan->grid->name);
    printf("{\"name\": %s, \"experiments\": %lld, \"points\": %lld, \"tasks\": %lld, "
           "\"unshared_tasks\": %lld, \"done\": %lld, \"diverged\": %lld, \"failed\": %lld, "
           "\"skipped\": %lld, \"unreachable\": %lld, \"to_run\": %lld, ",
           name.bytes, (long long)figures->experiments, (long long)figures->points,
           (long long)figures->tasks, (long long)figures->unshared_tasks, (long long)figures->done,
           (long long)figures->diverged, (long long)figures->failed, (long long)figures->skipped,
           (long long)figures->unreachable, (long long)figures->to_run);
    printf("\"core_hours\": %.6g, \"unshared_core_hours\": %.6g, \"core_hours_left\": %.6g, "
           "\"longest_chain_seconds\": %.6g, \"workers\": %d, \"makespan_seconds\": %.6g, "
           "\"store_bytes\": %lld, \"states_bytes\": %lld, \"memory_bytes\": %lld, \"data_bytes\": "
           "%lld",
           figures->core_seconds / 3600, figures->unshared_core_seconds / 3600,
           figures->left.seconds / 3600, figures->left.longest, figures->workers,
           figures->makespan_seconds, (long long)figures->store_bytes,
           (long long)figures->states_bytes, (long long)figures->memory_bytes,
           (long long)figures->data_bytes);
    if (figures->extends)
        printf(", \"kept\": %lld, \"again\": %lld, \"new\": %lld, \"orphans\": %lld, "
               "\"extending_bytes\": %lld",
               (long long)figures->growth.kept, (long long)figures->growth.again,
               (long long)figures->growth.fresh, (long long)figures->growth.orphans,
               (long long)(figures->store_bytes + figures->old_bytes));
    printf(", \"worth_workers\": %d, \"scales\": [", figures->worth);
    for (int i = 0; i < figures->scale_count; i++)
        printf("%s{\"workers\": %d, \"makespan_seconds\": %.6g, \"utilisation\": %.6g}",
               i > 0 ? ", " : "", figures->scales[i].workers, figures->scales[i].makespan,
               figures->scales[i].utilisation);
    printf("]}\n");
    text_finish(&name);
}

static int plan_grid(struct grid *grid, const struct plan_options_given *given, struct error *err)
{
    struct plan_options options = {.data_folder = given->data, .part = given->part};
    struct plan *plan = plan_create(grid, &options, err);
    if (plan == NULL)
        return -1;
    struct plan_figures figures;
    int failed = figures_measure(plan, given->store, given->kernels, given->workers, &figures, err);
    if (!failed && strcmp(given->format, "json") == 0)
        print_json(plan, &figures);
    else if (!failed)
        print_text(plan, given, &figures);
    plan_destroy(plan);
    return failed;
}

static int run_plan(const struct command *command, int argc, char **argv)
{
    struct plan_options_given given = {.format = "text", .workers = 2, .threads = 1};
    enum options_result read = read_options(command, argc, argv, &given);
    if (read != OPTIONS_GO_ON)
        return read == OPTIONS_WRONG ? STATUS_USAGE : 0;
    if (strcmp(given.format, "text") != 0 && strcmp(given.format, "json") != 0) {
        fprintf(stderr, "sweepstake plan: --format '%s': expected text or json\n", given.format);
        return STATUS_USAGE;
    }
    struct error err = {0};
    if (command_read_kernels(given.kernels_name, &given.kernels, &err) != 0 ||
        part_read(given.part_text, &given.part, &err) != 0)
        return command_fail(&err);
    kernels_use_threads(given.threads);
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
        "Nothing is trained or written. Core-hours are estimated from a few steps timed here.\n"
        "The table plays what is left in virtual time (as `run --simulate` does, without\n"
        "failures): the most workers worth asking for are those still busy 75% of the time.\n",
    .run = run_plan,
};
