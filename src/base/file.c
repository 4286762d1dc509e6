/* Files: whole reads with a bound, atomic replacement, and monotonic time. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

/* Reads to the end, or until more than `limit` bytes came. A file's size is not asked for: pipes
 * have none, and a file may grow while it is read. */
static int read_all(int fd, size_t limit, char **bytes, size_t *length, struct error *err)
{
    size_t capacity = 0;
    *bytes = NULL;
    *length = 0;
    for (;;) {
        if (mem_grow((void **)bytes, &capacity, *length + 4096, 1, err) != 0)
            return -1;
        ssize_t got = read(fd, *bytes + *length, capacity - *length - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, errno == EISDIR ? ERROR_USAGE : ERROR_RESOURCE, "cannot read: %s",
                             strerror(errno));
        if (got == 0)
            break;
        *length += (size_t)got;
        if (*length > limit)
            return error_set(err, ERROR_USAGE, "larger than the %zu bytes that may be read", limit);
    }
    (*bytes)[*length] = '\0';
    return 0;
}

int file_read(const char *path, size_t limit, char **bytes, size_t *length, struct error *err)
{
    *bytes = NULL;
    *length = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERROR_USAGE, "%s: cannot open: %s", path, strerror(errno));
    int status = read_all(fd, limit, bytes, length, err);
    close(fd);
    if (status != 0) {
        free(*bytes);
        *bytes = NULL;
        *length = 0;
        return error_prefix(err, "%s", path);
    }
    return 0;
}

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

/* A new file with this content, on the disk when it returns. */
static int write_durably(const char *path, const void *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    int status = write_all(fd, bytes, length) != 0 || fsync(fd) != 0 ? -1 : 0;
    int reason = errno;
    if (close(fd) != 0 && status == 0)
        return -1;
    errno = reason;
    return status;
}

int file_replace(const char *path, const void *bytes, size_t length, struct error *err)
{
    struct text temporary = {0};
    text_add(&temporary, "%s" FILE_TEMPORARY, path);
    int status = 0;
    if (temporary.failed) {
        status = error_set(err, ERROR_RESOURCE, "%s: not enough memory for its name", path);
    } else if (write_durably(temporary.bytes, bytes, length) != 0 ||
               rename(temporary.bytes, path) != 0) {
        status = error_set(err, ERROR_RESOURCE, "%s: cannot write: %s", path, strerror(errno));
        unlink(temporary.bytes);
    }
    text_finish(&temporary);
    return status == 0 ? file_sync_folder(path, err) : status;
}

int file_sync_folder(const char *path, struct error *err)
{
    char copy[PATH_MAX];
    if (!text_copy(copy, sizeof copy, path))
        return error_set(err, ERROR_USAGE, "%s: the path is too long", path);
    const char *folder = dirname(copy);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERROR_RESOURCE, "%s: cannot open: %s", folder, strerror(errno));
    /* EINVAL: a file system that has no fsync for folders keeps names safe in its own way. */
    bool synced = fsync(fd) == 0 || errno == EINVAL;
    int reason = errno;
    close(fd);
    return synced ? 0 : error_set(err, ERROR_RESOURCE, "%s: fsync: %s", folder, strerror(reason));
}

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
