/* Why a file system does not take what is written, and what a user can do about it. */
#include "base/storage.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES 4096

static const char *advice(int reason)
{
    switch (reason) {
    case ENOSPC:
        return "free space on its file system";
    case EDQUOT:
        return "free some of your quota there, or have it raised";
    default:
        return "see what is wrong with its file system";
    }
}

int storage_error(struct error *err, int reason, const char *what)
{
    if (reason == 0)
        return error_set(err, ERROR_STORAGE, "%s; %s", what, advice(reason));
    return error_set(err, ERROR_STORAGE, "%s: %s; %s", what, strerror(reason), advice(reason));
}

static int write_back(int fd, const char *bytes, size_t count, off_t offset)
{
    while (count > 0) {
        ssize_t written = pwrite(fd, bytes, count, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? errno : ENOSPC;
        bytes += written;
        count -= (size_t)written;
        offset += written;
    }
    return 0;
}

/* To the end of the range: what was written before the failure is no place to find its reason. */
static int probe(int fd, off_t offset, size_t bytes, bool writing)
{
    char block[BLOCK_BYTES];
    while (bytes > 0) {
        ssize_t got = pread(fd, block, bytes < BLOCK_BYTES ? bytes : BLOCK_BYTES, offset);
        if (got <= 0)
            return got < 0 ? errno : 0; /* the file's end */
        int reason = writing ? write_back(fd, block, (size_t)got, offset) : 0;
        if (reason != 0)
            return reason;
        bytes -= (size_t)got;
        offset += got;
    }
    return writing && fdatasync(fd) != 0 ? errno : 0;
}

int storage_probe_read(int fd, off_t offset, size_t bytes)
{
    return probe(fd, offset, bytes, false);
}

int storage_probe_write(int fd, off_t offset, size_t bytes)
{
    return probe(fd, offset, bytes, true);
}
