/* The one place that knows how tables refer to each other: a point names its experiment and its
 * task by row, and row i of /results belongs to task i. Rows that a damaged file points at and does
 * not have are answered with -1, never followed. */
#include "join.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static const char *const table_names[JOIN_TABLES] = {
    [JOIN_POINTS] = "points",
    [JOIN_TASKS] = "tasks",
    [JOIN_RESULTS] = "results",
    [JOIN_EXPERIMENTS] = "experiments",
};

static const char *const prefixes[JOIN_TABLES] = {
    [JOIN_POINTS] = "",
    [JOIN_TASKS] = "task_",
    [JOIN_RESULTS] = "result_",
    [JOIN_EXPERIMENTS] = "experiment_",
};

static int find_column(const struct join *join, enum join_table table, const char *name,
                       int *column, struct error *err)
{
    *column = store_table_column(&join->tables[table], name);
    if (*column < 0)
        return error_set(err, ERROR_USAGE, "/%s has no column '%s': not a store of sweepstake's",
                         table_names[table], name);
    return 0;
}

static int find_columns(struct join *join, struct error *err)
{
    join->point.control_index = store_table_column(&join->tables[JOIN_POINTS], "control_index");
    if (find_column(join, JOIN_POINTS, "experiment", &join->point.experiment, err) != 0 ||
        find_column(join, JOIN_POINTS, "level", &join->point.level, err) != 0 ||
        find_column(join, JOIN_POINTS, "control", &join->point.control, err) != 0 ||
        find_column(join, JOIN_POINTS, "task", &join->point.task, err) != 0)
        return -1;
    return find_column(join, JOIN_RESULTS, "status", &join->status, err);
}

/* They stand behind all others. Row i of /results belongs to task i. */
static void leave_orphans_out(struct join *join)
{
    struct store_table *tables = join->tables;
    int64_t tasks = store_table_live_rows(&tables[JOIN_TASKS]);
    join->orphans = tables[JOIN_TASKS].row_count - tasks;
    tables[JOIN_TASKS].row_count = tables[JOIN_RESULTS].row_count = tasks;
    tables[JOIN_POINTS].row_count = store_table_live_rows(&tables[JOIN_POINTS]);
    tables[JOIN_EXPERIMENTS].row_count = store_table_live_rows(&tables[JOIN_EXPERIMENTS]);
}

int join_read(struct join *join, struct store *store, struct error *err)
{
    *join = (struct join){0};
    for (int i = 0; i < JOIN_TABLES; i++)
        if (store_read_table(store, table_names[i], &join->tables[i], err) != 0)
            return -1;
    if (join->tables[JOIN_TASKS].row_count != join->tables[JOIN_RESULTS].row_count)
        return error_set(err, ERROR_USAGE, "/tasks and /results differ in length: damaged");
    leave_orphans_out(join);
    return find_columns(join, err);
}

void join_finish(struct join *join)
{
    for (int i = 0; i < JOIN_TABLES; i++)
        store_table_finish(&join->tables[i]);
}

int64_t join_row(const struct join *join, enum join_table table, int64_t point)
{
    const struct store_table *points = &join->tables[JOIN_POINTS];
    int64_t row = point;
    if (table == JOIN_EXPERIMENTS)
        row = store_table_integer(points, point, join->point.experiment);
    else if (table != JOIN_POINTS)
        row = store_table_integer(points, point, join->point.task);
    return row >= 0 && row < join->tables[table].row_count ? row : -1;
}

enum store_status join_status(const struct join *join, int64_t task)
{
    const struct store_table *results = &join->tables[JOIN_RESULTS];
    if (task < 0 || task >= results->row_count)
        return STORE_PENDING;
    return (enum store_status)store_table_integer(results, task, join->status);
}

const enum store_status join_status_order[JOIN_STATUSES] = {
    STORE_DONE, STORE_DIVERGED, STORE_FAILED, STORE_SKIPPED, STORE_UNREACHABLE, STORE_PENDING,
};

int64_t join_count_statuses(const struct join *join, int64_t counts[JOIN_STATUSES])
{
    int64_t damaged = 0;
    memset(counts, 0, JOIN_STATUSES * sizeof *counts);
    for (int64_t task = 0; task < join->tables[JOIN_RESULTS].row_count; task++) {
        int status = (int)join_status(join, task);
        if (status >= 0 && status < JOIN_STATUSES)
            counts[status]++;
        else
            damaged++;
    }
    return damaged;
}

static bool name_taken(const struct join_column *columns, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(columns[i].name, name) == 0)
            return true;
    return false;
}

struct join_column *join_columns(const struct join *join, int *count, struct error *err)
{
    int total = 0;
    for (int i = 0; i < JOIN_TABLES; i++)
        total += join->tables[i].column_count;
    struct join_column *columns = mem_zeroed((size_t)total, sizeof *columns, err);
    *count = 0;
    for (int i = 0; columns != NULL && i < JOIN_TABLES; i++) {
        for (int column = 0; column < join->tables[i].column_count; column++) {
            const char *name = join->tables[i].columns[column].name;
            if (strcmp(name, "orphan") == 0)
                continue; /* of no row here */
            struct join_column *to = &columns[*count];
            const char *prefix = name_taken(columns, *count, name) ? prefixes[i] : "";
            snprintf(to->name, sizeof to->name, "%s%s", prefix, name);
            to->table = (enum join_table)i;
            to->column = column;
            (*count)++;
        }
    }
    return columns;
}
