/* An open store. All handles are opened by store_open: afterwards no HDF5 metadata is read, let
 * alone written, and every operation is a raw transfer that needs no other rank. */
#ifndef SWEEPSTAKE_STORE_HANDLE_H
#define SWEEPSTAKE_STORE_HANDLE_H

#include <hdf5.h>
#include <math.h>
#include <stdbool.h>

#include "schema.h"
#include "store/store.h"

/* Datasets of a network; negative where there is none. */
struct network_handles {
    hid_t *masks;   /* [parameter] */
    hid_t *weights; /* [when][parameter] */
};

struct store {
    char *path;
    enum store_mode mode;
    int fd; /* opened before the first write and kept: fdatasync on it covers them all */
    hid_t file;
    hid_t tables[TABLE_COUNT];
    hid_t grid, attempts;
    hid_t result_type, curve_type, environment_type;
    struct store_identity identity;
    int64_t task_count, curve_rows;
    int32_t network_count;
    struct store_network *networks;
    struct network_handles *handles;
};

/* Rows from `first` on. ERROR_STORAGE where the file system fails, with the reason. */
int store_write_rows(struct store *store, hid_t dataset, hid_t type, int64_t first, int64_t count,
                     const void *rows, struct error *err);
int store_read_rows(struct store *store, hid_t dataset, hid_t type, int64_t first, int64_t count,
                    void *rows, struct error *err);

/* Makes what was written through HDF5 durable. */
int store_sync(struct store *store, struct error *err);

/* An internal error unless the store was opened for writing. */
int store_writable(const struct store *store, struct error *err);

/* Puts the store's path in front of an error; passes the status on. */
int store_named(const struct store *store, int status, struct error *err);

/* Every NaN as the same NaN, so that equal content is equal bytes. */
static inline double one_nan(double value)
{
    return isnan(value) ? (double)NAN : value;
}

/* Whether the dataset is a table: one dimension, every column within the row. HDF5 itself does not
 * look, and moves what lies outside. */
int table_check(hid_t dataset, struct error *err);
/* A table's columns by what the file says. `table` is the caller's to finish. */
int table_read(hid_t dataset, struct store_table *table, struct error *err);

/* Reads what store_open needs to know of the networks and opens their datasets. */
int networks_open(struct store *store, struct error *err);
void networks_finish(struct store *store);

static inline hid_t weights_handle(const struct store *store, int32_t network, int32_t when,
                                   int32_t parameter)
{
    return store->handles[network]
        .weights[when * store->networks[network].parameter_count + parameter];
}

#endif
