/* HDF5 as this room uses it: quiet, failures as struct error, rows of a dataset in and out. */
#ifndef SWEEPSTAKE_STORE_H5_H
#define SWEEPSTAKE_STORE_H5_H

#include <hdf5.h>
#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

/* Keeps HDF5 from printing its error stack, and from closing at exit what is still open. Before the
 * first call; may be repeated. */
void h5_quiet(void);

/* Fills `err` with the text and what HDF5's error stack says at its root, and returns -1. To be
 * called before any other HDF5 call: each of them clears the stack. */
int h5_error(struct error *err, enum error_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* How files are opened. One process: the default driver without a sieve buffer (with it, writes sit
 * in memory past fdatasync) and without file locking (readers come and go while a grid runs). */
hid_t h5_serial_access(void);
/* MPI-IO; `communicator` points to an MPI_Comm. */
hid_t h5_parallel_access(const void *communicator);

/* Closes a handle of any kind but a file; accepts negative ones. */
void h5_close(hid_t handle);

/* A fixed-size, zero-padded string type; an in-memory compound of a table's columns. */
hid_t h5_text_type(size_t size);
hid_t h5_table_type(const struct store_column *columns, int32_t count, size_t row_size);

/* Rows first .. first + count - 1 along the first dimension, the others whole, from or to one
 * contiguous block. Rows outside the dataset are an internal error. Not collective. */
int h5_read_rows(hid_t dataset, hid_t type, int64_t first, int64_t count, void *rows,
                 struct error *err);
int h5_write_rows(hid_t dataset, hid_t type, int64_t first, int64_t count, const void *rows,
                  struct error *err);
/* Rows of a dataset; -1 when it has none to give (a damaged or scalar dataset). */
int64_t h5_row_count(hid_t dataset);
/* A damaged file may claim anything: a dataset is refused that has other than `rank` dimensions, or
 * more in them than the file has bytes for, before anybody takes memory by what it says. */
int h5_check_dataset(hid_t dataset, int rank, struct error *err);

/* Attributes. Texts are of a fixed size, several texts an array. Readers say what is missing or
 * of the wrong kind; a count that is not what the attribute holds is such a thing. */
int h5_write_texts(hid_t object, const char *name, const char *texts, int32_t count, size_t size,
                   struct error *err);
int h5_write_integers(hid_t object, const char *name, const int64_t *values, int32_t count,
                      struct error *err);
int h5_read_texts(hid_t object, const char *name, char *texts, int32_t count, size_t size,
                  struct error *err);
int h5_read_integers(hid_t object, const char *name, int64_t *values, int32_t count,
                     struct error *err);

#endif
