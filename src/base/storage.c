/* Why a file system does not take what is written, and what a user can do about it. */
#include "base/storage.h"

#include <errno.h>
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

/* Returns an errno; *length are the bytes there, which the end of the file may cut. */
static int read_block(int fd, off_t offset, char block[BLOCK_BYTES], size_t *length)
{
    ssize_t got = pread(fd, block, BLOCK_BYTES, offset);
    *length = got > 0 ? (size_t)got : 0;
    return got < 0 ? errno : 0;
}

int storage_probe_read(int fd, off_t offset)
{
    char block[BLOCK_BYTES];
    size_t length;
    return read_block(fd, offset, block, &length);
}

int storage_probe_write(int fd, off_t offset)
{
    char block[BLOCK_BYTES];
    size_t length, done = 0;
    int reason = read_block(fd, offset, block, &length);
    while (reason == 0 && done < length) {
        ssize_t written = pwrite(fd, block + done, length - done, offset + (off_t)done);
        if (written < 0 && errno != EINTR)
            reason = errno;
        else if (written == 0)
            reason = ENOSPC;
        else if (written > 0)
            done += (size_t)written;
    }
    if (reason == 0 && fdatasync(fd) != 0)
        reason = errno;
    return reason;
}
