/* In-flight states: what tasks that are being trained have reached, in a second HDF5 file beside
 * the store (design section 7). It is scratch: losing it loses minutes, never results.
 *
 * The file is made anew at each launch (checkpoint_renew, one process, before any other opens it):
 * a slot a worker, and one for each state of the file before that is still of use. After that only
 * raw data is written, each worker into its own slot. A slot has two copies; a save goes over the
 * older one, and its record, with a checksum over record and state, is written last: whatever
 * happens meanwhile, one of the two holds. States are found by task key, whoever saved them. */
#ifndef SWEEPSTAKE_STORE_CHECKPOINT_H
#define SWEEPSTAKE_STORE_CHECKPOINT_H

#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "store/store.h"

struct checkpoint;

struct checkpoint_setup {
    const char *store_file;
    /* States are of use only where the same instruction set, BLAS core and kernel mode round. */
    const struct store_identity *identity;
    int32_t slots;      /* workers */
    int64_t slot_bytes; /* the largest state */
    const struct hash128
        *keys; /* [key_count] tasks without a result: their states are carried over */
    int32_t key_count;
};

/* Makes the file, with what can be carried over; the one before is replaced only then. Too little
 * space is a usage error and leaves everything as it was. */
int checkpoint_renew(const struct checkpoint_setup *setup, struct error *err);

/* Bytes of the file without states carried over, nearly. */
int64_t checkpoint_file_bytes(int32_t slots, int64_t slot_bytes);

/* Iterations that the states of these tasks have reached, together; none where there is no file that
 * can be read. Only looks: whether the states themselves hold shows when they are taken. Sorts the
 * keys. */
int checkpoint_iterations(const char *store_file, struct hash128 *keys, int32_t key_count,
                          int64_t *iterations, struct error *err);

/* No more states are needed. */
void checkpoint_remove(const char *store_file);

/* For one worker: saves go to `slot`. */
struct checkpoint *checkpoint_open(const char *store_file, int32_t slot, struct error *err);
void checkpoint_close(struct checkpoint *checkpoint); /* accepts NULL */

/* A save: begin, put any number of pieces, end; on the disk when that returns. checkpoint_put and
 * checkpoint_take have the shape of a stream's `pass`; `checkpoint` is a struct checkpoint. */
int checkpoint_begin(struct checkpoint *checkpoint, struct error *err);
int checkpoint_put(void *checkpoint, void *bytes, size_t size, struct error *err);
int checkpoint_end(struct checkpoint *checkpoint, const struct hash128 *key, int64_t iteration,
                   double seconds, struct error *err);

struct checkpoint_state {
    int64_t iteration; /* the next */
    double seconds;    /* spent on the task until then */
};

/* The furthest state of a task that holds, to be taken piece by piece from its beginning: 1 found,
 * 0 none, -1 an error. */
int checkpoint_find(struct checkpoint *checkpoint, const struct hash128 *key,
                    struct checkpoint_state *state, struct error *err);
int checkpoint_take(void *checkpoint, void *bytes, size_t size, struct error *err);

#endif
