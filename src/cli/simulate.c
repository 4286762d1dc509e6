/* The words of --simulate, the durations it plays, and its report. */
#include "simulate.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "estimate.h"
#include "store/store.h"
#include "work/speed.h"
#include "work/work.h"

#define MOST_RANKS 1000000

/* --- words --- */

struct word {
    const char *name;
    double least, most;
    bool is_whole;
};

enum { WORD_RANKS, WORD_FAILURES, WORD_LOSSES, WORD_SEED, WORD_GFLOPS, WORDS };

static const struct word words_known[WORDS] = {
    [WORD_RANKS] = {"ranks", 1, MOST_RANKS, true}, [WORD_FAILURES] = {"failures", 0, 1, false},
    [WORD_LOSSES] = {"losses", 0, 1e6, false},     [WORD_SEED] = {"seed", 0, 0x1p53, true},
    [WORD_GFLOPS] = {"gflops", 1e-3, 1e6, false},
};

static void keep_word(int word, double value, struct simulate_words *words)
{
    if (word == WORD_RANKS)
        words->conditions.workers = (int32_t)value;
    else if (word == WORD_FAILURES)
        words->conditions.failures = value;
    else if (word == WORD_LOSSES)
        words->conditions.losses = value;
    else if (word == WORD_SEED)
        words->conditions.seed = (uint64_t)value;
    else
        words->gflops = value;
}

static int refuse_name(const char *text, size_t length, struct error *err)
{
    const char *names[WORDS];
    char name[32];
    for (int i = 0; i < WORDS; i++)
        names[i] = words_known[i].name;
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    const char *near = text_nearest(name, names, WORDS);
    return error_set(err, ERROR_USAGE,
                     "--simulate: '%s' is none of ranks, failures, losses, seed, gflops%s%s%s",
                     name, near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                     near != NULL ? "=?" : "");
}

/* One NAME=VALUE of `length` bytes. */
static int read_word(const char *text, size_t length, struct simulate_words *words,
                     struct error *err)
{
    char value[32], *end;
    size_t name = strcspn(text, "=,");
    for (int i = 0; i < WORDS; i++) {
        const struct word *word = &words_known[i];
        if (name != strlen(word->name) || strncmp(text, word->name, name) != 0)
            continue;
        snprintf(value, sizeof value, "%.*s", name < length ? (int)(length - name - 1) : 0,
                 text + name + 1);
        double number = strtod(value, &end);
        bool fits = end != value && *end == '\0' && number >= word->least && number <= word->most;
        if (!fits || (word->is_whole && number != floor(number)))
            return error_set(err, ERROR_USAGE, "--simulate: %s is '%s'; expected %s from %g to %g",
                             word->name, value, word->is_whole ? "a whole number" : "a number",
                             word->least, word->most);
        keep_word(i, number, words);
        return 0;
    }
    return refuse_name(text, name, err);
}

int simulate_read_words(const char *text, struct simulate_words *words, struct error *err)
{
    for (;;) {
        size_t length = strcspn(text, ",");
        if (read_word(text, length, words, err) != 0)
            return -1;
        if (text[length] == '\0')
            return 0;
        text += length + 1;
    }
}

/* --- durations --- */

/* Where the durations come from. */
struct source {
    char store[4096];
    int32_t measured; /* tasks as the store says */
    double gflops;
};

static int read_measured(const struct plan *plan, struct estimate *estimate, struct source *source,
                         struct error *err)
{
    size_t count = (size_t)plan->task_count;
    double *seconds = mem_zeroed(count, sizeof *seconds, err);
    bool *diverged = mem_zeroed(count, sizeof *diverged, err);
    struct store *store = store_open(source->store, STORE_READ, NULL, err);
    for (int32_t i = 0; seconds != NULL && i < plan->task_count; i++)
        seconds[i] = NAN;
    int failed = seconds == NULL || diverged == NULL || store == NULL ||
                 work_read_seconds(plan, store, seconds, diverged, err) != 0;
    for (int32_t i = 0; !failed && i < plan->task_count; i++) {
        if (isnan(seconds[i]))
            continue;
        estimate->fates[i] = (struct sched_fate){seconds[i], diverged[i]};
        source->measured++;
    }
    store_close(store);
    free(seconds);
    free(diverged);
    return failed ? -1 : 0;
}

static int estimate_durations(const struct plan *plan, const struct simulate_job *job,
                              struct estimate *estimate, struct source *source, struct error *err)
{
    double seconds_per_operation = 1e-9 / job->words.gflops;
    if (job->words.gflops <= 0 && work_measure_speed(plan, &seconds_per_operation, err) != 0)
        return -1;
    source->gflops = 1e-9 / seconds_per_operation;
    if (job->store_file != NULL)
        text_copy(source->store, sizeof source->store, job->store_file);
    else
        snprintf(source->store, sizeof source->store, "%s.h5", plan->grid->name);
    if (estimate_init(estimate, plan, NULL, seconds_per_operation, err) != 0)
        return -1;
    bool is_there = access(source->store, F_OK) == 0;
    return is_there ? read_measured(plan, estimate, source, err) : 0;
}

/* --- report --- */

static const char *plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_head(const struct plan *plan, const struct simulate_words *words,
                       const struct source *source)
{
    const struct sched_conditions *conditions = &words->conditions;
    printf("%s on %d rank%s, in virtual time", plan->grid->name, conditions->workers,
           plural(conditions->workers));
    if (conditions->failures > 0)
        printf("; %g of 100 hand-outs fail", 100 * conditions->failures);
    if (conditions->losses > 0)
        printf("; %g deaths an hour of each rank", conditions->losses);
    if (conditions->failures > 0 || conditions->losses > 0)
        printf("; seed %llu", (unsigned long long)conditions->seed);
    printf("\n  durations      ");
    if (source->measured > 0)
        printf("%d of %d as %s says, the others ", source->measured, plan->task_count,
               source->store);
    printf("estimated at gflops=%.4g a rank%s\n", source->gflops,
           words->gflops > 0 ? "" : " (timed here)");
}

static void print_time(const struct sched_forecast *forecast, const struct sched_extent *extent)
{
    char text[32];
    double makespan = forecast->makespan;
    printf("  makespan       %s\n", text_duration(text, sizeof text, makespan));
    printf("  utilisation    %.1f%%\n", 100 * forecast->utilisation);
    printf("  speed-up       %.1f over one rank (%s)\n",
           makespan > 0 ? forecast->useful_seconds / makespan : 1.0,
           text_duration(text, sizeof text, forecast->useful_seconds));
    printf("  critical path  %s in %d task%s, %.0f%% of the makespan\n",
           text_duration(text, sizeof text, extent->longest), extent->tasks, plural(extent->tasks),
           makespan > 0 ? 100 * extent->longest / makespan : 100.0);
}

static void print_tasks(const struct sched_forecast *forecast)
{
    const struct sched_counts *counts = &forecast->counts;
    const struct {
        int32_t count;
        const char *what;
    } others[] = {{counts->diverged, "diverged"},
                  {counts->failed, "failed"},
                  {counts->skipped, "skipped"},
                  {counts->unreachable, "unreachable"},
                  {counts->left, "left, as no rank lived on"}};
    double trained = forecast->useful_seconds + forecast->lost_seconds;
    printf("  tasks          %d done", counts->done);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].count > 0)
            printf(", %d %s", others[i].count, others[i].what);
    printf("\n  hand-outs      %lld, %lld of them retries; %.2f%% of the time trained was lost\n",
           (long long)forecast->hand_outs, (long long)forecast->retries,
           trained > 0 ? 100 * forecast->lost_seconds / trained : 0.0);
    if (forecast->deaths > 0)
        printf("  deaths         %lld rank%s that held a task\n", (long long)forecast->deaths,
               plural(forecast->deaths));
}

static void print_master(const struct sched_forecast *forecast, double cpu_seconds)
{
    double makespan = forecast->makespan > 0 ? forecast->makespan : INFINITY;
    printf("  master         %.3g messages and %.3g signs of life a second; %lld result%s in the "
           "busiest second\n",
           (double)forecast->messages / makespan, (double)forecast->signs_of_life / makespan,
           (long long)forecast->busiest_second, plural(forecast->busiest_second));
    if (forecast->hand_outs > 0)
        printf("  measured here  %.2f microseconds of CPU a hand-out, scheduler and simulation\n",
               1e6 * cpu_seconds / (double)forecast->hand_outs);
}

/* --- all of it --- */

static double thread_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int play(const struct plan *plan, const struct simulate_job *job, struct error *err)
{
    struct estimate estimate = {0};
    struct source source = {0};
    struct sched_extent extent;
    struct sched_forecast forecast;
    int failed = estimate_durations(plan, job, &estimate, &source, err) != 0 ||
                 sched_measure_extent(&estimate.work, &extent, err) != 0;
    double begin = thread_seconds();
    failed = failed || sched_simulate(&estimate.work, &job->words.conditions, &forecast, err) != 0;
    double took = thread_seconds() - begin;
    estimate_finish(&estimate);
    if (failed)
        return -1;
    print_head(plan, &job->words, &source);
    print_time(&forecast, &extent);
    print_tasks(&forecast);
    print_master(&forecast, took);
    return 0;
}

int simulate_run(const struct simulate_job *job, struct error *err)
{
    struct plan_options options = {.data_folder = job->data_folder, .part = job->part};
    struct grid *grid = grid_read(job->grid_file, err);
    struct plan *plan = grid != NULL ? plan_create(grid, &options, err) : NULL;
    int failed = plan == NULL || play(plan, job, err) != 0;
    plan_destroy(plan);
    grid_destroy(grid);
    return failed ? -1 : 0;
}
