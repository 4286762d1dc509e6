/* Reads one IDX file through zlib, which passes files that are not gzip through as they are.
 *
 * Nothing in the file is trusted: sizes are bounded before they are multiplied, and compared with
 * the length on disk before anybody allocates by them. A file is accepted only if it ends exactly
 * where its header says, and a gzip file only if its checksum holds up to the end. */
#include "idx_file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define GZIP_RATIO 1032 /* deflate cannot pack better than this */

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

/* Why a read came short: -1 with the reason when zlib or the system knows one, else 0. */
static int check_stream(const struct idx_file *file, struct error *err)
{
    int code;
    const char *message = gzerror(file->stream, &code);
    switch (code) {
    case Z_OK:
    case Z_STREAM_END:
        return 0;
    case Z_ERRNO:
        return error_set(err, ERROR_RESOURCE, "%s: cannot be read: %s", file->path,
                         strerror(errno));
    case Z_MEM_ERROR:
        return error_set(err, ERROR_RESOURCE, "%s: out of memory while decoding", file->path);
    case Z_BUF_ERROR:
        return error_set(err, ERROR_USAGE, "%s: truncated: the gzip data end in the middle",
                         file->path);
    default:
        return error_set(err, ERROR_USAGE, "%s: corrupt gzip data: %s", file->path, message);
    }
}

/* Reads up to `wanted` bytes; fewer only at the end of the data. -1 on failure. */
static int64_t read_some(struct idx_file *file, void *to, int64_t wanted, struct error *err)
{
    int64_t done = 0;
    while (done < wanted) {
        int64_t left = wanted - done;
        unsigned piece = left < (1 << 30) ? (unsigned)left : 1u << 30;
        int got = gzread(file->stream, (uint8_t *)to + done, piece);
        if (got <= 0)
            return check_stream(file, err) ? -1 : done;
        done += got;
    }
    return done;
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
                         file->path, file->count, word, promised);
    return error_set(err, ERROR_USAGE,
                     "%s: truncated: its header promises %" PRId64 " %s, which takes %" PRId64
                     " bytes; %" PRId64 " are there",
                     file->path, file->count, word, promised, present);
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
                file->path, kinds[other].word, expected, magic, kinds[file->kind].magic);
    return error_set(err, ERROR_USAGE,
                     "%s: not an IDX file of %s: magic number %" PRIu32 ", should be %" PRIu32,
                     file->path, expected, magic, kinds[file->kind].magic);
}

static uint32_t big_endian(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int read_header(struct idx_file *file, struct error *err)
{
    uint8_t header[16];
    int64_t got = read_some(file, header, header_bytes(file), err);
    if (got < 0)
        return -1;
    if (got >= 4 && check_magic(file, big_endian(header), err))
        return -1;
    if (got < header_bytes(file))
        return error_set(err, ERROR_USAGE,
                         "%s: truncated: %" PRId64 " bytes, the header alone has %" PRId64,
                         file->path, got, header_bytes(file));
    uint32_t sizes[3] = {0, 1, 1};
    for (int i = 0; i < kinds[file->kind].sizes; i++) {
        sizes[i] = big_endian(header + 4 + 4 * i);
        if (sizes[i] < 1 || sizes[i] > size_limits[i].largest)
            return error_set(err, ERROR_USAGE,
                             "%s: its header gives %" PRIu32
                             " as %s; it must be from 1 to %" PRIu32,
                             file->path, sizes[i], size_limits[i].word, size_limits[i].largest);
    }
    file->count = sizes[0];
    file->height = (int32_t)sizes[1];
    file->width = (int32_t)sizes[2];
    return 0;
}

static int check_length(const struct idx_file *file, int64_t on_disk, struct error *err)
{
    int64_t promised = header_bytes(file) + body_bytes(file);
    if (gzdirect(file->stream))
        return promised == on_disk ? 0 : wrong_length(file, on_disk, err);
    if (promised / GZIP_RATIO <= on_disk)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s: its header promises %" PRId64 " bytes, more than %" PRId64
                     " bytes of gzip can hold",
                     file->path, promised, on_disk);
}

/* Only regular files: a pipe or a device would never end. */
static int file_length(const char *path, int64_t *length, struct error *err)
{
    struct stat status;
    if (stat(path, &status))
        return error_set(err, ERROR_USAGE, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_USAGE, "%s: not a regular file", path);
    *length = status.st_size;
    return 0;
}

int idx_open(struct idx_file *file, enum idx_kind kind, struct error *err)
{
    int64_t length = 0;
    file->kind = kind;
    file->stream = NULL;
    if (file_length(file->path, &length, err))
        return -1;
    errno = 0;
    file->stream = gzopen(file->path, "rb");
    if (!file->stream)
        return error_set(err, errno == EACCES ? ERROR_USAGE : ERROR_RESOURCE, "%s: %s", file->path,
                         strerror(errno ? errno : ENOMEM));
    gzbuffer(file->stream, 1 << 17);
    if (read_header(file, err) || check_length(file, length, err)) {
        idx_close(file);
        return -1;
    }
    return 0;
}

int idx_read(struct idx_file *file, int64_t count, uint8_t *examples, struct error *err)
{
    int64_t wanted = count * file->height * file->width, body = body_bytes(file);
    int64_t present = read_some(file, examples, wanted, err);
    if (present < 0)
        return -1;
    bool more = present == wanted;
    while (more && present <= body) {
        uint8_t rest[1 << 14];
        int64_t got = read_some(file, rest, sizeof rest, err);
        if (got < 0)
            return -1;
        present += got;
        more = got > 0;
    }
    return present == body ? 0 : wrong_length(file, header_bytes(file) + present, err);
}

void idx_close(struct idx_file *file)
{
    if (file->stream)
        gzclose(file->stream);
    file->stream = NULL;
}
