/* Rows of a united store: tasks are matched by key, experiments and points by all that they say.
 *
 * There are two passes over the sources: what their grids ask for, then what they keep as orphans,
 * so that orphans come last. Where there is a plan, all that it lacks is an orphan; an
 * experiment the plan lacks is kept, with all its points, while one of its tasks is an orphan. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "unite.h"

#define KEY_SIZE (HASH_HEX_SIZE - 1)

static int64_t value(const struct store_table *table, int64_t row, const char *column)
{
    return store_table_integer(table, row, store_table_column(table, column));
}

static void set(struct store_table *table, int64_t row, const char *column, int64_t to)
{
    store_table_set_integer(table, row, store_table_column(table, column), to);
}

/* --- tables that have room for all --- */

/* `which`: the offset of the sources' tables in struct unite_source. */
static const struct store_table *table_of(const struct unite *unite, int source, size_t which)
{
    return (const struct store_table *)((const char *)&unite->sources[source] + which);
}

static int extend(const struct unite *unite, struct store_table *table, size_t which,
                  struct error *err)
{
    const struct store_column orphan = {.name = "orphan", .type = STORE_INT8, .size = 1};
    const struct store_table marked = {
        .columns = (struct store_column *)&orphan, .column_count = 1, .row_size = 1};
    int64_t room = table->row_count;
    for (int i = 0; i < unite->source_count; i++)
        room += table_of(unite, i, which)->row_count;
    for (int i = 0; i < unite->source_count; i++)
        if (store_table_extend(table, table_of(unite, i, which), room, err) != 0)
            return -1;
    return store_table_extend(table, &marked, room, err);
}

static int extend_all(struct unite *unite, struct error *err)
{
    struct store_layout *layout = &unite->layout;
    if (extend(unite, &layout->experiments, offsetof(struct unite_source, experiments), err) != 0 ||
        extend(unite, &layout->points, offsetof(struct unite_source, points), err) != 0)
        return -1;
    return extend(unite, &layout->tasks, offsetof(struct unite_source, tasks), err);
}

/* The rows of a source's table that belong to a pass. */
struct range {
    int64_t first, end;
};

static struct range range_of(const struct unite *unite, const struct store_table *table, int pass)
{
    int64_t live = unite->has_plan ? 0 : store_table_live_rows(table);
    return pass == 0 ? (struct range){0, live} : (struct range){live, table->row_count};
}

/* --- tasks --- */

struct keyed {
    char key[KEY_SIZE];
    int source; /* -1 = the plan */
    int64_t row;
};

static int compare_keys(const void *left, const void *right)
{
    return memcmp(left, right, KEY_SIZE);
}

static void take_keys(const struct store_table *tasks, int64_t count, int source,
                      struct keyed *keyed)
{
    int column = store_table_column(tasks, "key");
    char key[HASH_HEX_SIZE];
    for (int64_t i = 0; i < count; i++) {
        memset(&keyed[i], 0, sizeof keyed[i]);
        store_table_text(tasks, i, column, key, sizeof key);
        memcpy(keyed[i].key, key, strlen(key));
        keyed[i].source = source;
        keyed[i].row = i;
    }
}

/* Numbers the keys: task_to of the sources becomes a key's number, and plan_row[number] its row in
 * the plan, -1 = none. */
static void number_keys(struct unite *unite, struct keyed *keyed, int64_t count, int64_t *plan_row)
{
    int64_t number = -1;
    qsort(keyed, (size_t)count, sizeof *keyed, compare_keys);
    for (int64_t i = 0; i < count; i++) {
        if (i == 0 || compare_keys(&keyed[i], &keyed[i - 1]) != 0)
            plan_row[++number] = -1;
        if (keyed[i].source < 0)
            plan_row[number] = keyed[i].row;
        else
            unite->sources[keyed[i].source].task_to[keyed[i].row] = number;
    }
}

static int append_task(struct unite *unite, struct unite_source *source, int64_t task, int64_t *row,
                       struct error *err)
{
    static const char *const absent[] = {"mask_slot", "init_slot",       "rewind_slot",
                                         "at_slot",   "early_stop_slot", "final_slot"};
    static const char *const none[] = {"writes_mask",  "writes_init", "writes_early_stop",
                                       "writes_final", "rewind_set",  "at_set",
                                       "test_curve"};
    struct store_table *tasks = &unite->layout.tasks;
    int32_t network;
    if (unite_network_of(unite, source, value(&source->tasks, task, "network"), &network, err) != 0)
        return -1;
    *row = store_table_append(tasks, &source->tasks, task);
    int64_t parent = value(&source->tasks, task, "parent");
    int64_t root = value(&source->tasks, task, "root");
    set(tasks, *row, "network", network);
    set(tasks, *row, "parent", parent < 0 ? -1 : source->task_to[parent]);
    set(tasks, *row, "root", root == task ? *row : source->task_to[root]);
    set(tasks, *row, "curve_offset", unite->layout.curve_rows);
    int64_t curve = value(tasks, *row, "curve_count");
    unite->layout.curve_rows += curve > 0 ? curve : 0;
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        set(tasks, *row, absent[i], -1);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        set(tasks, *row, none[i], 0);
    return 0;
}

static int place_tasks(struct unite *unite, int index, int pass, int64_t *row_of, struct error *err)
{
    struct unite_source *source = &unite->sources[index];
    struct range range = range_of(unite, &source->tasks, pass);
    for (int64_t i = range.first; i < range.end; i++) {
        int64_t *row = &row_of[source->task_to[i]];
        if (*row < 0) {
            if (append_task(unite, source, i, row, err) != 0)
                return -1;
            set(&unite->layout.tasks, *row, "orphan", pass);
        }
        source->task_to[i] = *row;
        unite->rows[*row].from[index] = i;
    }
    return 0;
}

/* `count`: the most there can be. */
static int make_rows(struct unite *unite, int64_t count, struct error *err)
{
    size_t sources = (size_t)unite->source_count, places = (size_t)count * sources;
    unite->rows = mem_zeroed((size_t)count, sizeof *unite->rows, err);
    unite->places = mem_zeroed(places, sizeof *unite->places, err);
    if (unite->rows == NULL || unite->places == NULL)
        return -1;
    for (int64_t i = 0; i < count; i++)
        unite->rows[i].from = unite->places + (size_t)i * sources;
    for (size_t i = 0; i < places; i++)
        unite->places[i] = -1;
    return 0;
}

static int match_tasks(struct unite *unite, struct error *err)
{
    int64_t count = unite->planned, at = unite->planned;
    for (int i = 0; i < unite->source_count; i++)
        count += unite->sources[i].tasks.row_count;
    struct keyed *keyed = mem_zeroed((size_t)count, sizeof *keyed, err);
    int64_t *row_of = mem_zeroed((size_t)count, sizeof *row_of, err);
    int status = keyed == NULL || row_of == NULL || make_rows(unite, count, err) != 0 ? -1 : 0;
    if (status == 0) {
        take_keys(&unite->layout.tasks, unite->planned, -1, keyed);
        for (int i = 0; i < unite->source_count; i++) {
            take_keys(&unite->sources[i].tasks, unite->sources[i].tasks.row_count, i, keyed + at);
            at += unite->sources[i].tasks.row_count;
        }
        number_keys(unite, keyed, count, row_of);
    }
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < unite->source_count && status == 0; i++)
            status = place_tasks(unite, i, pass, row_of, err);
    free(keyed);
    free(row_of);
    return status;
}

/* --- rows that are equal --- */

struct known {
    struct hash128 hash;
    int64_t row;
};

struct known_rows {
    struct known *rows;
    int64_t count;
    char *scratch; /* a row */
};

/* What a row says; where data were found and whether somebody asks for it are no part of that. */
static struct hash128 hash_row(const struct store_table *table, int64_t row, char *scratch)
{
    static const char *const apart[] = {"dataset.folder", "orphan"};
    memcpy(scratch, (const char *)table->rows + (size_t)row * table->row_size, table->row_size);
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        int column = store_table_column(table, apart[i]);
        if (column >= 0)
            memset(scratch + table->columns[column].offset, 0, table->columns[column].size);
    }
    return hash128_of(scratch, table->row_size);
}

static int compare_known(const void *left, const void *right)
{
    const struct known *a = left, *b = right;
    return memcmp(a->hash.bytes, b->hash.bytes, sizeof a->hash.bytes);
}

static int know_rows(const struct store_table *table, struct known_rows *known, struct error *err)
{
    known->count = table->row_count;
    known->rows = mem_zeroed((size_t)table->row_count, sizeof *known->rows, err);
    known->scratch = mem_zeroed(1, table->row_size, err);
    if (known->rows == NULL || known->scratch == NULL)
        return -1;
    for (int64_t i = 0; i < table->row_count; i++)
        known->rows[i] = (struct known){hash_row(table, i, known->scratch), i};
    qsort(known->rows, (size_t)known->count, sizeof *known->rows, compare_known);
    return 0;
}

static void forget_rows(struct known_rows *known)
{
    free(known->rows);
    free(known->scratch);
}

/* The row that says the same as the table's last, which is dropped then; else the last. */
static int64_t settle_last(struct store_table *table, const struct known_rows *known)
{
    int64_t last = table->row_count - 1;
    struct known wanted = {hash_row(table, last, known->scratch), last};
    const struct known *found =
        bsearch(&wanted, known->rows, (size_t)known->count, sizeof *known->rows, compare_known);
    if (found == NULL)
        return last;
    table->row_count--;
    return found->row;
}

/* --- experiments --- */

/* The experiments of a source that have a task which the plan lacks. */
static bool *find_involved(const struct unite *unite, const struct unite_source *source,
                           struct error *err)
{
    const struct store_table *points = &source->points;
    bool *involved = mem_zeroed((size_t)source->experiments.row_count, sizeof *involved, err);
    for (int64_t i = 0; i < points->row_count && involved != NULL; i++)
        if (source->task_to[value(points, i, "task")] >= unite->planned)
            involved[value(points, i, "experiment")] = true;
    return involved;
}

static void place_experiments(struct unite *unite, struct unite_source *source, int pass,
                              const bool *involved, const struct known_rows *known)
{
    struct store_table *table = &unite->layout.experiments;
    struct range range = range_of(unite, &source->experiments, pass);
    for (int64_t i = range.first; i < range.end; i++) {
        int64_t last = store_table_append(table, &source->experiments, i);
        int64_t row = settle_last(table, known);
        if (row == last && unite->has_plan && !involved[i]) {
            table->row_count--;
            continue;
        }
        if (row == last)
            set(table, row, "orphan", pass);
        source->experiment_to[i] = row;
    }
}

/* --- points --- */

static bool is_wanted(const struct unite *unite, int64_t experiment, int64_t task)
{
    if (experiment < 0)
        return false;
    return !unite->has_plan || task >= unite->planned || experiment >= unite->planned_experiments;
}

static void place_points(struct unite *unite, struct unite_source *source, int pass,
                         const struct known_rows *known)
{
    struct store_table *table = &unite->layout.points;
    const struct store_table *points = &source->points;
    struct range range = range_of(unite, points, pass);
    for (int64_t i = range.first; i < range.end; i++) {
        int64_t experiment = source->experiment_to[value(points, i, "experiment")];
        int64_t task = source->task_to[value(points, i, "task")];
        if (!is_wanted(unite, experiment, task))
            continue;
        int64_t row = store_table_append(table, points, i);
        set(table, row, "experiment", experiment);
        set(table, row, "task", task);
        set(table, row, "dense_task", source->task_to[value(points, i, "dense_task")]);
        set(table, row, "orphan", pass);
        settle_last(table, known);
    }
}

static int place_source(struct unite *unite, struct unite_source *source, int pass,
                        struct error *err)
{
    struct known_rows experiments = {0}, points = {0};
    bool *involved = find_involved(unite, source, err);
    int failed = involved == NULL ||
                 know_rows(&unite->layout.experiments, &experiments, err) != 0 ||
                 know_rows(&unite->layout.points, &points, err) != 0;
    if (!failed) {
        place_experiments(unite, source, pass, involved, &experiments);
        place_points(unite, source, pass, &points);
    }
    free(involved);
    forget_rows(&experiments);
    forget_rows(&points);
    return failed ? -1 : 0;
}

int unite_rows(struct unite *unite, struct error *err)
{
    unite->planned = unite->layout.tasks.row_count;
    unite->planned_experiments = unite->layout.experiments.row_count;
    if (extend_all(unite, err) != 0 || match_tasks(unite, err) != 0)
        return -1;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < unite->source_count; i++)
            if (place_source(unite, &unite->sources[i], pass, err) != 0)
                return -1;
    return 0;
}
