/* The checkpoint file as a file: made and opened through HDF5, read and written through a POSIX
 * descriptor at the places HDF5 gave its two datasets. */
#ifndef SWEEPSTAKE_STORE_CHECKPOINT_FILE_H
#define SWEEPSTAKE_STORE_CHECKPOINT_FILE_H

#include "store/checkpoint.h"

#define CHECKPOINT_COPIES 2
#define CHECKPOINT_ROUNDING_SIZE 72

/* A row of /records: copy c of slot s is row s * CHECKPOINT_COPIES + c, and so is its row of
 * /states. Never filled: no bytes, and a checksum that does not hold. */
struct checkpoint_record {
    char key[32]; /* hexadecimal, not terminated */
    int64_t iteration, bytes, generation;
    double seconds;
    int64_t state_checksum, checksum; /* XXH3 of the state; of this record up to here */
    char reserved[48];
};
_Static_assert(sizeof(struct checkpoint_record) == 128, "no record lies across two pages");

struct checkpoint_file {
    char *path;
    int fd;
    int64_t rows, slot_bytes;
    int64_t records_at, states_at; /* places in the file */
    int64_t generation;            /* counts launches */
    char rounding[CHECKPOINT_ROUNDING_SIZE];
};

void checkpoint_rounding(const struct store_identity *identity, char *to);

/* NAME.checkpoint.h5 for NAME.h5; NULL without memory. To free. */
char *checkpoint_path(const char *store_file, struct error *err);

/* Makes an empty file: `path`, rows, slot_bytes, generation and rounding are given. It is open
 * afterwards. On failure nothing is left. */
int checkpoint_file_create(struct checkpoint_file *file, struct error *err);
/* `path` is given. A usage error where it is not there or not a checkpoint file. */
int checkpoint_file_open(struct checkpoint_file *file, struct error *err);
/* Closes and frees the path. */
void checkpoint_file_finish(struct checkpoint_file *file);

/* Whole transfers, or an error that says why. */
int checkpoint_file_write(const struct checkpoint_file *file, const void *bytes, size_t size,
                          int64_t place, struct error *err);
int checkpoint_file_read(const struct checkpoint_file *file, void *bytes, size_t size,
                         int64_t place, struct error *err);
int checkpoint_file_sync(const struct checkpoint_file *file, struct error *err);

int64_t checkpoint_state_place(const struct checkpoint_file *file, int64_t row);
int checkpoint_record_read(const struct checkpoint_file *file, int64_t row,
                           struct checkpoint_record *record, struct error *err);
/* Fills in the generation and the checksum. */
int checkpoint_record_write(const struct checkpoint_file *file, int64_t row,
                            struct checkpoint_record *record, struct error *err);
bool checkpoint_record_holds(const struct checkpoint_file *file,
                             const struct checkpoint_record *record);

#endif
