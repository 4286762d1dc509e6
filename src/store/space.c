/* Space is asked for twice: statvfs says no early and cheaply, fallocate(2) then reserves. Never
 * posix_fallocate: where the file system has no fallocate it writes into every block, and when the
 * disk fills up doing so it leaves it full. */
#include "space.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "base/text.h"

struct folder {
    char copy[PATH_MAX]; /* dirname writes into it */
    const char *name;
    int64_t free; /* bytes, for ordinary users */
};

static int look_at_folder(const char *path, struct folder *folder, struct error *err)
{
    struct statvfs system;
    if (!text_copy(folder->copy, sizeof folder->copy, path))
        return error_set(err, ERROR_USAGE, "the path is too long");
    folder->name = dirname(folder->copy);
    if (statvfs(folder->name, &system) != 0)
        return error_set(err, ERROR_USAGE, "the folder %s cannot be used: %s", folder->name,
                         strerror(errno));
    folder->free = (int64_t)(system.f_bavail * system.f_frsize);
    return 0;
}

static int too_small(const struct folder *folder, int64_t needed, struct error *err)
{
    char need[32], have[32];
    return error_set(err, ERROR_USAGE,
                     "needs %s (%lld bytes), and the folder %s has %s (%lld bytes) free",
                     text_bytes(need, sizeof need, (double)needed), (long long)needed, folder->name,
                     text_bytes(have, sizeof have, (double)folder->free), (long long)folder->free);
}

int space_check(const char *path, int64_t bytes, struct error *err)
{
    struct folder folder = {.name = ""};
    if (look_at_folder(path, &folder, err) != 0)
        return -1;
    return bytes > folder.free ? too_small(&folder, bytes, err) : 0;
}

int space_reserve(int fd, const char *path, int64_t bytes, struct error *err)
{
    int status;
    do
        status = fallocate(fd, 0, 0, bytes);
    while (status != 0 && errno == EINTR);
    if (status == 0)
        return 0;
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
        log_line(LOG_WARNING, "%s: this file system cannot reserve space; keep %lld bytes free",
                 path, (long long)bytes);
        return 0;
    }
    int reason = errno;
    struct folder folder = {.name = ""};
    if (reason == ENOSPC && look_at_folder(path, &folder, err) == 0)
        return too_small(&folder, bytes, err);
    return error_set(err, ERROR_USAGE, "%lld bytes cannot be reserved: %s", (long long)bytes,
                     strerror(reason));
}
