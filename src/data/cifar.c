/* The source "cifar10": CIFAR-10 (Krizhevsky 2009) in its binary version, records of a label and
 * the red, green and blue plane of a 32 x 32 image.
 *
 * The files are looked for in folder/cifar10, then in folder itself; each may be raw or .gz. Of the
 * five training batches the first n may be there, without a gap. A batch is accepted only if it is
 * a whole number of records with labels in range, up to its end. */
#include <inttypes.h>
#include <stdio.h>

#include "data_file.h"
#include "source.h"

#define CLASSES 10
#define CHANNELS 3
#define SIDE 32

enum {
    BATCHES = 5,
    TEST = BATCHES,
    FILES,
    IMAGE = CHANNELS * SIDE * SIDE,
    RECORD = 1 + IMAGE,
    MOST_RECORDS = INT32_MAX / FILES /* of a file: their sum counts examples */
};

static const char *const names[FILES + 1] = {
    "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
    "data_batch_4.bin", "data_batch_5.bin", [TEST] = "test_batch.bin",
};

struct cifar_file {
    struct data_file data;
    bool is_there;
    int64_t records;
};

struct cifar_set {
    struct cifar_file files[FILES];
    int64_t training; /* records of all training batches */
};

/* --- how many records --- */

/* The decoded length as a gzip file's last four bytes give it (RFC 1952): cheap, and no more than a
 * claim. -1 = it cannot be. */
static int64_t claimed_length(const struct data_file *data)
{
    uint8_t bytes[4];
    FILE *file = fopen(data->path, "rb");
    bool read = file && fseek(file, -4, SEEK_END) == 0 && fread(bytes, 4, 1, file) == 1;
    if (file)
        fclose(file);
    if (!read)
        return -1;
    int64_t length = (int64_t)bytes[0] | (int64_t)bytes[1] << 8 | (int64_t)bytes[2] << 16 |
                     (int64_t)bytes[3] << 24;
    bool is_whole = length >= RECORD && length % RECORD == 0;
    return is_whole && length / DATA_GZIP_RATIO <= data->on_disk ? length : -1;
}

/* By decoding everything. -1 on failure. */
static int64_t decoded_length(struct data_file *data, struct error *err)
{
    uint8_t piece[1 << 14];
    int64_t length = 0, got;
    while ((got = data_file_read(data, piece, sizeof piece, err)) > 0)
        length += got;
    return got < 0 ? -1 : length;
}

static int64_t find_length(struct data_file *data, struct error *err)
{
    if (data_file_is_raw(data))
        return data->on_disk;
    int64_t claimed = claimed_length(data);
    return claimed >= 0 ? claimed : decoded_length(data, err);
}

static int count_records(struct cifar_file *file, struct error *err)
{
    if (data_file_open(&file->data, err))
        return -1;
    int64_t length = find_length(&file->data, err);
    data_file_close(&file->data);
    if (length < 0)
        return -1;
    file->records = length / RECORD;
    if (length % RECORD == 0 && file->records >= 1 && file->records <= MOST_RECORDS)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s: wrong length: %" PRId64 " bytes are not 1 to %d records of %d bytes (a "
                     "label and %d x %d x %d pixels)",
                     file->data.path, length, MOST_RECORDS, RECORD, CHANNELS, SIDE, SIDE);
}

/* --- which files --- */

/* `later` is a file that only counts with the missing one, NULL = none. */
static int missing(const char *folder, const char *name, const char *later, struct error *err)
{
    if (later)
        return error_set(err, ERROR_USAGE,
                         "%s: neither %s nor %s.gz is there, but %s is; the training batches there "
                         "are must be 1 to n",
                         folder, name, name, later);
    return error_set(err, ERROR_USAGE, "%s: neither %s nor %s.gz is there", folder, name, name);
}

static int check_batches(const struct cifar_set *set, const char *folder, struct error *err)
{
    int first = 0, last = BATCHES - 1;
    while (first < BATCHES && set->files[first].is_there)
        first++;
    while (last > first && !set->files[last].is_there)
        last--;
    if (first == 0 || last > first)
        return missing(folder, names[first], last > first ? names[last] : NULL, err);
    return set->files[TEST].is_there ? 0 : missing(folder, names[TEST], NULL, err);
}

static int set_find(struct cifar_set *set, const struct dataset_request *request, struct error *err)
{
    char folder[DATA_FOLDER_SIZE];
    *set = (struct cifar_set){0};
    if (data_folder_find(request, names, folder, err))
        return -1;
    for (int i = 0; i < FILES; i++)
        set->files[i].is_there = data_file_find(&set->files[i].data, folder, names[i]);
    if (check_batches(set, folder, err))
        return -1;
    for (int i = 0; i < FILES; i++)
        if (set->files[i].is_there && count_records(&set->files[i], err))
            return -1;
    for (int i = 0; i < BATCHES; i++)
        set->training += set->files[i].records;
    return 0;
}

static int cifar_describe(const struct dataset_request *request, struct dataset_info *info,
                          struct error *err)
{
    struct cifar_set set;
    if (set_find(&set, request, err))
        return -1;
    *info = (struct dataset_info){
        .channels = CHANNELS,
        .height = SIDE,
        .width = SIDE,
        .classes = CLASSES,
        .train = set.training,
        .test = set.files[TEST].records,
    };
    return 0;
}

/* --- the examples --- */

/* Where the next examples go. */
struct place {
    struct intake *intake;
    enum intake_part part;
    int64_t done;
};

static bool is_full(const struct place *place)
{
    return place->done == place->intake->count[place->part];
}

/* One record; it is kept while examples are wanted. Returns 1, 0 at the end, -1 on failure. */
static int read_record(struct cifar_file *file, int64_t number, struct place *place,
                       struct error *err)
{
    uint8_t record[RECORD];
    int64_t got = data_file_read(&file->data, record, RECORD, err);
    if (got <= 0)
        return (int)got;
    if (got < RECORD)
        return error_set(err, ERROR_USAGE,
                         "%s: wrong length: %" PRId64 " records of %d bytes, and %" PRId64
                         " bytes more",
                         file->data.path, number, RECORD, got);
    if (record[0] >= CLASSES)
        return error_set(err, ERROR_USAGE,
                         "%s: label %d of record %" PRId64
                         " (the first is 0); labels go from 0 to %d",
                         file->data.path, record[0], number, CLASSES - 1);
    if (!is_full(place)) {
        place->intake->labels[place->part][place->done++] = record[0];
        intake_images(place->intake, place->part, record + 1, IMAGE);
    }
    return 1;
}

/* To the end of the file: what is not wanted is checked all the same. */
static int read_open(struct cifar_file *file, struct place *place, struct error *err)
{
    int64_t number = 0;
    int status;
    while ((status = read_record(file, number, place, err)) > 0)
        number++;
    if (status < 0 || number == file->records)
        return status;
    return error_set(err, ERROR_USAGE,
                     "%s: %" PRId64 " records; its length on disk or its gzip trailer promises "
                     "%" PRId64 " (several gzip members cannot be read)",
                     file->data.path, number, file->records);
}

static int read_file(struct cifar_file *file, struct place *place, struct error *err)
{
    if (data_file_open(&file->data, err))
        return -1;
    int status = read_open(file, place, err);
    data_file_close(&file->data);
    return status;
}

static int cifar_read(const struct dataset_request *request, const struct dataset_info *info,
                      struct intake *intake, struct error *err)
{
    struct place training = {.intake = intake, .part = INTAKE_TRAIN};
    struct place test = {.intake = intake, .part = INTAKE_TEST};
    struct cifar_set set;
    (void)info;
    if (set_find(&set, request, err))
        return -1;
    for (int i = 0; i < BATCHES && !is_full(&training) && set.files[i].is_there; i++)
        if (read_file(&set.files[i], &training, err))
            return -1;
    if (read_file(&set.files[TEST], &test, err))
        return -1;
    if (is_full(&training) && is_full(&test))
        return 0;
    return error_set(err, ERROR_RESOURCE, "%s: changed while it was being loaded",
                     set.files[0].data.path);
}

const struct data_source cifar_source = {.describe = cifar_describe, .read = cifar_read};
