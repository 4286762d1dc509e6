/* Rows: results, attempts, environments, the grid's text, whole tables.
 *
 * A result row is one aligned write of 512 bytes. Its checksum covers the digest of the payload and
 * the row's lasting columns, so that a row is true only together with what it stands for. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "h5.h"
#include "handle.h"

/* --- results --- */

struct store_result store_result_pending(void)
{
    struct store_result row = {
        .status = STORE_PENDING,
        .sparse_layers = -1,
        .weights_remaining = -1,
        .percent_remaining = NAN,
        .early_stop_iteration = -1,
        .seconds = NAN,
        .environment = -1,
    };
    for (int part = 0; part < 3; part++)
        for (int i = 0; i < STORE_SCORES; i++)
            row.scores[part][i].loss = row.scores[part][i].accuracy = NAN;
    return row;
}

/* Equal results are equal bytes: one NaN, texts padded with zeros. */
static struct store_result canonical(const struct store_result *result)
{
    struct store_result row = *result;
    memset(row.message, 0, sizeof row.message);
    memset(row.host, 0, sizeof row.host);
    memcpy(row.message, result->message, strnlen(result->message, sizeof row.message));
    memcpy(row.host, result->host, strnlen(result->host, sizeof row.host));
    row.percent_remaining = one_nan(row.percent_remaining);
    row.seconds = one_nan(row.seconds);
    for (int part = 0; part < 3; part++)
        for (int i = 0; i < STORE_SCORES; i++) {
            row.scores[part][i].loss = one_nan(row.scores[part][i].loss);
            row.scores[part][i].accuracy = one_nan(row.scores[part][i].accuracy);
        }
    return row;
}

uint64_t store_result_checksum(uint64_t digest, const struct store_result *result)
{
    struct store_result row = canonical(result);
    unsigned char bytes[sizeof digest + offsetof(struct store_result, seconds)];
    memcpy(bytes, &digest, sizeof digest);
    memcpy(bytes + sizeof digest, &row, sizeof bytes - sizeof digest);
    return hash64_of(bytes, sizeof bytes);
}

static int write_result(struct store *store, int64_t task, const struct store_result *row,
                        struct error *err)
{
    if (store_writable(store, err) != 0 ||
        store_write_rows(store, store->tables[TABLE_RESULTS], store->result_type, task, 1, row,
                         err) != 0)
        return store_named(store, -1, err);
    return 0;
}

int store_settle(struct store *store, struct error *err)
{
    return store_named(store, store_sync(store, err), err);
}

int store_commit(struct store *store, int64_t task, uint64_t digest, struct store_result *result,
                 struct error *err)
{
    *result = canonical(result);
    result->checksum = (int64_t)store_result_checksum(digest, result);
    return write_result(store, task, result, err);
}

int store_reset_result(struct store *store, int64_t task, struct error *err)
{
    struct store_result row = store_result_pending();
    if (write_result(store, task, &row, err) != 0)
        return -1;
    return store_settle(store, err);
}

int store_read_results(struct store *store, int64_t first, int64_t count,
                       struct store_result *results, struct error *err)
{
    /* A store from before there was a column leaves its place as it is: sparse_layers is 0. */
    memset(results, 0, (size_t)count * sizeof *results);
    int status = store_read_rows(store, store->tables[TABLE_RESULTS], store->result_type, first,
                                 count, results, err);
    return store_named(store, status, err);
}

bool store_takes_results(const struct store *store)
{
    hid_t type = H5Dget_type(store->tables[TABLE_RESULTS]);
    bool takes = type >= 0;
    for (int32_t i = 0; i < schema_results.count && takes; i++)
        takes = H5Tget_member_index(type, schema_results.columns[i].name) >= 0;
    h5_close(type);
    return takes;
}

/* --- attempts and environments --- */

int store_write_attempts(struct store *store, int64_t task, uint8_t attempts, struct error *err)
{
    if (store_writable(store, err) != 0 ||
        store_write_rows(store, store->attempts, H5T_NATIVE_UINT8, task, 1, &attempts, err) != 0 ||
        store_sync(store, err) != 0)
        return store_named(store, -1, err);
    return 0;
}

int store_read_attempts(struct store *store, int64_t count, uint8_t *attempts, struct error *err)
{
    int status = store_read_rows(store, store->attempts, H5T_NATIVE_UINT8, 0, count, attempts, err);
    return store_named(store, status, err);
}

static struct store_environment padded(const struct store_environment *from)
{
    struct store_environment to;
    memset(&to, 0, sizeof to);
    text_copy(to.host, sizeof to.host, from->host);
    text_copy(to.cpu, sizeof to.cpu, from->cpu);
    text_copy(to.blas, sizeof to.blas, from->blas);
    text_copy(to.libraries, sizeof to.libraries, from->libraries);
    text_copy(to.slurm_job, sizeof to.slurm_job, from->slurm_job);
    text_copy(to.started, sizeof to.started, from->started);
    to.run = from->run;
    return to;
}

int store_write_environment(struct store *store, int64_t row,
                            const struct store_environment *environment, struct error *err)
{
    struct store_environment clean = padded(environment);
    if (row >= STORE_ENVIRONMENT_ROWS)
        row = STORE_ENVIRONMENT_ROWS - 1;
    if (store_writable(store, err) != 0 ||
        store_write_rows(store, store->tables[TABLE_ENVIRONMENT], store->environment_type, row, 1,
                         &clean, err) != 0)
        return store_named(store, -1, err);
    return 0;
}

/* --- whole tables --- */

int store_read_table(struct store *store, const char *name, struct store_table *table,
                     struct error *err)
{
    *table = (struct store_table){0};
    for (int i = 0; i < TABLE_COUNT; i++)
        if (strcmp(name, schema_table_names[i]) == 0) {
            int status = table_read(store->tables[i], table, err);
            return status == 0 ? 0 : error_prefix(err, "%s: /%s", store->path, name);
        }
    return error_set(err, ERROR_INTERNAL, "%s: there is no table %s", store->path, name);
}

int store_read_grids(struct store *store, char **texts, int64_t *rows, size_t *width,
                     struct error *err)
{
    hid_t type = H5Dget_type(store->grid);
    *width = type < 0 ? 0 : H5Tget_size(type);
    *rows = h5_row_count(store->grid);
    int status = *rows < 1 ? error_set(err, ERROR_USAGE, "damaged: /grid has no text") : 0;
    *texts = status == 0 ? mem_zeroed((size_t)*rows * *width + 1, 1, err) : NULL;
    if (*texts == NULL || store_read_rows(store, store->grid, type, 0, *rows, *texts, err) != 0)
        status = -1;
    h5_close(type);
    if (status == 0)
        return 0;
    free(*texts);
    *texts = NULL;
    return store_named(store, -1, err);
}

int store_read_grid(struct store *store, char **text, size_t *length, struct error *err)
{
    int64_t rows;
    size_t width;
    if (store_read_grids(store, text, &rows, &width, err) != 0)
        return -1;
    *length = strnlen(*text, width);
    (*text)[*length] = '\0';
    return 0;
}
