/* Sources of a united store: reading them, what is known of their tasks, their networks and texts;
 * and the order in which a united store is laid out. */
#include "unite.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* --- sources --- */

static int read_tables(struct unite_source *source, struct error *err)
{
    if (store_read_table(source->store, "experiments", &source->experiments, err) != 0 ||
        store_read_table(source->store, "points", &source->points, err) != 0 ||
        store_read_table(source->store, "tasks", &source->tasks, err) != 0)
        return -1;
    return 0;
}

static int check_rows(const struct store_table *table, const char *column, int64_t least,
                      int64_t count, struct error *err)
{
    int index = store_table_column(table, column);
    for (int64_t i = 0; i < table->row_count; i++) {
        int64_t row = store_table_integer(table, i, index);
        if (row < least || row >= count)
            return error_set(err, ERROR_USAGE, "damaged: row %lld has no %s %lld", (long long)i,
                             column, (long long)row);
    }
    return 0;
}

/* Numbers that are followed. A parent stands before its child. */
static int check_tables(const struct unite_source *source, struct error *err)
{
    const struct store_table *tasks = &source->tasks, *points = &source->points;
    if (check_rows(tasks, "parent", -1, tasks->row_count, err) != 0 ||
        check_rows(tasks, "root", 0, tasks->row_count, err) != 0 ||
        check_rows(tasks, "network", 0, store_network_count(source->store), err) != 0 ||
        check_rows(points, "experiment", 0, source->experiments.row_count, err) != 0 ||
        check_rows(points, "task", 0, tasks->row_count, err) != 0 ||
        check_rows(points, "dense_task", 0, tasks->row_count, err) != 0)
        return -1;
    int parent = store_table_column(tasks, "parent");
    for (int64_t i = 0; i < tasks->row_count; i++)
        if (store_table_integer(tasks, i, parent) >= i)
            return error_set(err, ERROR_USAGE, "damaged: task %lld stands before its parent",
                             (long long)i);
    return 0;
}

static int64_t *nowhere(int64_t count, struct error *err)
{
    int64_t *rows = mem_zeroed((size_t)count, sizeof *rows, err);
    for (int64_t i = 0; i < count && rows != NULL; i++)
        rows[i] = -1;
    return rows;
}

enum unite_family unite_family_of(const char *when)
{
    static const struct {
        const char *start;
        enum unite_family family;
    } names[] = {{"init", UNITE_INIT},
                 {"early-stop", UNITE_EARLY_STOP},
                 {"final", UNITE_FINAL},
                 {"rewind-", UNITE_REWIND},
                 {"at-", UNITE_AT}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(when, names[i].start, strlen(names[i].start)) == 0)
            return names[i].family;
    return UNITE_FAMILIES;
}

void unite_count_slots(const struct store_network *network, int64_t counts[UNITE_FAMILIES])
{
    memset(counts, 0, UNITE_FAMILIES * sizeof *counts);
    counts[UNITE_MASK] = network->mask_slots;
    for (int32_t i = 0; i < network->when_count; i++) {
        enum unite_family family = unite_family_of(network->whens[i].name);
        if (family < UNITE_FAMILIES && counts[family] < network->whens[i].slots)
            counts[family] = network->whens[i].slots;
    }
}

static int read_networks(struct unite_source *source, struct error *err)
{
    int32_t count = store_network_count(source->store);
    source->networks = mem_zeroed((size_t)count, sizeof *source->networks, err);
    if (source->networks == NULL)
        return -1;
    for (int32_t i = 0; i < count; i++) {
        struct unite_network *network = &source->networks[i];
        network->to = -1;
        unite_count_slots(store_network(source->store, i), network->counts);
        for (int family = 0; family < UNITE_FAMILIES; family++) {
            network->slots[family] = nowhere(network->counts[family], err);
            if (network->slots[family] == NULL)
                return -1;
        }
    }
    return 0;
}

/* Results are read before they are verified: a source may belong to a grid that runs. */
static int read_results(struct unite_source *source, struct error *err)
{
    int64_t count = store_task_count(source->store);
    source->results = mem_zeroed((size_t)count, sizeof *source->results, err);
    source->attempts = mem_zeroed((size_t)count, 1, err);
    source->bad = mem_zeroed((size_t)count, 1, err);
    source->task_to = nowhere(count, err);
    source->experiment_to = nowhere(source->experiments.row_count, err);
    if (source->results == NULL || source->attempts == NULL || source->bad == NULL ||
        source->task_to == NULL || source->experiment_to == NULL ||
        store_read_results(source->store, 0, count, source->results, err) != 0 ||
        store_read_attempts(source->store, count, source->attempts, err) != 0)
        return -1;
    return store_verify(source->store, source->bad, err) < 0 ? -1 : 0;
}

static int add_source(struct unite *unite, struct store *store, struct error *err)
{
    struct unite_source *source = &unite->sources[unite->source_count++];
    source->store = store;
    if (read_tables(source, err) != 0)
        return -1;
    if (check_tables(source, err) != 0)
        return error_prefix(err, "%s", store_path(store));
    if (read_networks(source, err) != 0)
        return -1;
    return read_results(source, err);
}

static void finish_source(struct unite_source *source)
{
    store_table_finish(&source->experiments);
    store_table_finish(&source->points);
    store_table_finish(&source->tasks);
    free(source->results);
    free(source->attempts);
    free(source->bad);
    free(source->task_to);
    free(source->experiment_to);
    for (int32_t i = 0; source->networks != NULL && i < store_network_count(source->store); i++)
        for (int family = 0; family < UNITE_FAMILIES; family++)
            free(source->networks[i].slots[family]);
    free(source->networks);
}

void unite_finish(struct unite *unite)
{
    for (int i = 0; i < unite->source_count; i++)
        finish_source(&unite->sources[i]);
    store_table_finish(&unite->layout.experiments);
    store_table_finish(&unite->layout.points);
    store_table_finish(&unite->layout.tasks);
    free(unite->layout.networks);
    free((char *)unite->layout.grid_text);
    free(unite->sources);
    free(unite->rows);
    free(unite->places);
}

/* --- what is known of a task --- */

bool unite_has_payload(const struct unite_source *source, int64_t task)
{
    int32_t status = task < 0 ? STORE_PENDING : source->results[task].status;
    return (status == STORE_DONE || status == STORE_DIVERGED) && !source->bad[task];
}

static bool says_something(const struct unite_source *source, int64_t task)
{
    return task >= 0 && !source->bad[task] &&
           (source->results[task].status != STORE_PENDING ||
            source->results[task].weights_remaining >= 0);
}

int unite_chosen(const struct unite *unite, int64_t row)
{
    int chosen = -1;
    for (int i = unite->source_count - 1; i >= 0; i--)
        if (says_something(&unite->sources[i], unite->rows[row].from[i]))
            chosen = i;
    for (int i = unite->source_count - 1; i >= 0; i--)
        if (unite_has_payload(&unite->sources[i], unite->rows[row].from[i]))
            chosen = i;
    return chosen;
}

/* --- networks --- */

static int add_network(struct store_layout *layout, const struct store_network *network,
                       struct error *err)
{
    size_t count = (size_t)layout->network_count;
    struct store_network *networks = realloc(layout->networks, (count + 1) * sizeof *networks);
    if (networks == NULL)
        return error_set(err, ERROR_RESOURCE, "not enough memory for %zu networks", count + 1);
    networks[count] = *network;
    networks[count].mask_slots = 0;
    networks[count].when_count = 0;
    layout->networks = networks;
    layout->network_count++;
    return 0;
}

/* Networks of one name have the same layers; store_copy_payload looks once more. */
int unite_network_of(struct unite *unite, struct unite_source *source, int64_t network, int32_t *to,
                     struct error *err)
{
    struct store_layout *layout = &unite->layout;
    const struct store_network *from = store_network(source->store, (int32_t)network);
    int32_t *known = &source->networks[network].to;
    for (int32_t i = 0; i < layout->network_count && *known < 0; i++)
        if (strcmp(layout->networks[i].name, from->name) == 0)
            *known = i;
    if (*known < 0) {
        if (add_network(layout, from, err) != 0)
            return -1;
        *known = layout->network_count - 1;
    }
    *to = *known;
    return 0;
}

/* --- the grids' texts --- */

/* Appends a text as a row unless it stands there already. */
static void add_text(char *rows, int64_t *count, size_t width, const char *text, size_t length)
{
    char *row = rows + (size_t)*count * width;
    memset(row, 0, width);
    memcpy(row, text, length);
    for (int64_t i = 0; i < *count; i++)
        if (memcmp(rows + (size_t)i * width, row, width) == 0)
            return;
    (*count)++;
}

struct texts {
    char *bytes;
    int64_t rows;
    size_t width;
};

static int lay_out_texts(struct unite *unite, const struct texts *texts, struct error *err)
{
    struct store_layout *layout = &unite->layout;
    size_t width = layout->grid_length > 0 ? layout->grid_length : 1;
    int64_t rows = 1, count = 0;
    for (int i = 0; i < unite->source_count; i++) {
        width = texts[i].width > width ? texts[i].width : width;
        rows += texts[i].rows;
    }
    char *all = mem_zeroed((size_t)rows, width, err);
    if (all == NULL)
        return -1;
    if (layout->grid_length > 0)
        add_text(all, &count, width, layout->grid_text, layout->grid_length);
    for (int i = 0; i < unite->source_count; i++)
        for (int64_t row = 0; row < texts[i].rows; row++)
            add_text(all, &count, width, texts[i].bytes + (size_t)row * texts[i].width,
                     texts[i].width);
    layout->grid_text = all;
    layout->grid_length = width;
    layout->grid_rows = count;
    return 0;
}

/* Room for the texts of all sources behind the plan's; equal texts are one. */
static int lay_out_grids(struct unite *unite, struct error *err)
{
    struct texts *texts = mem_zeroed((size_t)unite->source_count, sizeof *texts, err);
    int status = texts == NULL ? -1 : 0;
    for (int i = 0; i < unite->source_count && status == 0; i++)
        status = store_read_grids(unite->sources[i].store, &texts[i].bytes, &texts[i].rows,
                                  &texts[i].width, err);
    if (status == 0)
        status = lay_out_texts(unite, texts, err);
    else
        unite->layout.grid_text = NULL;
    for (int i = 0; i < unite->source_count && texts != NULL; i++)
        free(texts[i].bytes);
    free(texts);
    return status;
}

/* --- all --- */

static int add_sources(struct unite *unite, struct store *const *stores, int count,
                       struct error *err)
{
    unite->sources = mem_zeroed((size_t)count, sizeof *unite->sources, err);
    if (unite->sources == NULL)
        return -1;
    for (int i = 0; i < count; i++)
        if (add_source(unite, stores[i], err) != 0)
            return -1;
    return 0;
}

int unite_lay_out(struct unite *unite, const struct plan *plan,
                  const struct store_identity *identity, struct store *const *stores, int count,
                  struct error *err)
{
    unite->layout.identity = *identity;
    unite->has_plan = plan != NULL;
    if (plan != NULL && work_layout_create(plan, identity, &unite->layout, err) != 0)
        return -1;
    if (add_sources(unite, stores, count, err) != 0) {
        unite->layout.grid_text = NULL; /* still the plan's */
        return -1;
    }
    if (lay_out_grids(unite, err) != 0 || unite_rows(unite, err) != 0)
        return -1;
    return unite_slots(unite, err);
}
