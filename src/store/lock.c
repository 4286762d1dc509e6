/* One run at a time. PATH.lock is locked with F_OFD_SETLK, which belongs to the open file and not
 * to the process: closing some other descriptor of the file does not drop it, and the kernel drops
 * it when the holder dies, however. The text in the file says who holds it (holder.h); its time of
 * modification is the heartbeat.
 *
 * Two bytes are locked. The first is the run's. The second is the writer's: the one process that
 * may write rows, which is not the run's first one where a supervisor launches ranks, and which may
 * outlive it. A new run takes the first byte, writes its generation into the file, and then waits
 * for the second. A writer asks before each row whether the file is still there and of its
 * generation; so one that was stopped meanwhile writes nothing when it wakes.
 *
 * A run of this very SLURM job from before SLURM started it anew (its node was given up, and only
 * SLURM's daemon may have died there) is given another generation, and ends by that.
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

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "holder.h"

#define WRITER_SECONDS 10.0 /* an earlier run's writer is waited for */
#define LEAVE_SECONDS 30.0  /* a run that SLURM gave up, to end */

enum byte { BYTE_RUN, BYTE_WRITER };

struct store_lock {
    char *path;
    int fd;
    bool is_runs; /* else a rank's, that joined */
    char generation[STORE_GENERATION_SIZE];
};

/* --- bytes --- */

static int set_byte(int fd, enum byte byte, short type)
{
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &range);
}

static bool is_path_of(const char *path, int fd)
{
    struct stat locked, named;
    return fstat(fd, &locked) == 0 && stat(path, &named) == 0 && locked.st_ino == named.st_ino &&
           locked.st_dev == named.st_dev;
}

/* --- refusal --- */

/* Who holds a lock that was just seen held: a new holder needs a moment to write its name. */
static struct holder await_holder(int fd)
{
    struct holder holder = holder_read(fd);
    for (int i = 0; i < 100 && holder.since[0] == '\0'; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        holder = holder_read(fd);
    }
    return holder;
}

static int refuse(const struct holder *holder, const char *hint, struct error *err)
{
    char who[256];
    if (holder->host[0] == '\0')
        return error_set(err, ERROR_USAGE, "another run has this store open");
    holder_describe(holder, who, sizeof who);
    return error_set(err, ERROR_USAGE, "another run has this store open: %s%s", who, hint);
}

/* Seconds since the last beat by the clock of whoever keeps the files: another file there is
 * touched and compared. Negative when that cannot be done. */
static double silence_of(const char *path, int fd)
{
    struct stat beaten, touched;
    struct text name = {0};
    double silence = -1;
    text_add(&name, "%s.%ld", path, (long)getpid());
    int now = name.failed ? -1 : open(name.bytes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (now >= 0) {
        if (futimens(now, NULL) == 0 && fstat(now, &touched) == 0 && fstat(fd, &beaten) == 0)
            silence = difftime(touched.st_mtime, beaten.st_mtime);
        unlink(name.bytes);
        close(now);
    }
    text_finish(&name);
    return silence;
}

/* Locks do not reach across nodes on every file system. There a lock is won although a run on
 * another host holds it: it counts as held while that host's heartbeat is fresh. Says from whom the
 * store is taken over. */
static int check_last_holder(const char *path, int fd, struct error *err)
{
    char who[256], hint[128];
    struct holder holder = holder_read(fd);
    if (holder.host[0] == '\0')
        return 0;
    holder_describe(&holder, who, sizeof who);
    if (holder_is_here(&holder) || holder_is_given_up(&holder)) {
        log_line(LOG_WARNING, "the run before ended without a word (%s): taking over", who);
        return 0;
    }
    double silence = silence_of(path, fd);
    if (silence > STORE_LOCK_SILENCE) {
        log_line(LOG_WARNING, "nothing was heard of the run before for %.0f s (%s): taking over",
                 silence, who);
        return 0;
    }
    snprintf(hint, sizeof hint,
             " (last sign of life %.0f s ago; if it is dead, try again after %d s of silence)",
             silence < 0 ? 0.0 : silence, STORE_LOCK_SILENCE);
    return refuse(&holder, hint, err);
}

/* --- taking --- */

enum attempt { WON, STALE, LOST };

/* The holder lives on a node that SLURM gave up. It ends when it sees another generation. */
static enum attempt drive_out(const struct holder *holder, int fd, struct error *err)
{
    char who[256], generation[STORE_GENERATION_SIZE];
    double end = clock_seconds() + LEAVE_SECONDS;
    holder_describe(holder, who, sizeof who);
    log_line(LOG_WARNING, "SLURM gave the run before up, which lives (%s): telling it to end", who);
    if (holder_write(fd, generation, err) != 0)
        return LOST;
    while (set_byte(fd, BYTE_RUN, F_WRLCK) != 0) {
        if (clock_seconds() > end) {
            refuse(holder, " and does not end", err);
            return LOST;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return WON;
}

/* Locks an open lock file. STALE: it was removed by its holder meanwhile. */
static enum attempt try_lock(const char *path, int fd, struct error *err)
{
    if (set_byte(fd, BYTE_RUN, F_WRLCK) != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            struct holder holder = await_holder(fd);
            if (holder_is_given_up(&holder))
                return drive_out(&holder, fd, err);
            refuse(&holder, "", err);
        } else {
            error_set(err, ERROR_RESOURCE, "its lock file cannot be locked: %s", strerror(errno));
        }
        return LOST;
    }
    if (!is_path_of(path, fd))
        return STALE;
    return check_last_holder(path, fd, err) == 0 ? WON : LOST;
}

/* Fills fd and generation. */
static int take(struct store_lock *lock, struct error *err)
{
    for (;;) {
        lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (lock->fd < 0)
            return error_set(err, ERROR_USAGE, "its lock file cannot be made: %s", strerror(errno));
        enum attempt attempt = try_lock(lock->path, lock->fd, err);
        if (attempt == WON && holder_write(lock->fd, lock->generation, err) == 0)
            return 0;
        if (attempt == WON)
            unlink(lock->path);
        close(lock->fd);
        if (attempt != STALE)
            return -1;
    }
}

/* An earlier run's writer leaves when it sees the new generation. One that does not (it is stopped)
 * will see it before it writes. */
static void await_writer(const struct store_lock *lock)
{
    double end = clock_seconds() + WRITER_SECONDS;
    if (set_byte(lock->fd, BYTE_WRITER, F_WRLCK) == 0)
        return;
    log_line(LOG_WARNING, "a process of the run before still lives: waiting up to %.0f s for it",
             WRITER_SECONDS);
    while (clock_seconds() < end) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        if (set_byte(lock->fd, BYTE_WRITER, F_WRLCK) == 0)
            return;
    }
    log_line(LOG_WARNING, "it stands still: going on; it writes no results any more");
}

static struct store_lock *new_lock(const char *path, bool is_runs, struct error *err)
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
    lock->is_runs = is_runs;
    return lock;
}

static void free_lock(struct store_lock *lock)
{
    free(lock->path);
    free(lock);
}

struct store_lock *store_lock_take(const char *path, struct error *err)
{
    struct store_lock *lock = new_lock(path, true, err);
    if (lock == NULL)
        return NULL;
    if (take(lock, err) == 0) {
        await_writer(lock);
        return lock;
    }
    error_prefix(err, "%s", path);
    free_lock(lock);
    return NULL;
}

/* --- the run's ranks --- */

const char *store_lock_generation(const struct store_lock *lock)
{
    return lock->generation;
}

void store_lock_leave_writing(struct store_lock *lock)
{
    (void)set_byte(lock->fd, BYTE_WRITER, F_UNLCK);
}

struct store_lock *store_lock_join(const char *path, const char *generation, struct error *err)
{
    struct store_lock *lock = new_lock(path, false, err);
    if (lock == NULL)
        return NULL;
    text_copy(lock->generation, sizeof lock->generation, generation);
    lock->fd = open(lock->path, O_RDWR | O_CLOEXEC);
    if (store_lock_check(lock, err) == 0) {
        (void)set_byte(lock->fd, BYTE_WRITER, F_WRLCK); /* not if an earlier writer stands still */
        return lock;
    }
    store_lock_release(lock);
    return NULL;
}

int store_lock_check(const struct store_lock *lock, struct error *err)
{
    struct holder holder = {0};
    char who[256];
    if (lock->fd >= 0 && is_path_of(lock->path, lock->fd))
        holder = holder_read(lock->fd);
    if (strcmp(holder.generation, lock->generation) == 0)
        return 0;
    if (holder.host[0] == '\0')
        return error_set(err, ERROR_INTERNAL, "%s is gone or another run's: this run ends",
                         lock->path);
    holder_describe(&holder, who, sizeof who);
    return error_set(err, ERROR_INTERNAL, "%s: another run took the store over (%s): this one ends",
                     lock->path, who);
}

/* --- holding and releasing --- */

void store_lock_beat(struct store_lock *lock)
{
    /* A beat that fails is made good by the next. */
    (void)futimens(lock->fd, NULL);
}

void store_lock_release(struct store_lock *lock)
{
    if (lock == NULL)
        return;
    if (lock->is_runs && store_lock_check(lock, NULL) == 0)
        unlink(lock->path); /* while it is still ours */
    if (lock->fd >= 0)
        close(lock->fd);
    free_lock(lock);
}
