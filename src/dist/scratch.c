/* The scratch folder, sweepstake.PID.XXXXXX by its supervisor's pid. Its supervisor holds a lock
 * (flock) on a file in it: a folder whose lock can be taken has lost its supervisor and is removed
 * by the next one that comes. */
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SCRATCH_PREFIX "sweepstake."
#define LOCK_NAME "supervisor"
/* A folder younger than this may not have its lock yet. */
#define BIRTH_SECONDS 30

static const char *const places[] = {"/dev/shm", "/tmp"};
#define PLACES (sizeof places / sizeof *places)

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    remove(path);
    return 0;
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Takes the lock of a folder; -1 when somebody has it. */
static int take_lock(const char *folder)
{
    char path[SCRATCH_PATH_SIZE + sizeof LOCK_NAME];
    snprintf(path, sizeof path, "%s/" LOCK_NAME, folder);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
        return lock;
    if (lock >= 0)
        close(lock);
    return -1;
}

static void remove_if_abandoned(const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
        time(NULL) - status.st_mtime < BIRTH_SECONDS)
        return;
    int lock = take_lock(path);
    if (lock < 0)
        return;
    remove_tree(path);
    close(lock);
}

static void remove_abandoned(const char *place)
{
    char path[SCRATCH_PATH_SIZE];
    struct dirent *entry;
    DIR *folder = opendir(place);
    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, SCRATCH_PREFIX, strlen(SCRATCH_PREFIX)) != 0)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", place, entry->d_name) < (int)sizeof path)
            remove_if_abandoned(path);
    }
    closedir(folder);
}

int scratch_create(struct scratch *scratch, struct error *err)
{
    for (size_t i = 0; i < PLACES; i++)
        remove_abandoned(places[i]);
    for (size_t i = 0; i < PLACES; i++) {
        snprintf(scratch->path, sizeof scratch->path, "%s/" SCRATCH_PREFIX "%ld.XXXXXX", places[i],
                 (long)getpid());
        if (mkdtemp(scratch->path) == NULL)
            continue;
        scratch->lock = take_lock(scratch->path);
        if (scratch->lock >= 0)
            return 0;
        remove_tree(scratch->path);
    }
    return error_set(err, ERROR_RESOURCE, "no temporary folder could be made in %s or %s: %s",
                     places[0], places[1], strerror(errno));
}

void scratch_remove(struct scratch *scratch)
{
    remove_tree(scratch->path);
    close(scratch->lock);
}
