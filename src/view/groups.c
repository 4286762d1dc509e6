/* Groups of experiments that differ in seeds only.
 *
 * Experiments are compared by a 64-bit hash of their columns, so that a million of them are grouped
 * by one sort. Groups are named by as few fields as tell them apart, taken in the order of the
 * columns (the grid's reference order): a recipe that sets twenty fields is named by itself. */
#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "number.h"

/* What is sorted: a hash and whose it is. */
struct entry {
    uint64_t hash;
    int64_t row;
};

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static bool is_seed(const char *column)
{
    return strcmp(column, "seed") == 0 || strncmp(column, "seed.", 5) == 0;
}

uint64_t groups_hash_cell(const struct store_table *table, int64_t row, int column, uint64_t before)
{
    const struct store_column *what = &table->columns[column];
    const char *bytes = (const char *)table->rows + (size_t)row * table->row_size + what->offset;
    size_t length = what->type == STORE_TEXT ? strnlen(bytes, what->size) : what->size;
    uint64_t both[2] = {before, hash64_of(bytes, length)};
    return hash64_of(both, sizeof both);
}

static uint64_t hash_experiment(const struct store_table *experiments, int64_t row)
{
    uint64_t hash = 0;
    for (int column = 0; column < experiments->column_count; column++)
        if (!is_seed(experiments->columns[column].name))
            hash = groups_hash_cell(experiments, row, column, hash);
    return hash;
}

/* --- finding --- */

/* Numbers groups as they first appear: after the sort each run of equal hashes starts with its
 * first experiment, which stands for the group until all are numbered. */
static void number_groups(struct groups *groups, const struct entry *entries, int64_t *leaders,
                          int64_t count)
{
    for (int64_t i = 0, leader = 0; i < count; i++) {
        if (i == 0 || entries[i].hash != entries[i - 1].hash)
            leader = entries[i].row;
        leaders[entries[i].row] = leader;
    }
    for (int64_t row = 0; row < count; row++) {
        if (leaders[row] == row) {
            groups->first[groups->count] = row;
            groups->of[row] = groups->count++;
        } else {
            groups->of[row] = groups->of[leaders[row]];
        }
        groups->sizes[groups->of[row]]++;
    }
}

static int find_members(struct groups *groups, const struct store_table *experiments,
                        struct error *err)
{
    int64_t count = experiments->row_count;
    struct entry *entries = mem_zeroed((size_t)count, sizeof *entries, err);
    int64_t *leaders = mem_zeroed((size_t)count, sizeof *leaders, err);
    int status = entries == NULL || leaders == NULL ? -1 : 0;
    if (status == 0) {
        for (int64_t row = 0; row < count; row++)
            entries[row] = (struct entry){hash_experiment(experiments, row), row};
        qsort(entries, (size_t)count, sizeof *entries, compare_entries);
        number_groups(groups, entries, leaders, count);
    }
    free(entries);
    free(leaders);
    return status;
}

/* --- naming --- */

static int32_t count_distinct(struct entry *sorted, const struct entry *entries, int32_t count)
{
    memcpy(sorted, entries, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_entries);
    int32_t distinct = 0;
    for (int32_t i = 0; i < count; i++)
        distinct += i == 0 || sorted[i].hash != sorted[i - 1].hash;
    return distinct;
}

/* A column joins the name when groups that were alike so far differ in it. */
static void choose_fields(struct groups *groups, const struct store_table *experiments,
                          struct entry *entries, struct entry *refined, struct entry *sorted)
{
    int32_t distinct = 1;
    for (int column = 0; column < experiments->column_count && distinct < groups->count; column++) {
        if (is_seed(experiments->columns[column].name))
            continue;
        for (int32_t i = 0; i < groups->count; i++)
            refined[i].hash =
                groups_hash_cell(experiments, groups->first[i], column, entries[i].hash);
        int32_t now = count_distinct(sorted, refined, groups->count);
        if (now == distinct)
            continue;
        distinct = now;
        groups->fields[groups->field_count++] = column;
        memcpy(entries, refined, (size_t)groups->count * sizeof *entries);
    }
}

static int find_fields(struct groups *groups, const struct store_table *experiments,
                       struct error *err)
{
    struct entry *work = mem_zeroed((size_t)groups->count * 3, sizeof *work, err);
    if (work == NULL)
        return -1;
    choose_fields(groups, experiments, work, work + groups->count, work + 2 * groups->count);
    free(work);
    return 0;
}

int groups_find(struct groups *groups, const struct store_table *experiments, struct error *err)
{
    size_t count = (size_t)experiments->row_count;
    *groups = (struct groups){
        .of = mem_zeroed(count, sizeof *groups->of, err),
        .first = mem_zeroed(count, sizeof *groups->first, err),
        .sizes = mem_zeroed(count, sizeof *groups->sizes, err),
        .fields = mem_zeroed((size_t)experiments->column_count, sizeof *groups->fields, err),
    };
    if (groups->of == NULL || groups->first == NULL || groups->sizes == NULL ||
        groups->fields == NULL || find_members(groups, experiments, err) != 0)
        return -1;
    return find_fields(groups, experiments, err);
}

void groups_finish(struct groups *groups)
{
    free(groups->of);
    free(groups->first);
    free(groups->sizes);
    free(groups->fields);
    *groups = (struct groups){0};
}

void groups_name(const struct groups *groups, const struct store_table *experiments, int32_t group,
                 struct text *text)
{
    for (int i = 0; i < groups->field_count; i++) {
        int column = groups->fields[i];
        text_add(text, "%s%s = ", i > 0 ? ", " : "", experiments->columns[column].name);
        number_add_cell(text, experiments, groups->first[group], column);
    }
}
