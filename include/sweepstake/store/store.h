/* The results store: one HDF5 file (design section 7). The only room that knows HDF5, on plain
 * structs.
 *
 * Everything is created at full size by one process before anybody writes (store_create);
 * afterwards only raw data is written, independently, each writer into its own rows. A worker
 * writes payloads (masks, weights, curve) and syncs them; rank 0 alone writes result rows and
 * attempts. A task counts as done only if its row says so and its checksum over payload and lasting
 * columns holds. */
#ifndef SWEEPSTAKE_STORE_STORE_H
#define SWEEPSTAKE_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define STORE_FORMAT "sweepstake"
#define STORE_FORMAT_VERSION 1
#define STORE_NAME_SIZE 64
#define STORE_MAX_PARAMETERS 192
#define STORE_MAX_WHENS 128
#define STORE_RESULT_BYTES 512
#define STORE_ENVIRONMENT_ROWS 1024

/* --- tables: 1-D compounds of flat columns --- */

enum store_type {
    STORE_INT8,
    STORE_INT16,
    STORE_INT32,
    STORE_INT64,
    STORE_FLOAT32,
    STORE_FLOAT64,
    STORE_TEXT
};

struct store_column {
    char name[STORE_NAME_SIZE];
    enum store_type type;
    size_t size;   /* bytes; text: fixed, zero-padded */
    size_t offset; /* in the row */
};

struct store_table {
    struct store_column *columns;
    int32_t column_count;
    size_t row_size;
    int64_t row_count;
    void *rows;
};
/* -1 when there is no such column. */
int store_table_column(const struct store_table *table, const char *name);
/* Values by row and column, converted; text is not terminated in the row: copied into `to`. */
int64_t store_table_integer(const struct store_table *table, int64_t row, int column);
double store_table_real(const struct store_table *table, int64_t row, int column);
const char *store_table_text(const struct store_table *table, int64_t row, int column, char *to,
                             size_t size);
/* Into a numeric column, converted to its type; nothing when there is no such column (-1). */
void store_table_set_integer(struct store_table *table, int64_t row, int column, int64_t value);
/* Gives a table the columns of another that it lacks, widens texts that are wider there, and makes
 * room for `room` rows in all. What is missing in a row is -1, NaN or empty. */
int store_table_extend(struct store_table *table, const struct store_table *by, int64_t room,
                       struct error *err);
/* Appends a row of a table it was extended by, within the room; returns its number. */
int64_t store_table_append(struct store_table *table, const struct store_table *by, int64_t row);
/* Orphans (rows that the present grid does not ask for, kept from an earlier one) have 1 in column
 * `orphan` and stand behind all others: how many rows come before them. */
int64_t store_table_live_rows(const struct store_table *table);
void store_table_finish(struct store_table *table); /* frees columns and rows */

/* --- layout: what store_create makes --- */

struct store_parameter {
    char name[STORE_NAME_SIZE];
    char kind[16]; /* conv, fc, output, bias, ... */
    int32_t rank;
    int64_t dims[4];
    int64_t count,
        offset; /* elements; first element in a block of floats (weights) or bytes (mask) */
    bool prunable;
};

/* One set of weights of a network: /weights/<net>/<parameter>/<name>, `slots` rows. */
struct store_when {
    char name[32]; /* init, rewind-K, at-N, early-stop, final */
    int64_t slots;
};

struct store_network {
    char name[STORE_NAME_SIZE];
    int64_t block_size; /* elements of a block */
    int32_t parameter_count;
    struct store_parameter parameters[STORE_MAX_PARAMETERS];
    int64_t mask_slots;
    int32_t when_count;
    struct store_when whens[STORE_MAX_WHENS];
};

/* Root attributes. Texts; what fixes rounding is isa, blas_core, kernel_mode. */
struct store_identity {
    char name[STORE_NAME_SIZE];
    char created[32]; /* ISO 8601, UTC */
    char version[32], commit[48];
    char isa[16], blas_core[32], kernel_mode[16];
    char plan_hash[33]; /* of everything the layout was made from: a store fits a plan when this is
                           equal */
};

struct store_layout {
    struct store_identity identity;
    const char *grid_text; /* several texts: rows of grid_length bytes, padded with zeros */
    size_t grid_length;
    int64_t grid_rows; /* 0 = 1 */
    struct store_table experiments, points, tasks; /* rows filled by the caller */
    int64_t curve_rows;
    int32_t network_count;
    struct store_network *networks;
};

/* Bytes of the file, exactly, without making it (`plan`): tables may lack their rows. -1 when the
 * layout cannot be made (names, memory). */
int64_t store_layout_bytes(const struct store_layout *layout);

/* Makes the file: space check (statvfs, fallocate where supported, else sparse with a warning),
 * temporary name, close, fsync, rename. Not collective: one process. Nothing is left behind on
 * failure; a file that exists is never replaced. Too little space is a usage error that says how
 * much is needed and how much there is. */
int store_create(const char *path, const struct store_layout *layout, struct error *err);

/* As store_create, with content: `fill` writes into the open store before anybody can see it. The
 * file that stands at `path` is replaced if `replaces`; whatever happens, it is the old file or the
 * new one, whole. Whoever makes a store holds its lock. */
struct store;
struct store_filling {
    int (*fill)(void *user, struct store *store, struct error *err);
    void *user;
    bool replaces;
};
int store_create_filled(const char *path, const struct store_layout *layout,
                        const struct store_filling *filling, struct error *err);
/* Removes what a killed store_create left beside `path`. The caller holds the lock. */
void store_discard_unfinished(const char *path);

/* --- rows --- */

enum store_status {
    STORE_PENDING = 0,
    STORE_DONE = 1,
    STORE_DIVERGED = 2,
    STORE_FAILED = 3,
    STORE_SKIPPED = 4,
    STORE_UNREACHABLE = 5,
};
const char *store_status_name(enum store_status status);

enum store_reason {
    STORE_REASON_NONE = 0,
    STORE_REASON_ERROR = 1,
    STORE_REASON_MEMORY = 2,
    STORE_REASON_LOST = 3,  /* the processes that trained it died or fell silent */
    STORE_REASON_CRASH = 4, /* its process crashed */
    STORE_REASON_TIME = 5,  /* it took too long or stood still */
    STORE_REASON_COUNT
};

#define STORE_SCORES 6 /* early_stop, final, at_1 .. at_4 */

/* Memory type = file type; exactly STORE_RESULT_BYTES. Texts are zero-padded. What stands before
 * `seconds` are the lasting columns: equal in equal runs, and under the checksum. */
struct store_result {
    int32_t status, reason;
    char message[96];
    /* Layers trained on their surviving weights alone: bit i is the network's i-th weight tensor;
     * -1: not trained. */
    int64_t sparse_layers;
    int64_t weights_remaining;
    double percent_remaining; /* P_m */
    int64_t early_stop_iteration;
    struct {
        double loss, accuracy;
    } scores[3][STORE_SCORES]; /* train, validation, test */
    /* what may differ between equal runs; not in the checksum */
    double seconds;
    char host[64];
    int32_t environment; /* row of /environment, -1 = none */
    int32_t attempts_used;
    int64_t checksum; /* XXH3 over the payload digest and the lasting columns */
};
_Static_assert(sizeof(struct store_result) == STORE_RESULT_BYTES,
               "a result row is one aligned 512-byte write");
/* A row without a result: status pending, NaN and -1 everywhere. */
struct store_result store_result_pending(void);

struct store_curve_point {
    int64_t iteration;
    double train_loss, validation_loss, validation_accuracy, test_loss, test_accuracy;
};

/* What a worker writes for one task. Slots -1 are left out. A set of weights that has a slot but no
 * block (NULL) is filled with NaN, the store's "not there": a diverged task has no final weights,
 * yet its slots have a content and its payload a digest. */
struct store_payload {
    int32_t network;
    int64_t mask_slot;
    const uint8_t *mask; /* block of bytes, 1 = kept; only prunable parameters are stored */
    int32_t weights_count;
    struct {          /* in any order, each `when` once */
        int32_t when; /* index into the network's whens */
        int64_t slot;
        const float *block;
    } weights[STORE_MAX_WHENS];
    int64_t curve_offset;
    int32_t curve_count;
    const struct store_curve_point *curve;
};

/* One row of /environment: a run and host. */
struct store_environment {
    char host[64], cpu[96], blas[64], libraries[96], slurm_job[32], started[32];
    int64_t run;
};

/* --- an open store --- */

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/* Opens. `communicator` is NULL for one process (default driver, sieve buffer 0, no file locking)
 * or points to an MPI_Comm for MPI-IO. Collective over the communicator when there is one. Usage
 * errors name what the file is instead (not HDF5, another format version, truncated, another
 * program's file, read-only). */
struct store *store_open(const char *path, enum store_mode mode, const void *communicator,
                         struct error *err);
/* Collective when opened with a communicator. Accepts NULL. */
void store_close(struct store *store);
/* After a rank's death: drops the descriptors without HDF5 or MPI calls. Not collective. */
void store_abandon(struct store *store);

/* "HDF5 1.10.8". Always terminates. */
void store_library_version(char *to, size_t size);

const struct store_identity *store_identity(const struct store *store);
int32_t store_network_count(const struct store *store);
const struct store_network *store_network(const struct store *store, int32_t network);
int64_t store_task_count(const struct store *store);
const char *store_path(const struct store *store); /* as it was opened */
/* Whether /results has every column that this program writes. What an older release made is read,
 * but rows written into it would lose what it has no column for, and their checksums with it. */
bool store_takes_results(const struct store *store);

/* Reads a whole table ("experiments", "points", "tasks", "results", "curves", "environment"). Not
 * collective. */
int store_read_table(struct store *store, const char *name, struct store_table *table,
                     struct error *err);
int store_read_grid(struct store *store, char **text, size_t *length, struct error *err);
/* Every text of /grid, the present grid's first: *rows texts of *width bytes, padded with zeros;
 * the caller frees them. */
int store_read_grids(struct store *store, char **texts, int64_t *rows, size_t *width,
                     struct error *err);
int store_read_results(struct store *store, int64_t first, int64_t count,
                       struct store_result *results, struct error *err);
/* Of the first `count` tasks. */
int store_read_attempts(struct store *store, int64_t count, uint8_t *attempts, struct error *err);
int store_read_mask(struct store *store, int32_t network, int64_t slot, uint8_t *mask,
                    struct error *err);
int store_read_weights(struct store *store, int32_t network, int32_t when, int64_t slot,
                       float *block, struct error *err);
int store_read_curve(struct store *store, int64_t offset, int32_t count,
                     struct store_curve_point *curve, struct error *err);

/* Writes a payload and makes it durable (fdatasync on a descriptor opened before the first write).
 * `digest` = XXH3 of its content in canonical order. Not collective. */
int store_write_payload(struct store *store, const struct store_payload *payload, uint64_t *digest,
                        struct error *err);
/* Rank 0 only: fills result->checksum from `digest` and the lasting columns and writes the row. A sync may take
 * much longer than that: the row is durable when the next store_write_attempts or store_settle has come back.
 * Rows of tasks without a payload (failed, skipped, unreachable) are committed with digest 0. */
int store_commit(struct store *store, int64_t task, uint64_t digest, struct store_result *result,
                 struct error *err);
/* Syncs all that was written. */
int store_settle(struct store *store, struct error *err);
/* Rank 0 only: writes and syncs. */
int store_write_attempts(struct store *store, int64_t task, uint8_t attempts, struct error *err);
/* Sets a row back to pending (what verify found torn is run again). */
int store_reset_result(struct store *store, int64_t task, struct error *err);
/* The row of this run and host; the last row takes the overflow. */
int store_write_environment(struct store *store, int64_t row,
                            const struct store_environment *environment, struct error *err);

/* Digest of what the file holds for a payload description (slots and counts as in store_payload;
 * the pointers are ignored). */
int store_read_digest(struct store *store, const struct store_payload *payload, uint64_t *digest,
                      struct error *err);
uint64_t store_result_checksum(uint64_t digest, const struct store_result *result);

/* The payload a task has by the store's own /tasks row: which slots it wrote. `tasks` is the table
 * read before. */
int store_task_payload(struct store *store, const struct store_table *tasks, int64_t task,
                       struct store_payload *payload, struct error *err);

/* Which tasks hold: bad[i] = 1 where the row says anything but pending and its checksum (done and
 * diverged: over the payload too) fails. Returns their number or -1. */
int64_t store_verify(struct store *store, uint8_t *bad, struct error *err);

/* --- from store to store --- */

/* Copies what both descriptions name: the mask, sets of weights of one name, and with `curve` a
 * curve of the same length. The networks have the same parameters. Not synced. */
int store_copy_payload(struct store *from, const struct store_payload *what, struct store *to,
                       const struct store_payload *where, bool curve, struct error *err);
/* Whether what both descriptions name has the same bits; test curves may be absent on one side. */
int store_same_payload(struct store *a, const struct store_payload *what, struct store *b,
                       const struct store_payload *where, bool *same, struct error *err);
/* Whether two results are one: their lasting columns are equal, scores that are missing (NaN) on
 * one side aside. A row without a result agrees with any. */
bool store_results_agree(const struct store_result *a, const struct store_result *b);
/* All result rows and attempts at once, as they are, for store_create_filled. Not synced. */
int store_write_results(struct store *store, const struct store_result *results,
                     const uint8_t *attempts, struct error *err);

/* Everything that can be checked of a store, for each task (findings[tasks], zeroed by the caller). */
enum store_fault {
    STORE_SOUND = 0,
    STORE_FAULT_TASKS,   /* its row of /tasks, which no run writes: running it again does not help */
    STORE_FAULT_DAMAGED, /* its result row, or what that stands for */
    STORE_FAULT_LINEAGE, /* it does not fit its parent or root */
    STORE_FAULT_PARENT,  /* it was made from a task with a fault */
};
struct store_finding {
    enum store_fault fault;
    char text[156];
};
int store_examine(struct store *store, struct store_finding *findings, struct error *err);

/* --- one run at a time --- */

struct store_lock;
/* Takes PATH.lock (F_OFD_SETLK) and writes who holds it (host, pid, SLURM job, since), and a new
 * generation. A held lock is a usage error that says by whom. A killed process leaves the file but
 * not the lock: the next taker on that host has it at once, with a message. Where locks do not reach
 * across nodes, another host counts as the holder for STORE_LOCK_SILENCE seconds after its last
 * beat, by the file server's clock. Waits up to ten seconds for an earlier run's writer. The holder
 * may write rows. */
#define STORE_LOCK_SILENCE 60
#define STORE_GENERATION_SIZE 17
struct store_lock *store_lock_take(const char *path, struct error *err);

/* The right to write rows goes to another process of this run: this one leaves it, the other joins
 * with the run's generation (an error where that is not the file's any more). */
const char *store_lock_generation(const struct store_lock *lock);
void store_lock_leave_writing(struct store_lock *lock);
struct store_lock *store_lock_join(const char *path, const char *generation, struct error *err);

/* That this run has not been replaced: to be asked at each beat and before each row is written. A
 * few system calls. */
int store_lock_check(const struct store_lock *lock, struct error *err);
void store_lock_beat(
    struct store_lock *lock); /* heartbeat for other nodes: at least every STORE_LOCK_SILENCE / 4 */
/* Accepts NULL; removes the file, if it is this run's and was not joined. */
void store_lock_release(struct store_lock *lock);

#endif
