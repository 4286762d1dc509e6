/* Failures grouped by status, reason and message, largest group first. For each group: on which
 * hosts, where several took part, and which values do all its tasks have, that the grid as a whole
 * does not? Such a value is named when it narrows
 * the experiments that those named before leave, so that a recipe is named by itself and not by
 * each field that it sets. */
#include "failures.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "groups.h"
#include "number.h"

#define CAUSES_SHOWN 20

/* A task that failed, by the hash of how. */
struct failure {
    uint64_t how;
    int64_t task;
};

/* A run of failures that are alike. */
struct cause {
    int64_t first, count;
};

struct failures {
    const struct join *join;
    struct failure *tasks;
    int64_t count;
    struct cause *causes;
    int64_t cause_count;
    bool *failed;      /* [task] in the cause being told */
    bool *involved;    /* [experiment] has a point among them */
    bool *left;        /* [experiment] fits all that was named so far */
    bool *points_left; /* the same for rows of /points */
    uint64_t *hosts;   /* [task] hashes of hosts to be counted */
    int64_t hosts_used;
};

/* --- grouping --- */

static int compare_failures(const void *left, const void *right)
{
    const struct failure *a = left, *b = right;
    if (a->how != b->how)
        return a->how < b->how ? -1 : 1;
    return (a->task > b->task) - (a->task < b->task);
}

static uint64_t hash_how(const struct store_table *results, int64_t task)
{
    static const char *const columns[] = {"status", "reason", "message"};
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        int column = store_table_column(results, columns[i]);
        if (column >= 0)
            hash = groups_hash_cell(results, task, column, hash);
    }
    return hash;
}

static void find_failures(struct failures *failures)
{
    const struct store_table *results = &failures->join->tables[JOIN_RESULTS];
    for (int64_t task = 0; task < results->row_count; task++) {
        enum store_status status = join_status(failures->join, task);
        if (status == STORE_FAILED || status == STORE_DIVERGED)
            failures->tasks[failures->count++] = (struct failure){hash_how(results, task), task};
    }
    qsort(failures->tasks, (size_t)failures->count, sizeof *failures->tasks, compare_failures);
}

/* The largest first; of equal ones that of the smaller task. */
static int compare_causes(const void *left, const void *right)
{
    const struct cause *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

static void find_causes(struct failures *failures)
{
    for (int64_t i = 0; i < failures->count; i++) {
        if (i == 0 || failures->tasks[i].how != failures->tasks[i - 1].how)
            failures->causes[failures->cause_count++] = (struct cause){i, 0};
        failures->causes[failures->cause_count - 1].count++;
    }
    qsort(failures->causes, (size_t)failures->cause_count, sizeof *failures->causes,
          compare_causes);
}

/* --- what they share --- */

static bool same_cell(const struct store_table *table, int64_t row, int64_t other, int column)
{
    return groups_hash_cell(table, row, column, 0) == groups_hash_cell(table, other, column, 0);
}

static void mark_cause(struct failures *failures, const struct cause *cause)
{
    const struct join *join = failures->join;
    int64_t experiments = join->tables[JOIN_EXPERIMENTS].row_count;
    memset(failures->failed, 0, (size_t)join->tables[JOIN_RESULTS].row_count);
    memset(failures->involved, 0, (size_t)experiments);
    memset(failures->left, 1, (size_t)experiments);
    for (int64_t i = 0; i < cause->count; i++)
        failures->failed[failures->tasks[cause->first + i].task] = true;
    for (int64_t point = 0; point < join->tables[JOIN_POINTS].row_count; point++) {
        int64_t task = join_row(join, JOIN_TASKS, point);
        int64_t experiment = join_row(join, JOIN_EXPERIMENTS, point);
        if (task >= 0 && experiment >= 0 && failures->failed[task])
            failures->involved[experiment] = true;
    }
}

static void name_value(struct text *shared, const struct store_table *table, int64_t row,
                       int column)
{
    text_add(shared, "%s%s = ", shared->length > 0 ? ", " : "", table->columns[column].name);
    number_add_cell(shared, table, row, column);
}

/* Names the column when all involved experiments have one value in it that rules out experiments
 * which nothing named so far did. */
static void try_field(struct failures *failures, int column, struct text *shared)
{
    const struct store_table *table = &failures->join->tables[JOIN_EXPERIMENTS];
    int64_t sample = -1, ruled_out = 0;
    for (int64_t row = 0; row < table->row_count; row++) {
        if (!failures->involved[row])
            continue;
        if (sample < 0)
            sample = row;
        else if (!same_cell(table, row, sample, column))
            return;
    }
    for (int64_t row = 0; sample >= 0 && row < table->row_count; row++) {
        if (failures->left[row] && !same_cell(table, row, sample, column)) {
            failures->left[row] = false;
            ruled_out++;
        }
    }
    if (ruled_out > 0)
        name_value(shared, table, sample, column);
}

/* Whose point it is: of a task that failed, of another that ran, of none. */
enum side { SIDE_FAILED, SIDE_OTHER, SIDE_SILENT };

static enum side side_of(const struct failures *failures, int64_t point)
{
    int64_t task = join_row(failures->join, JOIN_TASKS, point);
    enum store_status status = join_status(failures->join, task);
    if (task >= 0 && failures->failed[task])
        return SIDE_FAILED;
    bool ran = status == STORE_DONE || status == STORE_DIVERGED || status == STORE_FAILED;
    return ran ? SIDE_OTHER : SIDE_SILENT;
}

/* The first point that failed, or -1 when those differ in the column. */
static int64_t common_point(const struct failures *failures, int column)
{
    const struct store_table *table = &failures->join->tables[JOIN_POINTS];
    int64_t sample = -1;
    for (int64_t row = 0; row < table->row_count; row++) {
        if (side_of(failures, row) != SIDE_FAILED)
            continue;
        if (sample < 0)
            sample = row;
        else if (!same_cell(table, row, sample, column))
            return -1;
    }
    return sample;
}

/* As try_field, for a column of /points. */
static void try_column(struct failures *failures, const char *name, struct text *shared)
{
    const struct store_table *table = &failures->join->tables[JOIN_POINTS];
    int column = store_table_column(table, name);
    int64_t sample = column < 0 ? -1 : common_point(failures, column), ruled_out = 0;
    for (int64_t row = 0; sample >= 0 && row < table->row_count; row++) {
        if (!failures->points_left[row] || side_of(failures, row) != SIDE_OTHER ||
            same_cell(table, row, sample, column))
            continue;
        failures->points_left[row] = false;
        ruled_out++;
    }
    if (ruled_out > 0)
        name_value(shared, table, sample, column);
}

static void find_shared(struct failures *failures, struct text *shared)
{
    const struct store_table *tables = failures->join->tables;
    for (int column = 0; column < tables[JOIN_EXPERIMENTS].column_count; column++)
        try_field(failures, column, shared);
    memset(failures->points_left, 1, (size_t)tables[JOIN_POINTS].row_count);
    try_column(failures, "level", shared);
    try_column(failures, "control", shared);
}

/* --- where --- */

static int compare_hashes(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* Returns whether the task tells where it ran last. */
static bool read_host(const struct failures *failures, int64_t task, char *host, size_t size)
{
    const struct store_table *results = &failures->join->tables[JOIN_RESULTS];
    store_table_text(results, task, store_table_column(results, "host"), host, size);
    return host[0] != '\0';
}

static void add_host(struct failures *failures, int64_t task, int64_t *count)
{
    char host[64];
    if (read_host(failures, task, host, sizeof host))
        failures->hosts[(*count)++] = hash64_of(host, strlen(host));
}

/* How many different ones there are among the first `count` of `hosts`. */
static int64_t count_hosts(struct failures *failures, int64_t count)
{
    int64_t distinct = 0;
    qsort(failures->hosts, (size_t)count, sizeof *failures->hosts, compare_hashes);
    for (int64_t i = 0; i < count; i++)
        distinct += i == 0 || failures->hosts[i] != failures->hosts[i - 1];
    return distinct;
}

static void count_hosts_used(struct failures *failures)
{
    int64_t count = 0;
    for (int64_t task = 0; task < failures->join->tables[JOIN_RESULTS].row_count; task++)
        add_host(failures, task, &count);
    failures->hosts_used = count_hosts(failures, count);
}

/* Nothing where there was only one host, or where not every task tells. */
static void find_where(struct failures *failures, const struct cause *cause, struct text *where)
{
    char host[64];
    int64_t count = 0;
    for (int64_t i = 0; i < cause->count; i++)
        add_host(failures, failures->tasks[cause->first + i].task, &count);
    int64_t hosts = count_hosts(failures, count);
    if (failures->hosts_used < 2 || count < cause->count)
        return;
    read_host(failures, failures->tasks[cause->first].task, host, sizeof host);
    if (hosts > 1)
        text_add(where, " on %lld of %lld hosts", (long long)hosts,
                 (long long)failures->hosts_used);
    else
        text_add(where, cause->count == 1 ? " on %s" : ", all on %s", host);
}

/* --- printing --- */

static void print_cause(struct failures *failures, const struct cause *cause, FILE *out)
{
    const struct store_table *results = &failures->join->tables[JOIN_RESULTS];
    int64_t task = failures->tasks[cause->first].task;
    char message[256];
    struct text shared = {0}, where = {0};
    store_table_text(results, task, store_table_column(results, "message"), message,
                     sizeof message);
    mark_cause(failures, cause);
    find_shared(failures, &shared);
    find_where(failures, cause, &where);
    fprintf(out, "\n%lld %s %s%s%s%s (%s%lld)\n", (long long)cause->count,
            cause->count == 1 ? "task" : "tasks",
            store_status_name(join_status(failures->join, task)),
            where.length > 0 ? where.bytes : "", message[0] != '\0' ? ": " : "", message,
            cause->count == 1 ? "task " : "the first is task ", (long long)task);
    if (shared.length > 0)
        fprintf(out, "  %s: %s\n",
                cause->count == 1 ? "what sets it apart" : "what they share and others do not",
                shared.bytes);
    text_finish(&shared);
    text_finish(&where);
}

static void print_causes(struct failures *failures, FILE *out)
{
    find_failures(failures);
    find_causes(failures);
    count_hosts_used(failures);
    for (int64_t i = 0; i < failures->cause_count && i < CAUSES_SHOWN; i++)
        print_cause(failures, &failures->causes[i], out);
    if (failures->cause_count > CAUSES_SHOWN)
        fprintf(out, "\nand %lld more kinds of failure\n",
                (long long)(failures->cause_count - CAUSES_SHOWN));
}

int failures_print(const struct join *join, FILE *out, struct error *err)
{
    size_t tasks = (size_t)join->tables[JOIN_RESULTS].row_count;
    size_t experiments = (size_t)join->tables[JOIN_EXPERIMENTS].row_count;
    size_t points = (size_t)join->tables[JOIN_POINTS].row_count;
    struct failures failures = {
        .join = join,
        .tasks = mem_zeroed(tasks, sizeof *failures.tasks, err),
        .causes = mem_zeroed(tasks, sizeof *failures.causes, err),
        .failed = mem_zeroed(tasks, sizeof *failures.failed, err),
        .involved = mem_zeroed(experiments, sizeof *failures.involved, err),
        .left = mem_zeroed(experiments, sizeof *failures.left, err),
        .points_left = mem_zeroed(points, sizeof *failures.points_left, err),
        .hosts = mem_zeroed(tasks, sizeof *failures.hosts, err),
    };
    bool ready = failures.tasks != NULL && failures.causes != NULL && failures.failed != NULL &&
                 failures.involved != NULL && failures.left != NULL &&
                 failures.points_left != NULL && failures.hosts != NULL;
    if (ready)
        print_causes(&failures, out);
    free(failures.tasks);
    free(failures.causes);
    free(failures.failed);
    free(failures.involved);
    free(failures.left);
    free(failures.points_left);
    free(failures.hosts);
    return ready ? 0 : -1;
}
