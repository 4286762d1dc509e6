/* The content of a united store: payloads of tasks that a source finished, their result rows with
 * checksums over what stands in the new file, attempts, environments. */
#include <stdlib.h>

#include "base/memory.h"
#include "unite.h"

struct copying {
    struct unite *unite;
    struct store *to;
    struct store_result *results;
    uint8_t *attempts;
    struct store_payload *place, *parts; /* of the row at hand, there and in each source */
};

static int64_t value(const struct store_table *table, int64_t row, const char *column)
{
    return store_table_integer(table, row, store_table_column(table, column));
}

/* --- payloads --- */

static int disagree(const struct unite *unite, int64_t row, int one, int other, struct error *err)
{
    const struct store_table *tasks = &unite->layout.tasks;
    const int64_t *from = unite->rows[row].from;
    char key[40];
    store_table_text(tasks, row, store_table_column(tasks, "key"), key, sizeof key);
    return error_set(err, ERROR_USAGE,
                     "task %lld of %s and task %lld of %s are the same (key %s) and have different "
                     "results",
                     (long long)from[one], store_path(unite->sources[one].store),
                     (long long)from[other], store_path(unite->sources[other].store), key);
}

/* Sources that finished the same task must have finished it alike. */
static int check_both(struct copying *copying, int64_t row, int one, int other, struct error *err)
{
    const struct unite_source *sources = copying->unite->sources;
    const int64_t *from = copying->unite->rows[row].from;
    const struct store_result *first = &sources[one].results[from[one]];
    const struct store_result *second = &sources[other].results[from[other]];
    bool same = false;
    if (first->status != second->status || !store_results_agree(first, second))
        return disagree(copying->unite, row, one, other, err);
    if (store_same_payload(sources[one].store, &copying->parts[one], sources[other].store,
                           &copying->parts[other], &same, err) != 0)
        return -1;
    return same ? 0 : disagree(copying->unite, row, one, other, err);
}

static int copy_payloads(struct copying *copying, int64_t row, struct error *err)
{
    struct unite *unite = copying->unite;
    int first = -1;
    for (int i = 0; i < unite->source_count; i++) {
        struct unite_source *source = &unite->sources[i];
        int64_t task = unite->rows[row].from[i];
        if (!unite_has_payload(source, task))
            continue;
        if (store_task_payload(source->store, &source->tasks, task, &copying->parts[i], err) != 0 ||
            (first >= 0 && check_both(copying, row, first, i, err) != 0))
            return -1;
        /* Of several curves one with the test set's wins. */
        bool curve = first < 0 || value(&source->tasks, task, "test_curve") == 1;
        if (store_copy_payload(source->store, &copying->parts[i], copying->to, copying->place,
                               curve, err) != 0)
            return -1;
        first = first < 0 ? i : first;
    }
    return 0;
}

/* --- rows --- */

static int32_t environment_of(const struct unite_source *source, int32_t row)
{
    int64_t moved = row + source->environment;
    if (row < 0)
        return -1;
    return (int32_t)(moved < STORE_ENVIRONMENT_ROWS ? moved : STORE_ENVIRONMENT_ROWS - 1);
}

static uint8_t attempts_of(const struct unite *unite, int64_t row)
{
    uint8_t most = 0;
    for (int i = 0; i < unite->source_count; i++) {
        int64_t task = unite->rows[row].from[i];
        if (task >= 0 && unite->sources[i].attempts[task] > most)
            most = unite->sources[i].attempts[task];
    }
    return most;
}

/* What is to be run again says what it said: its next result must repeat it. */
static int copy_row(struct copying *copying, int64_t row, struct error *err)
{
    struct unite *unite = copying->unite;
    struct store_result *result = &copying->results[row];
    int chosen = unite_chosen(unite, row);
    *result = store_result_pending();
    if (!unite->rows[row].lacks)
        copying->attempts[row] = attempts_of(unite, row);
    if (chosen < 0)
        return 0;
    const struct unite_source *source = &unite->sources[chosen];
    int64_t task = unite->rows[row].from[chosen];
    uint64_t digest = 0;
    *result = source->results[task];
    result->environment = environment_of(source, result->environment);
    if (unite->rows[row].lacks)
        result->status = STORE_PENDING;
    if (result->status == STORE_PENDING)
        return 0;
    if (unite_has_payload(source, task) &&
        store_read_digest(copying->to, copying->place, &digest, err) != 0)
        return -1;
    result->checksum = (int64_t)store_result_checksum(digest, result);
    return 0;
}

static int hear(const struct work_hooks *hooks, int64_t row, struct error *err)
{
    if (hooks == NULL || !hooks->progress(hooks->user, (double)row))
        return 0;
    return error_set(err, ERROR_RESOURCE, "was not extended: stopped on the way");
}

static int copy_rows(struct copying *copying, struct error *err)
{
    const struct store_table *tasks = &copying->unite->layout.tasks;
    for (int64_t row = 0; row < tasks->row_count; row++) {
        if (hear(copying->unite->hooks, row, err) != 0 ||
            store_task_payload(copying->to, tasks, row, copying->place, err) != 0 ||
            copy_payloads(copying, row, err) != 0 || copy_row(copying, row, err) != 0)
            return -1;
    }
    return store_write_results(copying->to, copying->results, copying->attempts, err);
}

/* --- environments --- */

static void take_environment(const struct store_table *table, int64_t row,
                             struct store_environment *to)
{
    const struct {
        const char *name;
        char *text;
        size_t size;
    } columns[] = {{"host", to->host, sizeof to->host},
                   {"cpu", to->cpu, sizeof to->cpu},
                   {"blas", to->blas, sizeof to->blas},
                   {"libraries", to->libraries, sizeof to->libraries},
                   {"slurm_job", to->slurm_job, sizeof to->slurm_job},
                   {"started", to->started, sizeof to->started}};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        store_table_text(table, row, store_table_column(table, columns[i].name), columns[i].text,
                         columns[i].size);
    to->run = value(table, row, "run");
}

/* Copies a source's used rows behind those before; *rows and *runs are how many there are. */
static int copy_environments(struct unite_source *source, struct store *to, int64_t *rows,
                             int64_t *runs, struct error *err)
{
    struct store_table table;
    struct store_environment environment = {0};
    if (store_read_table(source->store, "environment", &table, err) != 0)
        return -1;
    const int64_t earlier = *runs;
    source->environment = *rows;
    int status = 0;
    for (int64_t i = 0; i < table.row_count && status == 0; i++) {
        take_environment(&table, i, &environment);
        if (environment.host[0] == '\0')
            break;
        environment.run += earlier;
        *runs = environment.run > *runs ? environment.run : *runs;
        status = store_write_environment(to, (*rows)++, &environment, err);
    }
    store_table_finish(&table);
    return status;
}

/* --- all --- */

static int open_copying(struct copying *copying, struct error *err)
{
    size_t count = (size_t)copying->unite->layout.tasks.row_count;
    size_t sources = (size_t)copying->unite->source_count;
    copying->results = mem_zeroed(count, sizeof *copying->results, err);
    copying->attempts = mem_zeroed(count, 1, err);
    copying->place = mem_zeroed(1, sizeof *copying->place, err);
    copying->parts = mem_zeroed(sources, sizeof *copying->parts, err);
    return copying->results == NULL || copying->attempts == NULL || copying->place == NULL ||
                   copying->parts == NULL
               ? -1
               : 0;
}

int unite_fill(void *user, struct store *store, struct error *err)
{
    struct copying copying = {.unite = user, .to = store};
    int64_t rows = 0, runs = 0;
    int status = open_copying(&copying, err);
    for (int i = 0; i < copying.unite->source_count && status == 0; i++)
        status = copy_environments(&copying.unite->sources[i], store, &rows, &runs, err);
    if (status == 0)
        status = copy_rows(&copying, err);
    free(copying.results);
    free(copying.attempts);
    free(copying.place);
    free(copying.parts);
    return status;
}
