/* Reads one IDX file. Nothing in the file is trusted: sizes are bounded before they are multiplied,
 * and compared with the length on disk before anybody allocates by them. A file is accepted only if
 * it ends exactly where its header says. */
#include "idx_file.h"

#include <inttypes.h>

static const struct {
    const char *word;
    uint32_t magic; /* 0x08 = bytes, then the number of sizes that follow */
    int sizes;
} kinds[] = {
    [IDX_IMAGES] = {"images", 0x00000803, 3},
    [IDX_LABELS] = {"labels", 0x00000801, 1},
};

static const struct {
    const char *word;
    uint32_t largest;
} size_limits[] = {{"the count", INT32_MAX}, {"the height", 4096}, {"the width", 4096}};

static int64_t header_bytes(const struct idx_file *file)
{
    return 4 + 4 * kinds[file->kind].sizes;
}

static int64_t body_bytes(const struct idx_file *file)
{
    return file->count * file->height * file->width;
}

/* `present` bytes are there, or more. */
static int wrong_length(const struct idx_file *file, int64_t present, struct error *err)
{
    const char *word = kinds[file->kind].word;
    int64_t promised = header_bytes(file) + body_bytes(file);
    if (present > promised)
        return error_set(err, ERROR_USAGE,
                         "%s: too long: data follow the %" PRId64 " %s (%" PRId64
                         " bytes) that its header promises",
                         file->data.path, file->count, word, promised);
    return error_set(err, ERROR_USAGE,
                     "%s: truncated: its header promises %" PRId64 " %s, which takes %" PRId64
                     " bytes; %" PRId64 " are there",
                     file->data.path, file->count, word, promised, present);
}

static int check_magic(const struct idx_file *file, uint32_t magic, struct error *err)
{
    if (magic == kinds[file->kind].magic)
        return 0;
    const char *expected = kinds[file->kind].word;
    for (size_t other = 0; other < sizeof kinds / sizeof *kinds; other++)
        if (magic == kinds[other].magic)
            return error_set(
                err, ERROR_USAGE,
                "%s: %s where %s are expected (magic number %" PRIu32 ", should be %" PRIu32 ")",
                file->data.path, kinds[other].word, expected, magic, kinds[file->kind].magic);
    return error_set(err, ERROR_USAGE,
                     "%s: not an IDX file of %s: magic number %" PRIu32 ", should be %" PRIu32,
                     file->data.path, expected, magic, kinds[file->kind].magic);
}

static uint32_t big_endian(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int read_header(struct idx_file *file, struct error *err)
{
    uint8_t header[16];
    int64_t got = data_file_read(&file->data, header, header_bytes(file), err);
    if (got < 0)
        return -1;
    if (got >= 4 && check_magic(file, big_endian(header), err))
        return -1;
    if (got < header_bytes(file))
        return error_set(err, ERROR_USAGE,
                         "%s: truncated: %" PRId64 " bytes, the header alone has %" PRId64,
                         file->data.path, got, header_bytes(file));
    uint32_t sizes[3] = {0, 1, 1};
    for (int i = 0; i < kinds[file->kind].sizes; i++) {
        sizes[i] = big_endian(header + 4 + 4 * i);
        if (sizes[i] < 1 || sizes[i] > size_limits[i].largest)
            return error_set(
                err, ERROR_USAGE,
                "%s: its header gives %" PRIu32 " as %s; it must be from 1 to %" PRIu32,
                file->data.path, sizes[i], size_limits[i].word, size_limits[i].largest);
    }
    file->count = sizes[0];
    file->height = (int32_t)sizes[1];
    file->width = (int32_t)sizes[2];
    return 0;
}

static int check_length(const struct idx_file *file, struct error *err)
{
    int64_t promised = header_bytes(file) + body_bytes(file), on_disk = file->data.on_disk;
    if (data_file_is_raw(&file->data))
        return promised == on_disk ? 0 : wrong_length(file, on_disk, err);
    if (promised / DATA_GZIP_RATIO <= on_disk)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s: its header promises %" PRId64 " bytes, more than %" PRId64
                     " bytes of gzip can hold",
                     file->data.path, promised, on_disk);
}

int idx_open(struct idx_file *file, enum idx_kind kind, struct error *err)
{
    file->kind = kind;
    if (data_file_open(&file->data, err))
        return -1;
    if (read_header(file, err) == 0 && check_length(file, err) == 0)
        return 0;
    idx_close(file);
    return -1;
}

int idx_read(struct idx_file *file, int64_t count, idx_take *take, void *user, struct error *err)
{
    int64_t wanted = count * file->height * file->width, body = body_bytes(file), present = 0, got;
    uint8_t piece[1 << 14];
    while ((got = data_file_read(&file->data, piece, sizeof piece, err)) > 0 && present <= body) {
        int64_t left = wanted - present;
        if (left > 0)
            take(user, piece, (size_t)(got < left ? got : left));
        present += got;
    }
    if (got < 0)
        return -1;
    return present == body ? 0 : wrong_length(file, header_bytes(file) + present, err);
}

void idx_close(struct idx_file *file)
{
    data_file_close(&file->data);
}
