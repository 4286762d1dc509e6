/* One run at a time. PATH.lock is locked with F_OFD_SETLK, which belongs to the open file and not
 * to the process: closing some other descriptor of the file does not drop it, and the kernel drops
 * it when the holder dies, however. The text in the file says who holds it; its time of
 * modification is the heartbeat.
 *
 * The file is removed on release, so a lock may be won on a file that is no longer there: after
 * winning, the path is looked up again, and if another file (or none) stands there, all starts
 * over. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/store.h"

#define HOLDER_SIZE 512

struct store_lock {
    char *path;
    int fd;
};

/* What the lock's file says. */
struct holder {
    char host[64], pid[16], job[32], since[32];
};

static void host_name(char *to, size_t size)
{
    if (gethostname(to, size) != 0)
        text_copy(to, size, "unknown");
    to[size - 1] = '\0';
}

/* The value of a "name: value" line, up to the end of the line. */
static void take_line(const char *text, const char *name, char *to, size_t size)
{
    const char *line = strstr(text, name);
    text_copy(to, size, line == NULL ? "" : line + strlen(name));
    to[strcspn(to, "\n")] = '\0';
}

static struct holder read_holder(int fd)
{
    char text[HOLDER_SIZE + 1];
    ssize_t length = pread(fd, text, HOLDER_SIZE, 0);
    text[length < 0 ? 0 : length] = '\0';
    struct holder holder;
    take_line(text, "host: ", holder.host, sizeof holder.host);
    take_line(text, "pid: ", holder.pid, sizeof holder.pid);
    take_line(text, "job: ", holder.job, sizeof holder.job);
    take_line(text, "since: ", holder.since, sizeof holder.since);
    return holder;
}

/* Who holds a lock that was just seen held: a new holder needs a moment to write its name. */
static struct holder await_holder(int fd)
{
    struct holder holder = read_holder(fd);
    for (int i = 0; i < 100 && holder.since[0] == '\0'; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        holder = read_holder(fd);
    }
    return holder;
}

static int write_holder(int fd, struct error *err)
{
    char text[HOLDER_SIZE], host[64], since[32];
    const char *job = getenv("SLURM_JOB_ID");
    time_t now = time(NULL);
    struct tm utc;
    host_name(host, sizeof host);
    strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    int length = snprintf(text, sizeof text, "host: %s\npid: %ld\njob: %s\nsince: %s\n", host,
                          (long)getpid(), job == NULL ? "" : job, since);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length || fsync(fd) != 0)
        return error_set(err, ERROR_RESOURCE, "its lock file cannot be written: %s",
                         strerror(errno));
    return 0;
}

static int refuse(const struct holder *holder, const char *hint, struct error *err)
{
    if (holder->host[0] == '\0')
        return error_set(err, ERROR_USAGE, "another run has this store open");
    return error_set(err, ERROR_USAGE,
                     "another run has this store open: process %s on %s%s%s, since %s%s",
                     holder->pid, holder->host, holder->job[0] == '\0' ? "" : ", SLURM job ",
                     holder->job, holder->since, hint);
}

/* Locks do not reach across nodes on every file system. There a lock is won although a run on
 * another host holds it: it counts as held while that host's heartbeat is fresh. */
static int check_other_host(int fd, struct error *err)
{
    char host[64];
    struct stat status;
    struct holder holder = read_holder(fd);
    host_name(host, sizeof host);
    if (holder.host[0] == '\0' || strcmp(holder.host, host) == 0 || fstat(fd, &status) != 0)
        return 0;
    double silence = difftime(time(NULL), status.st_mtime);
    if (silence > STORE_LOCK_SILENCE)
        return 0;
    char hint[128];
    snprintf(hint, sizeof hint,
             " (last sign of life %.0f s ago; if it is dead, try again after %d s of silence)",
             silence < 0 ? 0.0 : silence, STORE_LOCK_SILENCE);
    return refuse(&holder, hint, err);
}

enum attempt { WON, STALE, LOST };

/* Locks an open lock file. STALE: it was removed by its holder meanwhile. */
static enum attempt try_lock(const char *path, int fd, struct error *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat locked, named;
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            struct holder holder = await_holder(fd);
            refuse(&holder, "", err);
        } else {
            error_set(err, ERROR_RESOURCE, "its lock file cannot be locked: %s", strerror(errno));
        }
        return LOST;
    }
    if (fstat(fd, &locked) != 0 || stat(path, &named) != 0 || locked.st_ino != named.st_ino ||
        locked.st_dev != named.st_dev)
        return STALE;
    return check_other_host(fd, err) == 0 ? WON : LOST;
}

/* A locked descriptor, or -1. */
static int take(const char *path, struct error *err)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            return error_set(err, ERROR_USAGE, "its lock file cannot be made: %s", strerror(errno));
        enum attempt attempt = try_lock(path, fd, err);
        if (attempt == WON && write_holder(fd, err) == 0)
            return fd;
        close(fd);
        if (attempt != STALE)
            return -1;
    }
}

struct store_lock *store_lock_take(const char *path, struct error *err)
{
    struct store_lock *lock = mem_zeroed(1, sizeof *lock, err);
    struct text name = {0};
    text_add(&name, "%s.lock", path);
    if (lock == NULL || name.failed) {
        text_finish(&name);
        free(lock);
        return NULL;
    }
    lock->path = name.bytes; /* taken over */
    lock->fd = take(lock->path, err);
    if (lock->fd >= 0)
        return lock;
    error_prefix(err, "%s", path);
    free(lock->path);
    free(lock);
    return NULL;
}

void store_lock_beat(struct store_lock *lock)
{
    /* A beat that fails is made good by the next. */
    (void)futimens(lock->fd, NULL);
}

void store_lock_release(struct store_lock *lock)
{
    if (lock == NULL)
        return;
    unlink(lock->path); /* while it is still ours */
    close(lock->fd);
    free(lock->path);
    free(lock);
}
