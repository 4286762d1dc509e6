/* The checkpoint file. HDF5 makes it, contiguous and allocated at once, so that any HDF5 program
 * can look into it; from then on its two datasets are plain places in a file. */
#include "checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/storage.h"
#include "base/text.h"
#include "datasets.h"
#include "h5.h"
#include "inspect.h"
#include "space.h"

#define FORMAT "sweepstake checkpoint"
#define FORMAT_VERSION 1
#define STORE_ENDING ".h5"
#define CHECKPOINT_ENDING ".checkpoint.h5"

#define COLUMN(member, type)                                                                       \
    {                                                                                              \
#member, type, sizeof(((struct checkpoint_record *)0)->member),                            \
            offsetof(struct checkpoint_record, member)                                             \
    }
static const struct store_column columns[] = {
    COLUMN(key, STORE_TEXT),        COLUMN(iteration, STORE_INT64),
    COLUMN(bytes, STORE_INT64),     COLUMN(generation, STORE_INT64),
    COLUMN(seconds, STORE_FLOAT64), COLUMN(state_checksum, STORE_INT64),
    COLUMN(checksum, STORE_INT64),
};

void checkpoint_rounding(const struct store_identity *identity, char *to)
{
    snprintf(to, CHECKPOINT_ROUNDING_SIZE, "%s, %s, %s", identity->isa, identity->blas_core,
             identity->kernel_mode);
}

char *checkpoint_path(const char *store_file, struct error *err)
{
    struct text name = {0};
    size_t length = strlen(store_file), ending = strlen(STORE_ENDING);
    if (length > ending && strcmp(store_file + length - ending, STORE_ENDING) == 0)
        length -= ending;
    text_add(&name, "%.*s%s", (int)length, store_file, CHECKPOINT_ENDING);
    if (!name.failed)
        return name.bytes;
    text_finish(&name);
    error_set(err, ERROR_RESOURCE, "not enough memory for the name of the checkpoint file");
    return NULL;
}

/* --- making --- */

static int make_dataset(hid_t into, const char *name, hid_t type, int rank, const hsize_t *dims,
                        struct error *err)
{
    hid_t space = H5Screate_simple(rank, dims, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = H5I_INVALID_HID;
    if (creation >= 0 && H5Pset_layout(creation, H5D_CONTIGUOUS) >= 0 &&
        H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) >= 0 &&
        H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) >= 0)
        dataset = H5Dcreate2(into, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    int status = dataset < 0 ? h5_error(err, ERROR_RESOURCE, "/%s cannot be made", name) : 0;
    h5_close(dataset);
    h5_close(creation);
    h5_close(space);
    return status;
}

static int make_content(hid_t into, const struct checkpoint_file *file, struct error *err)
{
    const int64_t version = FORMAT_VERSION;
    const hsize_t dims[] = {(hsize_t)file->rows, (hsize_t)file->slot_bytes};
    char format[] = FORMAT;
    hid_t type =
        h5_table_type(columns, sizeof columns / sizeof *columns, sizeof(struct checkpoint_record));
    int status = h5_write_texts(into, "format", format, 1, sizeof format, err);
    if (status == 0)
        status = h5_write_integers(into, "format_version", &version, 1, err);
    if (status == 0)
        status = h5_write_integers(into, "generation", &file->generation, 1, err);
    if (status == 0)
        status = h5_write_texts(into, "rounding", file->rounding, 1, sizeof file->rounding, err);
    if (status == 0)
        status = make_dataset(into, "records", type, 1, dims, err);
    if (status == 0)
        status = make_dataset(into, "states", H5T_NATIVE_UINT8, 2, dims, err);
    h5_close(type);
    return status;
}

static int make_file(const struct checkpoint_file *file, struct error *err)
{
    hid_t access = h5_serial_access(), made = H5I_INVALID_HID;
    if (access >= 0 && H5Pset_alignment(access, 1, DATASET_ALIGNMENT) >= 0)
        made = H5Fcreate(file->path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    int status =
        made < 0 ? h5_error(err, ERROR_RESOURCE, "cannot be made") : make_content(made, file, err);
    if (made >= 0 && H5Fclose(made) < 0 && status == 0)
        status = h5_error(err, ERROR_RESOURCE, "cannot be written");
    h5_close(access);
    return status;
}

int64_t checkpoint_file_bytes(int32_t slots, int64_t slot_bytes)
{
    const int64_t front = 2 * DATASET_ALIGNMENT, rows = (int64_t)slots * CHECKPOINT_COPIES;
    return front + rows * (slot_bytes + (int64_t)sizeof(struct checkpoint_record));
}

int checkpoint_file_create(struct checkpoint_file *file, struct error *err)
{
    struct stat made;
    int32_t slots = (int32_t)(file->rows / CHECKPOINT_COPIES);
    file->fd = -1;
    if (space_check(file->path, checkpoint_file_bytes(slots, file->slot_bytes), err) != 0)
        return -1;
    if (make_file(file, err) == 0 && checkpoint_file_open(file, err) == 0 &&
        fstat(file->fd, &made) == 0 && space_reserve(file->fd, file->path, made.st_size, err) == 0)
        return 0;
    unlink(file->path);
    return -1;
}

/* --- opening --- */

static hid_t open_dataset(hid_t in, const char *name, int64_t *place, struct error *err)
{
    hid_t dataset = H5Dopen2(in, name, H5P_DEFAULT);
    haddr_t address = dataset < 0 ? HADDR_UNDEF : H5Dget_offset(dataset);
    if (address == HADDR_UNDEF)
        error_set(err, ERROR_USAGE, "/%s is missing", name);
    *place = address == HADDR_UNDEF ? -1 : (int64_t)address;
    return dataset;
}

static int read_places(hid_t in, struct checkpoint_file *file, struct error *err)
{
    hid_t records = open_dataset(in, "records", &file->records_at, err);
    hid_t states = open_dataset(in, "states", &file->states_at, err);
    hid_t space = states < 0 ? H5I_INVALID_HID : H5Dget_space(states);
    hsize_t dims[2] = {0};
    bool fits = file->records_at >= 0 && file->states_at >= 0 &&
                H5Sget_simple_extent_ndims(space) == 2 &&
                H5Sget_simple_extent_dims(space, dims, NULL) == 2 &&
                h5_row_count(records) == (int64_t)dims[0];
    file->rows = (int64_t)dims[0];
    file->slot_bytes = (int64_t)dims[1];
    h5_close(space);
    h5_close(states);
    h5_close(records);
    return fits ? 0 : error_set(err, ERROR_USAGE, "damaged: /records and /states");
}

static int read_front(hid_t in, struct checkpoint_file *file, struct error *err)
{
    char format[sizeof FORMAT];
    int64_t version;
    if (h5_read_texts(in, "format", format, 1, sizeof format, err) != 0 ||
        h5_read_integers(in, "format_version", &version, 1, err) != 0)
        return -1;
    if (strcmp(format, FORMAT) != 0 || version != FORMAT_VERSION)
        return error_set(err, ERROR_USAGE, "is no checkpoint file of this program's format");
    if (h5_read_integers(in, "generation", &file->generation, 1, err) != 0 ||
        h5_read_texts(in, "rounding", file->rounding, 1, sizeof file->rounding, err) != 0)
        return -1;
    return read_places(in, file, err);
}

int checkpoint_file_open(struct checkpoint_file *file, struct error *err)
{
    if (inspect_open(file->path, STORE_WRITE, &file->fd, err) != 0)
        return -1;
    hid_t access = h5_serial_access();
    hid_t opened = H5Fopen(file->path, H5F_ACC_RDONLY, access);
    int status =
        opened < 0 ? h5_error(err, ERROR_USAGE, "cannot be opened") : read_front(opened, file, err);
    if (opened >= 0)
        H5Fclose(opened);
    h5_close(access);
    return status;
}

void checkpoint_file_finish(struct checkpoint_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    *file = (struct checkpoint_file){.fd = -1};
}

/* --- transfers --- */

static int cannot_write(const struct checkpoint_file *file, int reason, struct error *err)
{
    storage_error(err, reason, "cannot be written");
    return error_prefix(err, "%s", file->path);
}

int checkpoint_file_write(const struct checkpoint_file *file, const void *bytes, size_t size,
                          int64_t place, struct error *err)
{
    const char *from = bytes;
    while (size > 0) {
        ssize_t written = pwrite(file->fd, from, size, place);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return cannot_write(file, written < 0 ? errno : ENOSPC, err);
        from += written;
        place += written;
        size -= (size_t)written;
    }
    return 0;
}

int checkpoint_file_read(const struct checkpoint_file *file, void *bytes, size_t size,
                         int64_t place, struct error *err)
{
    char *to = bytes;
    while (size > 0) {
        ssize_t got = pread(file->fd, to, size, place);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_set(err, ERROR_RESOURCE, "%s: cannot be read: %s", file->path,
                             got < 0 ? strerror(errno) : "it is cut short");
        to += got;
        place += got;
        size -= (size_t)got;
    }
    return 0;
}

int checkpoint_file_sync(const struct checkpoint_file *file, struct error *err)
{
    if (fdatasync(file->fd) == 0)
        return 0;
    return cannot_write(file, errno, err);
}

/* --- rows --- */

int64_t checkpoint_state_place(const struct checkpoint_file *file, int64_t row)
{
    return file->states_at + row * file->slot_bytes;
}

static int64_t record_place(const struct checkpoint_file *file, int64_t row)
{
    return file->records_at + row * (int64_t)sizeof(struct checkpoint_record);
}

static int64_t checksum_of(const struct checkpoint_record *record)
{
    return (int64_t)hash64_of(record, offsetof(struct checkpoint_record, checksum));
}

int checkpoint_record_read(const struct checkpoint_file *file, int64_t row,
                           struct checkpoint_record *record, struct error *err)
{
    return checkpoint_file_read(file, record, sizeof *record, record_place(file, row), err);
}

int checkpoint_record_write(const struct checkpoint_file *file, int64_t row,
                            struct checkpoint_record *record, struct error *err)
{
    record->generation = file->generation;
    record->checksum = checksum_of(record);
    return checkpoint_file_write(file, record, sizeof *record, record_place(file, row), err);
}

bool checkpoint_record_holds(const struct checkpoint_file *file,
                             const struct checkpoint_record *record)
{
    return record->bytes > 0 && record->bytes <= file->slot_bytes &&
           record->generation == file->generation && record->checksum == checksum_of(record);
}
