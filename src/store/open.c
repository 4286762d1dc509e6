/* Opening and closing. With a communicator every rank goes through the same steps, and after each
 * the ranks agree whether all of them succeeded before any returns: an open that fails on one node
 * fails everywhere, with that node's reason. */
#include <errno.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "h5.h"
#include "handle.h"
#include "inspect.h"

/* Collective: the status of all ranks; where any failed, the error of the lowest such rank. */
static int agree(const MPI_Comm *communicator, int status, struct error *err)
{
    if (communicator == NULL)
        return status;
    int rank, size, first;
    MPI_Comm_rank(*communicator, &rank);
    MPI_Comm_size(*communicator, &size);
    int mine = status == 0 ? size : rank;
    MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, *communicator);
    if (first == size)
        return 0;
    MPI_Bcast(err, (int)sizeof *err, MPI_BYTE, first, *communicator);
    return -1;
}

/* --- what the file says it is --- */

static int check_format(hid_t file, struct error *err)
{
    char format[32];
    int64_t version;
    if (h5_read_texts(file, "format", format, 1, sizeof format, NULL) != 0 ||
        strcmp(format, STORE_FORMAT) != 0)
        return error_set(err, ERROR_USAGE,
                         "is an HDF5 file of another program, not a sweepstake store");
    if (h5_read_integers(file, "format_version", &version, 1, err) != 0)
        return -1;
    if (version != STORE_FORMAT_VERSION)
        return error_set(err, ERROR_USAGE,
                         "is a store of format version %lld; this program reads version %d",
                         (long long)version, STORE_FORMAT_VERSION);
    return 0;
}

static int read_identity(struct store *store, struct error *err)
{
    for (int32_t i = 0; i < SCHEMA_IDENTITY_COUNT; i++) {
        const struct schema_attribute *attribute = &schema_identity[i];
        if (h5_read_texts(store->file, attribute->name,
                          (char *)&store->identity + attribute->offset, 1, attribute->size,
                          err) != 0)
            return -1;
    }
    return 0;
}

static int open_dataset(hid_t file, const char *name, hid_t *dataset, struct error *err)
{
    *dataset = H5Dopen2(file, name, H5P_DEFAULT);
    return *dataset < 0 ? h5_error(err, ERROR_USAGE, "damaged: /%s", name) : 0;
}

/* One text of a fixed size. */
static int check_grid(hid_t grid, struct error *err)
{
    if (h5_check_dataset(grid, 1, err) != 0)
        return -1;
    hid_t type = H5Dget_type(grid);
    bool is_text = type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
    h5_close(type);
    return is_text ? 0 : error_set(err, ERROR_USAGE, "damaged: /grid is not a text");
}

static int open_tables(struct store *store, struct error *err)
{
    for (int i = 0; i < TABLE_COUNT; i++)
        if (open_dataset(store->file, schema_table_names[i], &store->tables[i], err) != 0 ||
            table_check(store->tables[i], err) != 0)
            return -1;
    if (open_dataset(store->file, "grid", &store->grid, err) != 0 ||
        check_grid(store->grid, err) != 0 ||
        open_dataset(store->file, "attempts", &store->attempts, err) != 0 ||
        h5_check_dataset(store->attempts, 1, err) != 0)
        return -1;
    store->task_count = h5_row_count(store->tables[TABLE_TASKS]);
    store->curve_rows = h5_row_count(store->tables[TABLE_CURVES]);
    if (store->task_count < 0 || store->curve_rows < 0 ||
        h5_row_count(store->tables[TABLE_RESULTS]) != store->task_count ||
        h5_row_count(store->attempts) != store->task_count)
        return error_set(err, ERROR_USAGE,
                         "damaged: /tasks, /results and /attempts differ in length");
    return 0;
}

static hid_t schema_type(const struct schema *schema)
{
    return h5_table_type(schema->columns, schema->count, schema->row_size);
}

static int make_types(struct store *store, struct error *err)
{
    store->result_type = schema_type(&schema_results);
    store->curve_type = schema_type(&schema_curves);
    store->environment_type = schema_type(&schema_environment);
    if (store->result_type < 0 || store->curve_type < 0 || store->environment_type < 0)
        return h5_error(err, ERROR_RESOURCE, "types cannot be made");
    return 0;
}

/* Everything after H5Fopen. Independent reads only. */
static int load(struct store *store, struct error *err)
{
    if (check_format(store->file, err) != 0 || read_identity(store, err) != 0 ||
        open_tables(store, err) != 0 || make_types(store, err) != 0)
        return -1;
    return networks_open(store, err);
}

/* --- open and close --- */

static int open_file(struct store *store, const MPI_Comm *communicator, struct error *err)
{
    hid_t access = communicator == NULL ? h5_serial_access() : h5_parallel_access(communicator);
    store->file =
        H5Fopen(store->path, store->mode == STORE_WRITE ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access);
    int status =
        store->file < 0 ? h5_error(err, ERROR_USAGE, "is an HDF5 file that cannot be opened") : 0;
    h5_close(access);
    return status;
}

static struct store *new_store(const char *path, enum store_mode mode, struct error *err)
{
    struct store *store = mem_zeroed(1, sizeof *store, err);
    if (store == NULL)
        return NULL;
    store->mode = mode;
    store->fd = -1;
    store->file = store->grid = store->attempts = H5I_INVALID_HID;
    store->result_type = store->curve_type = store->environment_type = H5I_INVALID_HID;
    store->path = mem_string(path, err);
    if (store->path != NULL)
        return store;
    free(store);
    return NULL;
}

/* Frees what is ours alone; accepts NULL. */
static void finish(struct store *store)
{
    if (store == NULL)
        return;
    if (store->fd >= 0)
        close(store->fd);
    networks_finish(store);
    free(store->path);
    free(store);
}

struct store *store_open(const char *path, enum store_mode mode, const void *communicator,
                         struct error *err)
{
    const MPI_Comm *ranks = communicator;
    struct error local = {0};
    struct store *store = new_store(path, mode, &local);
    int status = store == NULL ? -1 : inspect_open(path, mode, &store->fd, &local);
    status = agree(ranks, status, &local);
    if (status == 0)
        status = agree(ranks, open_file(store, ranks, &local), &local);
    if (status == 0)
        status = agree(ranks, load(store, &local), &local);
    if (status == 0)
        return store;
    error_set(err, local.class, "%s: %s", path, local.text);
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    h5_close(store->result_type);
    h5_close(store->curve_type);
    h5_close(store->environment_type);
    if (store->file >= 0)
        H5Fclose(store->file);
    finish(store);
}

void store_abandon(struct store *store)
{
    finish(store);
}

int store_writable(const struct store *store, struct error *err)
{
    if (store->mode != STORE_WRITE)
        return error_set(err, ERROR_INTERNAL, "is open for reading");
    return 0;
}

int store_named(const struct store *store, int status, struct error *err)
{
    return status == 0 ? 0 : error_prefix(err, "%s", store->path);
}

/* --- what an open store knows of itself --- */

const struct store_identity *store_identity(const struct store *store)
{
    return &store->identity;
}

int32_t store_network_count(const struct store *store)
{
    return store->network_count;
}

const struct store_network *store_network(const struct store *store, int32_t network)
{
    return &store->networks[network];
}

const char *store_path(const struct store *store)
{
    return store->path;
}

int64_t store_task_count(const struct store *store)
{
    return store->task_count;
}

/* --- the library --- */

void store_library_version(char *to, size_t size)
{
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(to, size, "HDF5 %u.%u.%u", major, minor, release);
}
