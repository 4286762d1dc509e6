/* Looks at a file before HDF5 does. A store's superblock is version 0 with 8-byte addresses: the
 * end of file it states stands at byte 40, and a file that is shorter was cut. */
#include "inspect.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIGNATURE_SIZE = 8, HEAD_SIZE = 96, VERSION_AT = 8, ADDRESS_SIZE_AT = 13, END_AT = 40 };

static int open_file(const char *path, enum store_mode mode, struct error *err)
{
    int fd = open(path, (mode == STORE_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        return fd;
    int reason = errno;
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return error_set(err, ERROR_USAGE, "is a folder, not a store");
    if (reason == ENOENT)
        return error_set(err, ERROR_USAGE, "there is no such file");
    bool denied = reason == EACCES || reason == EPERM || reason == EROFS;
    if (mode == STORE_WRITE && denied && access(path, R_OK) == 0)
        return error_set(err, ERROR_USAGE, "is read-only (%s); it must be writable to be run",
                         strerror(reason));
    return error_set(err, denied ? ERROR_USAGE : ERROR_RESOURCE, "cannot be opened: %s",
                     strerror(reason));
}

static bool looks_like_text(const unsigned char *head, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isprint(head[i]) && !isspace(head[i]) && head[i] < 128)
            return false;
    return true;
}

static uint64_t little_endian(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static int check_head(const unsigned char *head, size_t length, uint64_t size, struct error *err)
{
    static const unsigned char signature[SIGNATURE_SIZE] = "\211HDF\r\n\032\n";
    if (length == 0)
        return error_set(err, ERROR_USAGE, "is empty, not a store");
    if (length < SIGNATURE_SIZE || memcmp(head, signature, SIGNATURE_SIZE) != 0)
        return error_set(err, ERROR_USAGE, "is not an HDF5 file%s",
                         looks_like_text(head, length) ? " (it looks like text)" : "");
    if (length < HEAD_SIZE)
        return error_set(err, ERROR_USAGE, "is truncated: only %zu bytes are left", length);
    if (head[VERSION_AT] != 0 || head[ADDRESS_SIZE_AT] != 8)
        return 0; /* not made by us: HDF5 may say more */
    uint64_t end = little_endian(head + END_AT);
    if (size < end)
        return error_set(err, ERROR_USAGE, "is truncated: it has %llu of %llu bytes",
                         (unsigned long long)size, (unsigned long long)end);
    return 0;
}

static int check_file(int fd, struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(err, ERROR_RESOURCE, "cannot be read: %s", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return error_set(err, ERROR_USAGE, "is a folder, not a store");
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_USAGE, "is not a regular file");
    unsigned char head[HEAD_SIZE];
    ssize_t length = pread(fd, head, sizeof head, 0);
    if (length < 0)
        return error_set(err, ERROR_RESOURCE, "cannot be read: %s", strerror(errno));
    return check_head(head, (size_t)length, (uint64_t)status.st_size, err);
}

int inspect_open(const char *path, enum store_mode mode, int *fd, struct error *err)
{
    *fd = open_file(path, mode, err);
    if (*fd < 0)
        return -1;
    if (check_file(*fd, err) == 0)
        return 0;
    close(*fd);
    *fd = -1;
    return -1;
}
