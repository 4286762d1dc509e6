/* Status: how many tasks are in which state, how fast they went (what is left is estimated from
 * the operations the plan counted for each task), and what failed. */
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "failures.h"
#include "join.h"
#include "number.h"
#include "store/checkpoint.h"
#include "view/view.h"

struct tally {
    int64_t total, counts[JOIN_STATUSES], damaged;
    double seconds, iterations, cost; /* of those done */
    double cost_left;                 /* of those pending */
};

/* Iterations a task trains: from where it starts to its last. */
static double task_iterations(const struct store_table *tasks, int64_t task)
{
    int64_t last = store_table_integer(tasks, task, store_table_column(tasks, "iterations"));
    int64_t first = store_table_integer(tasks, task, store_table_column(tasks, "start_iteration"));
    return last > 0 ? (double)(last - (first > 0 ? first : 0)) : (double)NAN;
}

static struct tally tally_tasks(const struct join *join)
{
    const struct store_table *results = &join->tables[JOIN_RESULTS];
    const struct store_table *tasks = &join->tables[JOIN_TASKS];
    int seconds_column = store_table_column(results, "seconds");
    int cost_column = store_table_column(tasks, "cost");
    struct tally tally = {.total = results->row_count};
    tally.damaged = join_count_statuses(join, tally.counts);
    for (int64_t task = 0; task < results->row_count; task++) {
        enum store_status status = join_status(join, task);
        double seconds = store_table_real(results, task, seconds_column);
        double cost = store_table_real(tasks, task, cost_column);
        if (status == STORE_PENDING)
            tally.cost_left += cost;
        if (status != STORE_DONE || isnan(seconds))
            continue;
        tally.seconds += seconds;
        tally.cost += cost;
        tally.iterations += task_iterations(tasks, task);
    }
    return tally;
}

static void print_counts(const struct tally *tally, int64_t orphans, const char *path, FILE *out)
{
    int64_t finished = tally->total - tally->counts[STORE_PENDING] - tally->damaged;
    fprintf(out, "%s: %lld of %lld tasks finished, %.1f%%\n", path, (long long)finished,
            (long long)tally->total, number_percent(finished, tally->total));
    for (int i = 0; i < JOIN_STATUSES; i++) {
        enum store_status status = join_status_order[i];
        if (tally->counts[status] > 0)
            fprintf(out, "  %-12s %8lld\n", store_status_name(status),
                    (long long)tally->counts[status]);
    }
    if (tally->damaged > 0)
        fprintf(out, "  %-12s %8lld; run `sweepstake verify %s`\n", "damaged",
                (long long)tally->damaged, path);
    if (orphans > 0)
        fprintf(out, "  and %lld orphan%s: tasks of an earlier grid, kept\n", (long long)orphans,
                orphans == 1 ? "" : "s");
}

static void print_rates(const struct tally *tally, FILE *out)
{
    char mean[32], all[32], left[32], rate[NUMBER_SIZE];
    int64_t done = tally->counts[STORE_DONE];
    if (done == 0 || !(tally->seconds > 0))
        return;
    fprintf(out, "one task done takes %s on average; all took %s of one worker's time",
            text_duration(mean, sizeof mean, tally->seconds / (double)done),
            text_duration(all, sizeof all, tally->seconds));
    if (isfinite(tally->iterations))
        fprintf(out, ", %s iterations a second",
                number_thousands(rate, tally->iterations / tally->seconds));
    fprintf(out, "\n");
    double seconds_left = tally->seconds * tally->cost_left / tally->cost;
    if (tally->counts[STORE_PENDING] > 0 && isfinite(seconds_left))
        fprintf(out, "what is pending will take about %s of one worker's time\n",
                text_duration(left, sizeof left, seconds_left));
}

/* Iterations that are saved of tasks without a result. */
static int count_saved(const struct join *join, const char *path, int64_t *saved, struct error *err)
{
    const struct store_table *tasks = &join->tables[JOIN_TASKS];
    int column = store_table_column(tasks, "key");
    struct hash128 *keys = mem_zeroed((size_t)tasks->row_count, sizeof *keys, err);
    int32_t count = 0;
    char hex[HASH_HEX_SIZE];
    for (int64_t task = 0; task < tasks->row_count && keys != NULL && column >= 0; task++)
        if (join_status(join, task) == STORE_PENDING &&
            hash128_parse(store_table_text(tasks, task, column, hex, sizeof hex), &keys[count]))
            count++;
    int status = keys == NULL ? -1 : checkpoint_iterations(path, keys, count, saved, err);
    free(keys);
    return status;
}

int view_status_json(struct store *store, const char *path, FILE *out, bool *complete,
                     struct error *err)
{
    struct join join;
    int64_t saved;
    int status = join_read(&join, store, err);
    if (status == 0)
        status = count_saved(&join, path, &saved, err);
    if (status == 0) {
        struct tally tally = tally_tasks(&join);
        int64_t pending = tally.counts[STORE_PENDING];
        *complete = pending == 0 && tally.damaged == 0;
        fprintf(out, "{\"tasks\": %lld, \"finished\": %lld", (long long)tally.total,
                (long long)(tally.total - pending - tally.damaged));
        for (int i = 0; i < JOIN_STATUSES; i++)
            fprintf(out, ", \"%s\": %lld", store_status_name(join_status_order[i]),
                    (long long)tally.counts[join_status_order[i]]);
        fprintf(out, ", \"damaged\": %lld, \"orphans\": %lld, \"saved_iterations\": %lld}\n",
                (long long)tally.damaged, (long long)join.orphans, (long long)saved);
    }
    join_finish(&join);
    return status;
}

int view_status(struct store *store, const char *path, FILE *out, bool *complete, struct error *err)
{
    struct join join;
    int status = join_read(&join, store, err);
    if (status == 0) {
        struct tally tally = tally_tasks(&join);
        *complete = tally.counts[STORE_PENDING] == 0 && tally.damaged == 0;
        print_counts(&tally, join.orphans, path, out);
        print_rates(&tally, out);
        status = failures_print(&join, out, err);
        if (tally.counts[STORE_FAILED] > 0)
            fprintf(out, "\n`sweepstake run` tries failed tasks again and keeps what is done\n");
    }
    join_finish(&join);
    return status;
}
