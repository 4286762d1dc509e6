/* Rows of an open store in and out. Over MPI-IO HDF5 does not say why a transfer failed: the file
 * is asked through the store's own descriptor. A write that failed ends the run whatever the
 * answer; a read ends it where the file system is to blame, else the caller. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/storage.h"
#include "h5.h"
#include "handle.h"

/* Where rows are in the file; datasets are contiguous. */
struct extent {
    off_t offset;
    size_t bytes;
};

static struct extent extent_of(hid_t dataset, int64_t first, int64_t count)
{
    haddr_t start = H5Dget_offset(dataset);
    int64_t rows = h5_row_count(dataset);
    if (start == HADDR_UNDEF || rows <= 0)
        return (struct extent){0};
    hsize_t size = H5Dget_storage_size(dataset) / (hsize_t)rows;
    return (struct extent){(off_t)(start + (hsize_t)first * size), (size_t)count * size};
}

/* `reason` is an errno, or 0 where all the library says must do. */
static int blame_storage(hid_t dataset, const char *what, int reason, const struct error *why,
                         struct error *err)
{
    char text[STORE_NAME_SIZE * 4], name[STORE_NAME_SIZE * 3];
    if (reason == 0 || H5Iget_name(dataset, name, sizeof name) <= 0)
        return storage_error(err, reason, why->text);
    snprintf(text, sizeof text, "%s %s", name, what);
    return storage_error(err, reason, text);
}

int store_write_rows(struct store *store, hid_t dataset, hid_t type, int64_t first, int64_t count,
                     const void *rows, struct error *err)
{
    struct error why = {0};
    if (h5_write_rows(dataset, type, first, count, rows, &why) == 0)
        return 0;
    struct extent extent = extent_of(dataset, first, count);
    if (why.class == ERROR_RESOURCE)
        return blame_storage(dataset, "cannot be written",
                             storage_probe_write(store->fd, extent.offset, extent.bytes), &why,
                             err);
    return error_set(err, why.class, "%s", why.text);
}

int store_read_rows(struct store *store, hid_t dataset, hid_t type, int64_t first, int64_t count,
                    void *rows, struct error *err)
{
    struct error why = {0};
    if (h5_read_rows(dataset, type, first, count, rows, &why) == 0)
        return 0;
    struct extent extent = extent_of(dataset, first, count);
    int reason = why.class == ERROR_RESOURCE
                     ? storage_probe_read(store->fd, extent.offset, extent.bytes)
                     : 0;
    if (reason != 0)
        return blame_storage(dataset, "cannot be read", reason, &why, err);
    return error_set(err, why.class, "%s", why.text);
}

int store_sync(struct store *store, struct error *err)
{
    return fdatasync(store->fd) == 0 ? 0 : storage_error(err, errno, "cannot be made durable");
}
