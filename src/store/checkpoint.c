/* In-flight states: saving into a slot, finding the furthest state of a task, and carrying states
 * over into a new file. */
#include "store/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "checkpoint_file.h"

#define PIECE (1 << 20) /* bytes copied or checked at a time */

struct checkpoint {
    struct checkpoint_file file;
    int64_t slot, saves;
    /* The state that is being put or taken. */
    int64_t row, position, end;
    struct hash_stream *digest;
};

/* --- a worker's view --- */

struct checkpoint *checkpoint_open(const char *store_file, int32_t slot, struct error *err)
{
    struct checkpoint *checkpoint = mem_zeroed(1, sizeof *checkpoint, err);
    if (checkpoint == NULL)
        return NULL;
    struct checkpoint_file *file = &checkpoint->file;
    file->fd = -1;
    file->path = checkpoint_path(store_file, err);
    checkpoint->slot = slot;
    if (file->path != NULL && checkpoint_file_open(file, err) == 0)
        return checkpoint;
    if (file->path != NULL)
        error_prefix(err, "%s", file->path);
    checkpoint_close(checkpoint);
    return NULL;
}

void checkpoint_close(struct checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    hash_stream_destroy(checkpoint->digest);
    checkpoint_file_finish(&checkpoint->file);
    free(checkpoint);
}

/* --- saving --- */

int checkpoint_begin(struct checkpoint *checkpoint, struct error *err)
{
    hash_stream_destroy(checkpoint->digest);
    checkpoint->digest = hash_stream_create(err);
    checkpoint->row = checkpoint->slot * CHECKPOINT_COPIES + checkpoint->saves % CHECKPOINT_COPIES;
    checkpoint->position = 0;
    return checkpoint->digest == NULL ? -1 : 0;
}

int checkpoint_put(void *self, void *bytes, size_t size, struct error *err)
{
    struct checkpoint *checkpoint = self;
    const struct checkpoint_file *file = &checkpoint->file;
    if ((int64_t)size > file->slot_bytes - checkpoint->position)
        return error_set(err, ERROR_INTERNAL, "a state is larger than its slot of %lld bytes",
                         (long long)file->slot_bytes);
    int64_t place = checkpoint_state_place(file, checkpoint->row) + checkpoint->position;
    hash_stream_add(checkpoint->digest, bytes, size);
    checkpoint->position += (int64_t)size;
    return checkpoint_file_write(file, bytes, size, place, err);
}

static void set_key(struct checkpoint_record *record, const struct hash128 *key)
{
    char hex[HASH_HEX_SIZE];
    hash128_hex(*key, hex);
    memcpy(record->key, hex, sizeof record->key);
}

int checkpoint_end(struct checkpoint *checkpoint, const struct hash128 *key, int64_t iteration,
                   double seconds, struct error *err)
{
    struct checkpoint_record record = {
        .iteration = iteration,
        .bytes = checkpoint->position,
        .seconds = seconds,
        .state_checksum = (int64_t)hash_stream_digest64(checkpoint->digest),
    };
    set_key(&record, key);
    if (checkpoint_file_sync(&checkpoint->file, err) != 0 ||
        checkpoint_record_write(&checkpoint->file, checkpoint->row, &record, err) != 0 ||
        checkpoint_file_sync(&checkpoint->file, err) != 0)
        return -1;
    checkpoint->saves++;
    return 0;
}

/* --- finding --- */

/* Walks through a state, piece by piece; `into` NULL = only looks. Whether its checksum holds: 1,
 * 0, or -1 for an error. */
static int pass_state(const struct checkpoint_file *from, int64_t row,
                      const struct checkpoint_record *record, const struct checkpoint_file *into,
                      int64_t into_row, struct error *err)
{
    char *piece = mem_zeroed(PIECE, 1, err);
    struct hash_stream *digest = piece == NULL ? NULL : hash_stream_create(err);
    int status = digest == NULL ? -1 : 0;
    for (int64_t done = 0; done < record->bytes && status == 0; done += PIECE) {
        size_t size = (size_t)(record->bytes - done < PIECE ? record->bytes - done : PIECE);
        status =
            checkpoint_file_read(from, piece, size, checkpoint_state_place(from, row) + done, err);
        if (status == 0)
            hash_stream_add(digest, piece, size);
        if (status == 0 && into != NULL)
            status = checkpoint_file_write(into, piece, size,
                                           checkpoint_state_place(into, into_row) + done, err);
    }
    if (status == 0)
        status = (int64_t)hash_stream_digest64(digest) == record->state_checksum;
    hash_stream_destroy(digest);
    free(piece);
    return status;
}

/* The furthest record of a task below iteration `below`; -1 = none. */
static int64_t find_record(const struct checkpoint_file *file, const struct hash128 *key,
                           int64_t below, struct checkpoint_record *found)
{
    struct checkpoint_record wanted, record;
    int64_t row = -1;
    set_key(&wanted, key);
    for (int64_t i = 0; i < file->rows; i++) {
        if (checkpoint_record_read(file, i, &record, NULL) != 0 ||
            memcmp(record.key, wanted.key, sizeof record.key) != 0 ||
            !checkpoint_record_holds(file, &record) || record.iteration >= below ||
            (row >= 0 && record.iteration <= found->iteration))
            continue;
        *found = record;
        row = i;
    }
    return row;
}

int checkpoint_find(struct checkpoint *checkpoint, const struct hash128 *key,
                    struct checkpoint_state *state, struct error *err)
{
    const struct checkpoint_file *file = &checkpoint->file;
    struct checkpoint_record record;
    int64_t below = INT64_MAX, row;
    while ((row = find_record(file, key, below, &record)) >= 0) {
        int holds = pass_state(file, row, &record, NULL, 0, err);
        if (holds < 0)
            return -1;
        if (holds) {
            checkpoint->row = row;
            checkpoint->position = 0;
            checkpoint->end = record.bytes;
            *state = (struct checkpoint_state){record.iteration, record.seconds};
            return 1;
        }
        below = record.iteration; /* torn, or being written over: one before may hold */
    }
    return 0;
}

int checkpoint_take(void *self, void *bytes, size_t size, struct error *err)
{
    struct checkpoint *checkpoint = self;
    const struct checkpoint_file *file = &checkpoint->file;
    if ((int64_t)size > checkpoint->end - checkpoint->position)
        return error_set(err, ERROR_INTERNAL, "the saved state is that of another run");
    int64_t place = checkpoint_state_place(file, checkpoint->row) + checkpoint->position;
    checkpoint->position += (int64_t)size;
    return checkpoint_file_read(file, bytes, size, place, err);
}

/* --- a new launch --- */

/* A state to be carried over. */
struct survivor {
    int64_t row;
    struct checkpoint_record record;
};

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash128));
}

/* Whether the key is among those that ascend. */
static bool is_wanted(const struct hash128 *key, const struct hash128 *keys, int32_t count)
{
    return bsearch(key, keys, (size_t)count, sizeof *key, compare_keys) != NULL;
}

/* reached[i]: the furthest iteration of the i-th of the keys, which ascend. */
static void read_reached(const struct checkpoint_file *file, const struct hash128 *keys,
                         int32_t key_count, int64_t *reached)
{
    for (int64_t row = 0; row < file->rows; row++) {
        struct checkpoint_record record;
        struct hash128 key, *at;
        if (checkpoint_record_read(file, row, &record, NULL) != 0 ||
            !checkpoint_record_holds(file, &record) || !hash128_parse(record.key, &key))
            continue;
        at = bsearch(&key, keys, (size_t)key_count, sizeof key, compare_keys);
        if (at != NULL && record.iteration > reached[at - keys])
            reached[at - keys] = record.iteration;
    }
}

int checkpoint_iterations(const char *store_file, struct hash128 *keys, int32_t key_count,
                          int64_t *iterations, struct error *err)
{
    struct checkpoint_file file = {.fd = -1, .path = checkpoint_path(store_file, err)};
    int64_t *reached = mem_zeroed((size_t)key_count, sizeof *reached, err);
    int status = file.path == NULL || reached == NULL ? -1 : 0;
    *iterations = 0;
    qsort(keys, (size_t)key_count, sizeof *keys, compare_keys);
    if (status == 0 && access(file.path, F_OK) == 0 && checkpoint_file_open(&file, NULL) == 0)
        read_reached(&file, keys, key_count, reached);
    for (int32_t i = 0; i < key_count && status == 0; i++)
        *iterations += reached[i];
    checkpoint_file_finish(&file);
    free(reached);
    return status;
}

static bool is_listed(const struct survivor *survivors, int32_t count,
                      const struct checkpoint_record *record)
{
    for (int32_t i = 0; i < count; i++)
        if (memcmp(survivors[i].record.key, record->key, sizeof record->key) == 0)
            return true;
    return false;
}

/* The furthest state of the record's task that holds. */
static bool find_furthest(const struct checkpoint_file *file, const struct hash128 *key,
                          struct survivor *survivor)
{
    int64_t below = INT64_MAX;
    while ((survivor->row = find_record(file, key, below, &survivor->record)) >= 0) {
        if (pass_state(file, survivor->row, &survivor->record, NULL, 0, NULL) == 1)
            return true;
        below = survivor->record.iteration;
    }
    return false;
}

static int32_t find_survivors(const struct checkpoint_file *before,
                              const struct checkpoint_setup *setup, const struct hash128 *keys,
                              struct survivor *survivors)
{
    int32_t count = 0;
    for (int64_t row = 0; row < before->rows; row++) {
        struct checkpoint_record record;
        struct hash128 key;
        if (checkpoint_record_read(before, row, &record, NULL) != 0 ||
            !checkpoint_record_holds(before, &record) || record.bytes > setup->slot_bytes ||
            is_listed(survivors, count, &record) || !hash128_parse(record.key, &key) ||
            !is_wanted(&key, keys, setup->key_count))
            continue;
        count += find_furthest(before, &key, &survivors[count]);
    }
    return count;
}

/* *survivors is to be freed. */
static int list_survivors(const struct checkpoint_file *before,
                          const struct checkpoint_setup *setup, struct survivor **survivors,
                          int32_t *count, struct error *err)
{
    size_t rows = (size_t)(before->fd < 0 ? 0 : before->rows), keys = (size_t)setup->key_count;
    struct hash128 *ascending = mem_zeroed(keys, sizeof *ascending, err);
    *survivors = ascending == NULL ? NULL : mem_zeroed(rows, sizeof **survivors, err);
    *count = 0;
    if (*survivors != NULL && rows > 0) {
        memcpy(ascending, setup->keys, keys * sizeof *ascending);
        qsort(ascending, keys, sizeof *ascending, compare_keys);
        *count = find_survivors(before, setup, ascending, *survivors);
    }
    free(ascending);
    return *survivors == NULL ? -1 : 0;
}

static int carry_over(const struct checkpoint_file *before, const struct survivor *survivors,
                      int32_t count, const struct checkpoint_file *after, int64_t row,
                      struct error *err)
{
    for (int32_t i = 0; i < count; i++, row += CHECKPOINT_COPIES) {
        struct checkpoint_record record = survivors[i].record;
        int holds = pass_state(before, survivors[i].row, &record, after, row, err);
        if (holds < 0 || (holds && checkpoint_record_write(after, row, &record, err) != 0))
            return -1;
    }
    return 0;
}

/* Whether there is a file before whose states can be gone on from. */
static bool open_before(struct checkpoint_file *before, const char *rounding)
{
    struct error why = {0};
    if (before->path == NULL || access(before->path, F_OK) != 0)
        return false;
    if (checkpoint_file_open(before, &why) == 0 && strcmp(before->rounding, rounding) == 0)
        return true;
    log_line(LOG_WARNING, "%s is left aside: %s", before->path,
             why.text[0] != '\0' ? why.text : "its states were computed with other kernels");
    return false;
}

static int make_after(struct checkpoint_file *after, const struct checkpoint_file *before,
                      const struct checkpoint_setup *setup, struct error *err)
{
    struct survivor *survivors;
    int32_t count;
    if (list_survivors(before, setup, &survivors, &count, err) != 0)
        return -1;
    after->rows = ((int64_t)setup->slots + count) * CHECKPOINT_COPIES;
    after->slot_bytes = setup->slot_bytes;
    after->generation = before->generation + 1;
    int status = checkpoint_file_create(after, err);
    if (status == 0)
        status = carry_over(before, survivors, count, after,
                            (int64_t)setup->slots * CHECKPOINT_COPIES, err);
    if (status == 0 && count > 0)
        log_line(LOG_INFO, "%d task%s go%s on from where %s saved", count, count == 1 ? "" : "s",
                 count == 1 ? "es" : "", count == 1 ? "it was" : "they were");
    free(survivors);
    return status;
}

static int replace(const struct checkpoint_file *after, const char *path, struct error *err)
{
    if (fsync(after->fd) == 0 && rename(after->path, path) == 0)
        return file_sync_folder(path, err);
    return error_set(err, ERROR_RESOURCE, "%s: cannot be made: %s", path, strerror(errno));
}

int checkpoint_renew(const struct checkpoint_setup *setup, struct error *err)
{
    struct checkpoint_file before = {.fd = -1}, after = {.fd = -1};
    struct text temporary = {0};
    before.path = checkpoint_path(setup->store_file, err);
    text_add(&temporary, "%s.new", before.path == NULL ? "" : before.path);
    after.path = temporary.bytes;
    checkpoint_rounding(setup->identity, after.rounding);
    if (before.path == NULL || temporary.failed) {
        checkpoint_file_finish(&before);
        checkpoint_file_finish(&after);
        return error_set(err, ERROR_RESOURCE, "not enough memory for the checkpoint file's name");
    }
    if (!open_before(&before, after.rounding) && before.fd >= 0) {
        close(before.fd);
        before.fd = -1;
    }
    int status = make_after(&after, &before, setup, err);
    if (status == 0)
        status = replace(&after, before.path, err);
    if (status != 0) {
        unlink(after.path);
        error_prefix(err, "%s", before.path);
    }
    checkpoint_file_finish(&before);
    checkpoint_file_finish(&after);
    return status;
}

void checkpoint_remove(const char *store_file)
{
    char *path = checkpoint_path(store_file, NULL);
    if (path != NULL)
        unlink(path);
    free(path);
}
