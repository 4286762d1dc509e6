/* Preloaded into a run: a disk that fills up. From the call FAILING_DISK=KIND:N on (counted in each
 * process) every write to the store fails with ENOSPC, EDQUOT or EIO; KIND short first writes half
 * of what is asked for. FAILING_DISK_RANK limits it to one rank of a launch. FAILING_DISK_NAME:
 * files whose names contain it, instead of those that end in .h5 (the store's and the
 * checkpoints'). Space cannot be reserved on such a disk: fallocate is not supported. */
#undef _FILE_OFFSET_BITS /* pwrite and pwrite64 are two names here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long calls;

static int is_meant(int fd)
{
    char link[64], name[PATH_MAX];
    const char *part = getenv("FAILING_DISK_NAME");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 3)
        return 0;
    name[length] = '\0';
    return part != NULL ? strstr(name, part) != NULL : strcmp(name + length - 3, ".h5") == 0;
}

static int is_here(void)
{
    const char *rank = getenv("FAILING_DISK_RANK"), *own = getenv("OMPI_COMM_WORLD_RANK");
    return rank == NULL || (own != NULL && strcmp(rank, own) == 0);
}

/* 0 = goes through, else the errno; *half: this once, half of it is written. */
static int judge(int fd, int *half)
{
    char kind[16];
    long first;
    int saved = errno;
    const char *setting = getenv("FAILING_DISK");
    *half = 0;
    if (setting == NULL || sscanf(setting, "%15[a-z]:%ld", kind, &first) != 2 || !is_here() ||
        !is_meant(fd)) {
        errno = saved;
        return 0;
    }
    errno = saved;
    long call = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    *half = call == first && strcmp(kind, "short") == 0;
    if (call < first || *half)
        return 0;
    return strcmp(kind, "eio") == 0 ? EIO : strcmp(kind, "edquot") == 0 ? EDQUOT : ENOSPC;
}

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

#define FAIL_OR_HALVE(fd, count)                                                                   \
    int half, reason = judge(fd, &half);                                                           \
    if (reason != 0) {                                                                             \
        errno = reason;                                                                            \
        return -1;                                                                                 \
    }                                                                                              \
    if (half && (count) > 1)                                                                       \
        (count) /= 2;

ssize_t write(int fd, const void *bytes, size_t count)
{
    FAIL_OR_HALVE(fd, count)
    ssize_t (*real)(int, const void *, size_t) = next("write");
    return real(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    FAIL_OR_HALVE(fd, count)
    ssize_t (*real)(int, const void *, size_t, off_t) = next("pwrite");
    return real(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    FAIL_OR_HALVE(fd, count)
    ssize_t (*real)(int, const void *, size_t, off64_t) = next("pwrite64");
    return real(fd, bytes, count, offset);
}

int fdatasync(int fd)
{
    int half, reason = judge(fd, &half);
    if (reason != 0) {
        errno = reason;
        return -1;
    }
    int (*real)(int) = next("fdatasync");
    return real(fd);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    (void)fd, (void)mode, (void)offset, (void)length;
    errno = EOPNOTSUPP;
    return -1;
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
    return fallocate(fd, mode, (off_t)offset, (off_t)length);
}
