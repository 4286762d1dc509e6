/* Making a store. Three steps over one list of datasets (datasets.h):
 *
 *   1. all metadata, with no data allocated: one piece at the front of the file (front.h);
 *   2. the file is reserved on the disk up to its final size, which is known exactly by then;
 *   3. it is opened once more, and each dataset in turn is allocated, aligned, and given its first
 *      content.
 *
 * Writers later touch only what step 3 allocated. The front never changes again, but for the flag
 * in the superblock by which HDF5 notes that a file is open for writing; superblock version 0,
 * unlike version 3, is opened whatever it says. Everything happens under a temporary name, the
 * content that an enlarged or merged store has from others included. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "front.h"
#include "h5.h"
#include "handle.h"
#include "space.h"

/* HDF5 allocates a dataset when its first element is written. */
static int write_one_element(hid_t dataset, const struct dataset *item, struct error *err)
{
    const hsize_t start[DATASET_MAX_RANK] = {0}, one = 1;
    const hsize_t count[DATASET_MAX_RANK] = {1, 1, 1, 1, 1};
    void *element = mem_zeroed(1, H5Tget_size(item->type), err);
    if (element == NULL)
        return -1;
    hid_t memory = H5Screate_simple(1, &one, NULL), space = H5Dget_space(dataset);
    int status = 0;
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        H5Dwrite(dataset, item->type, memory, space, H5P_DEFAULT, element) < 0)
        status = h5_error(err, ERROR_RESOURCE, "%s cannot be allocated", item->path);
    h5_close(space);
    h5_close(memory);
    free(element);
    return status;
}

/* Rows that are all alike, many at a time. */
static int write_like_rows(hid_t dataset, const struct dataset *item, const void *row,
                           struct error *err)
{
    const int64_t rows = (int64_t)item->dims[0], batch = rows < 4096 ? rows : 4096;
    const size_t size = H5Tget_size(item->type);
    char *buffer = mem_zeroed((size_t)batch, size, err);
    if (buffer == NULL)
        return -1;
    for (int64_t i = 0; i < batch && row != NULL; i++)
        memcpy(buffer + (size_t)i * size, row, size);
    int status = 0;
    for (int64_t first = 0; first < rows && status == 0; first += batch) {
        int64_t count = rows - first < batch ? rows - first : batch;
        status = h5_write_rows(dataset, item->type, first, count, buffer, err);
    }
    free(buffer);
    return status;
}

static int write_content(hid_t dataset, const struct dataset *item, struct error *err)
{
    const struct store_result pending = store_result_pending();
    switch (item->content) {
    case CONTENT_NONE:
        return write_one_element(dataset, item, err);
    case CONTENT_ROWS:
        return h5_write_rows(dataset, item->type, 0, (int64_t)item->dims[0], item->rows, err);
    case CONTENT_ZERO:
        return write_like_rows(dataset, item, NULL, err);
    case CONTENT_PENDING:
        return write_like_rows(dataset, item, &pending, err);
    }
    return -1;
}

static int fill_datasets(hid_t file, const struct dataset_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct dataset *item = &list->items[i];
        if (item->bytes == 0)
            continue;
        hid_t dataset = H5Dopen2(file, item->path, H5P_DEFAULT);
        int status = dataset < 0 ? h5_error(err, ERROR_RESOURCE, "%s cannot be opened", item->path)
                                 : write_content(dataset, item, err);
        h5_close(dataset);
        if (status != 0)
            return -1;
    }
    return 0;
}

/* Each dataset starts a page, however small, so that no two are written through one. */
static int fill_file(const char *path, const struct dataset_list *list, struct error *err)
{
    hid_t access = h5_serial_access();
    hid_t file = H5I_INVALID_HID;
    if (access >= 0 && H5Pset_alignment(access, 1, DATASET_ALIGNMENT) >= 0 &&
        H5Pset_small_data_block_size(access, 0) >= 0)
        file = H5Fopen(path, H5F_ACC_RDWR, access);
    int status = file < 0 ? h5_error(err, ERROR_RESOURCE, "cannot be opened again")
                          : fill_datasets(file, list, err);
    if (file >= 0 && H5Fclose(file) < 0 && status == 0)
        status = h5_error(err, ERROR_RESOURCE, "cannot be written");
    h5_close(access);
    return status;
}

int64_t store_layout_bytes(const struct store_layout *layout)
{
    struct dataset_list list;
    int64_t front = 0;
    h5_quiet();
    if (datasets_list(layout, &list, NULL) != 0)
        return -1;
    int status = front_measure(layout, &list, &front, NULL);
    int64_t bytes = status == 0 ? datasets_file_bytes(&list, front) : -1;
    datasets_finish(&list);
    return bytes;
}

/* The caller's content. */
static int fill_store(const char *path, const struct store_filling *filling, struct error *err)
{
    struct store *store = store_open(path, STORE_WRITE, NULL, err);
    if (store == NULL)
        return -1;
    int status = filling->fill(filling->user, store, err);
    store_close(store);
    return status;
}

/* The file under its temporary name, complete and on the disk. */
static int make_file(const char *path, const struct store_layout *layout,
                     const struct store_filling *filling, const struct dataset_list *list,
                     struct error *err)
{
    int64_t front = 0;
    if (front_make(path, h5_serial_access(), layout, list, &front, err) != 0)
        return -1;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERROR_RESOURCE, "cannot be opened again: %s", strerror(errno));
    int status = space_reserve(fd, path, datasets_file_bytes(list, front), err);
    if (status == 0)
        status = fill_file(path, list, err);
    if (status == 0 && filling->fill != NULL)
        status = fill_store(path, filling, err);
    if (status == 0 && fsync(fd) != 0)
        status = error_set(err, ERROR_RESOURCE, "cannot be written: %s", strerror(errno));
    close(fd);
    return status;
}

/* Beside the file itself where `path` is a link to it. */
static struct text temporary_name(const char *path)
{
    char file[PATH_MAX];
    struct text name = {0};
    text_add(&name, "%s.new", realpath(path, file) != NULL ? file : path);
    return name;
}

/* The new file in the place of the old one, which keeps its permissions. */
static int put_in_place(const char *temporary, const char *path, struct error *err)
{
    char file[PATH_MAX];
    struct stat old;
    bool replaces = realpath(path, file) != NULL;
    if (replaces && stat(file, &old) == 0)
        (void)chmod(temporary, old.st_mode & 07777); /* where it cannot be had, the default */
    if (rename(temporary, replaces ? file : path) != 0)
        return error_set(err, ERROR_RESOURCE, "cannot be renamed: %s", strerror(errno));
    return file_sync_folder(replaces ? file : path, err);
}

static int create_listed(const char *path, const struct store_layout *layout,
                         const struct store_filling *filling, const struct dataset_list *list,
                         struct error *err)
{
    int64_t front = 0;
    if (!filling->replaces && access(path, F_OK) == 0)
        return error_set(err, ERROR_USAGE, "exists already");
    if (filling->replaces && access(path, W_OK) != 0)
        return error_set(err, ERROR_USAGE, "cannot be extended: %s", strerror(errno));
    struct text temporary = temporary_name(path);
    if (temporary.failed)
        return error_set(err, ERROR_RESOURCE, "not enough memory for its name");
    unlink(temporary.bytes); /* what a killed run left */
    int status = front_measure(layout, list, &front, err);
    if (status == 0)
        status = space_check(temporary.bytes, datasets_file_bytes(list, front), err);
    if (status == 0)
        status = make_file(temporary.bytes, layout, filling, list, err);
    if (status == 0)
        status = put_in_place(temporary.bytes, path, err);
    if (status != 0)
        unlink(temporary.bytes);
    text_finish(&temporary);
    return status;
}

/* A layout without them can be measured, not made. */
static bool has_rows(const struct store_layout *layout)
{
    const struct store_table *tables[] = {&layout->experiments, &layout->points, &layout->tasks};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (tables[i]->row_count > 0 && tables[i]->rows == NULL)
            return false;
    return true;
}

int store_create_filled(const char *path, const struct store_layout *layout,
                        const struct store_filling *filling, struct error *err)
{
    struct dataset_list list;
    h5_quiet();
    if (!has_rows(layout))
        return error_set(err, ERROR_INTERNAL, "%s: the rows of its tables are missing", path);
    if (datasets_list(layout, &list, err) != 0)
        return error_prefix(err, "%s", path);
    int status = create_listed(path, layout, filling, &list, err);
    datasets_finish(&list);
    return status == 0 ? 0 : error_prefix(err, "%s", path);
}

int store_create(const char *path, const struct store_layout *layout, struct error *err)
{
    return store_create_filled(path, layout, &(struct store_filling){0}, err);
}

void store_discard_unfinished(const char *path)
{
    struct text temporary = temporary_name(path);
    if (!temporary.failed)
        unlink(temporary.bytes);
    text_finish(&temporary);
}
