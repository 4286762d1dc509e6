/* Finds and opens the files of a dataset and reads them through zlib, which passes files that are
 * not gzip through as they are. A gzip file is good only if its checksum holds where it ends, so
 * whoever takes bytes from one reads it to its end. */
#include "data_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"

/* --- where --- */

bool data_file_find(struct data_file *file, const char *folder, const char *name)
{
    static const char *const endings[] = {"", ".gz"};
    for (int i = 0; i < 2; i++) {
        int length = snprintf(file->path, sizeof file->path, "%s/%s%s", folder, name, endings[i]);
        if (length < (int)sizeof file->path && access(file->path, F_OK) == 0)
            return true;
    }
    return false;
}

static bool has_any(const char *folder, const char *const *names)
{
    struct data_file file;
    for (; *names; names++)
        if (data_file_find(&file, folder, *names))
            return true;
    return false;
}

/* "; did you mean 'mnist'?" where the name looks like a known one that it is not. */
static void suggest(const char *name, char *to, size_t size)
{
    const char *nearest = source_nearest(name);
    to[0] = '\0';
    if (nearest && strcmp(nearest, name) != 0)
        snprintf(to, size, "; did you mean '%s'?", nearest);
}

int data_folder_find(const struct dataset_request *request, const char *const *names,
                     char folder[DATA_FOLDER_SIZE], struct error *err)
{
    char hint[64];
    struct stat status;
    suggest(request->name, hint, sizeof hint);
    if (request->folder[0] == '\0')
        return error_set(err, ERROR_USAGE,
                         "dataset '%s' is read from files: name their folder with --data or "
                         "SWEEPSTAKE_DATA%s",
                         request->name, hint);
    if (stat(request->folder, &status) || !S_ISDIR(status.st_mode))
        return error_set(err, ERROR_USAGE,
                         "%s: no such folder; dataset '%s' is read from the folder that --data or "
                         "SWEEPSTAKE_DATA names%s",
                         request->folder, request->name, hint);
    snprintf(folder, DATA_FOLDER_SIZE, "%s/%s", request->folder, request->name);
    if (has_any(folder, names))
        return 0;
    snprintf(folder, DATA_FOLDER_SIZE, "%s", request->folder);
    if (has_any(folder, names))
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s: neither this folder nor its folder '%s' holds %s or %s.gz and the other "
                     "files of dataset '%s'%s",
                     request->folder, request->name, names[0], names[0], request->name, hint);
}

/* --- one file --- */

/* Only regular files: a pipe or a device would never end. */
static int find_length(struct data_file *file, struct error *err)
{
    struct stat status;
    if (stat(file->path, &status))
        return error_set(err, ERROR_USAGE, "%s: %s", file->path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_USAGE, "%s: not a regular file", file->path);
    file->on_disk = status.st_size;
    return 0;
}

int data_file_open(struct data_file *file, struct error *err)
{
    file->stream = NULL;
    if (find_length(file, err))
        return -1;
    errno = 0;
    file->stream = gzopen(file->path, "rb");
    if (!file->stream)
        return error_set(err, errno == EACCES ? ERROR_USAGE : ERROR_RESOURCE, "%s: %s", file->path,
                         strerror(errno ? errno : ENOMEM));
    gzbuffer(file->stream, 1 << 17);
    return 0;
}

void data_file_close(struct data_file *file)
{
    if (file->stream)
        gzclose(file->stream);
    file->stream = NULL;
}

bool data_file_is_raw(const struct data_file *file)
{
    return gzdirect(file->stream);
}

/* Why a read came short: -1 with the reason when zlib or the system knows one, else 0. */
static int check_stream(const struct data_file *file, struct error *err)
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

int64_t data_file_read(struct data_file *file, void *to, int64_t wanted, struct error *err)
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
