/* Thin helpers over HDF5. Every call that can fail is checked here and turned into a struct error
 * with the root of HDF5's error stack, which is where the reason stands ("No space left on
 * device"). Only calls that HDF5 1.10 and 1.14 have in common, with their version numbers written
 * out. */
#include "h5.h"

#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MAX_RANK 8

void h5_quiet(void)
{
    /* Every file is closed by its owner. The library's own closing at exit crashes where that failed
     * on a full disk (seen with 1.10.8). It must be told before anything else. */
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

struct root_message {
    char text[256];
};

/* The first entry of a walk upwards is where the failure began. Drivers put the system's message
 * into a long line of their own; only it is kept. */
static herr_t take_root(unsigned position, const H5E_error2_t *entry, void *user)
{
    struct root_message *root = user;
    if (position > 0 || entry->desc == NULL)
        return 0;
    static const char mark[] = "error message = '";
    const char *system = strstr(entry->desc, mark);
    text_copy(root->text, sizeof root->text, system ? system + sizeof mark - 1 : entry->desc);
    char *end = system ? strchr(root->text, '\'') : NULL;
    if (end != NULL)
        *end = '\0';
    return 0;
}

int h5_error(struct error *err, enum error_class class, const char *format, ...)
{
    struct root_message root = {"no reason given"};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_root, &root);
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(err, class, "%s: %s", text, root.text);
}

/* HDF5 reads the environment before the property, so that a user can still ask for locks. */
#if H5_VERSION_GE(1, 14, 0) || (H5_VERS_MINOR == 12 && H5_VERS_RELEASE >= 1) ||                    \
    (H5_VERS_MINOR == 10 && H5_VERS_RELEASE >= 7)
static herr_t turn_locking_off(hid_t access)
{
    return H5Pset_file_locking(access, false, true);
}
#else
static herr_t turn_locking_off(hid_t access)
{
    (void)access;
    return setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0) == 0 ? 0 : -1;
}
#endif

hid_t h5_serial_access(void)
{
    h5_quiet();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0 &&
        (H5Pset_fapl_sec2(access) < 0 || H5Pset_sieve_buf_size(access, 0) < 0 ||
         H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 || turn_locking_off(access) < 0)) {
        h5_close(access);
        return H5I_INVALID_HID;
    }
    return access;
}

hid_t h5_parallel_access(const void *communicator)
{
    h5_quiet();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0 &&
        (H5Pset_fapl_mpio(access, *(const MPI_Comm *)communicator, MPI_INFO_NULL) < 0 ||
         H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0)) {
        h5_close(access);
        return H5I_INVALID_HID;
    }
    return access;
}

void h5_close(hid_t handle)
{
    if (handle >= 0)
        H5Idec_ref(handle);
}

hid_t h5_text_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, size) < 0 || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
                      H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        h5_close(type);
        return H5I_INVALID_HID;
    }
    return type;
}

static hid_t column_type(const struct store_column *column)
{
    switch (column->type) {
    case STORE_INT8:
        return H5Tcopy(H5T_NATIVE_INT8);
    case STORE_INT16:
        return H5Tcopy(H5T_NATIVE_INT16);
    case STORE_INT32:
        return H5Tcopy(H5T_NATIVE_INT32);
    case STORE_INT64:
        return H5Tcopy(H5T_NATIVE_INT64);
    case STORE_FLOAT32:
        return H5Tcopy(H5T_NATIVE_FLOAT);
    case STORE_FLOAT64:
        return H5Tcopy(H5T_NATIVE_DOUBLE);
    case STORE_TEXT:
        return h5_text_type(column->size);
    }
    return H5I_INVALID_HID;
}

hid_t h5_table_type(const struct store_column *columns, int32_t count, size_t row_size)
{
    hid_t table = H5Tcreate(H5T_COMPOUND, row_size);
    for (int32_t i = 0; i < count && table >= 0; i++) {
        hid_t member = column_type(&columns[i]);
        if (member < 0 || H5Tinsert(table, columns[i].name, columns[i].offset, member) < 0) {
            h5_close(table);
            table = H5I_INVALID_HID;
        }
        h5_close(member);
    }
    return table;
}

/* The dataset's space with the rows selected, and how many elements they are. */
static hid_t select_rows(hid_t dataset, int64_t first, int64_t count, hsize_t *elements,
                         struct error *err)
{
    if (dataset < 0)
        return error_set(err, ERROR_INTERNAL, "a mask or weights that this store has no slots for");
    hid_t space = H5Dget_space(dataset);
    hsize_t dims[MAX_RANK], start[MAX_RANK] = {0};
    int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (rank < 1 || rank > MAX_RANK || H5Sget_simple_extent_dims(space, dims, NULL) != rank) {
        h5_error(err, ERROR_RESOURCE, "is not a table of rows");
        goto fail;
    }
    if (first < 0 || count < 0 || (hsize_t)first > dims[0] ||
        (hsize_t)count > dims[0] - (hsize_t)first) {
        error_set(err, ERROR_INTERNAL, "%lld rows from row %lld do not exist: there are %llu",
                  (long long)count, (long long)first, (unsigned long long)dims[0]);
        goto fail;
    }
    start[0] = (hsize_t)first;
    dims[0] = (hsize_t)count;
    *elements = 1;
    for (int i = 0; i < rank; i++)
        *elements *= dims[i];
    if (*elements == 0 || H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, dims, NULL) >= 0)
        return space;
    h5_error(err, ERROR_INTERNAL, "cannot select rows");
fail:
    h5_close(space);
    return H5I_INVALID_HID;
}

/* Puts the dataset's path in front of what went wrong. */
static int name_dataset(hid_t dataset, struct error *err)
{
    char name[256];
    return H5Iget_name(dataset, name, sizeof name) > 0 ? error_prefix(err, "%s", name) : -1;
}

/* Reads into `to` or writes what is at `from`: the one that is not NULL. */
static int transfer_rows(hid_t dataset, hid_t type, int64_t first, int64_t count, void *to,
                         const void *from, struct error *err)
{
    hsize_t elements = 0;
    hid_t selected = select_rows(dataset, first, count, &elements, err);
    if (selected < 0)
        return name_dataset(dataset, err);
    int status = 0;
    if (elements > 0) {
        hid_t memory = H5Screate_simple(1, &elements, NULL);
        herr_t done = -1;
        if (memory >= 0)
            done = to != NULL ? H5Dread(dataset, type, memory, selected, H5P_DEFAULT, to)
                              : H5Dwrite(dataset, type, memory, selected, H5P_DEFAULT, from);
        if (done < 0)
            status =
                h5_error(err, ERROR_RESOURCE, to != NULL ? "cannot be read" : "cannot be written");
        h5_close(memory);
    }
    h5_close(selected);
    return status == 0 ? 0 : name_dataset(dataset, err);
}

int h5_read_rows(hid_t dataset, hid_t type, int64_t first, int64_t count, void *rows,
                 struct error *err)
{
    return transfer_rows(dataset, type, first, count, rows, NULL, err);
}

int h5_write_rows(hid_t dataset, hid_t type, int64_t first, int64_t count, const void *rows,
                  struct error *err)
{
    return transfer_rows(dataset, type, first, count, NULL, rows, err);
}

int64_t h5_row_count(hid_t dataset)
{
    hsize_t dims[MAX_RANK];
    hid_t space = H5Dget_space(dataset);
    int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    int64_t rows = -1;
    if (rank >= 1 && rank <= MAX_RANK && H5Sget_simple_extent_dims(space, dims, NULL) == rank)
        rows = (int64_t)dims[0];
    h5_close(space);
    return rows;
}

/* Bytes that the dataset's elements take; -1 where that is no number. */
static int64_t claimed_bytes(hid_t dataset)
{
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    hssize_t elements = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    size_t size = type < 0 ? 0 : H5Tget_size(type);
    int64_t bytes = -1;
    if (elements < 0 || size == 0 || __builtin_mul_overflow(elements, size, &bytes))
        bytes = -1;
    h5_close(type);
    h5_close(space);
    return bytes;
}

/* Bytes that a dataset can hold at most. Ours are contiguous; somebody may have compressed a copy,
 * and deflate packs at most so well. */
static int64_t bytes_held(hid_t dataset)
{
    hid_t file = H5Iget_file_id(dataset), made = H5Dget_create_plist(dataset);
    hsize_t size = 0;
    if (file < 0 || made < 0 || H5Fget_filesize(file, &size) < 0)
        size = 0;
    else if (H5Pget_layout(made) != H5D_CONTIGUOUS)
        size *= 1032;
    h5_close(made);
    if (file >= 0)
        H5Fclose(file);
    return (int64_t)size;
}

int h5_check_dataset(hid_t dataset, int rank, struct error *err)
{
    hid_t space = H5Dget_space(dataset);
    int dimensions = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    h5_close(space);
    int64_t claimed = claimed_bytes(dataset);
    if (dimensions == rank && claimed >= 0 && claimed <= bytes_held(dataset))
        return 0;
    if (dimensions != rank)
        error_set(err, ERROR_USAGE, "damaged: has %d dimensions instead of %d", dimensions, rank);
    else
        error_set(err, ERROR_USAGE, "damaged: claims more than the file holds");
    return name_dataset(dataset, err);
}
