/* Shared blocks. A file is a header and the block. Its locks (flock) say what it is used for: who
 * uses the block has it shared, who makes or removes it has it alone, so that a process that dies
 * leaves nothing locked. Its header is written last: without it a block was not finished.
 *
 * A file may be removed between opening and locking it; whoever has the lock looks whether the name
 * still leads to it. Nobody waits in a lock: all try, nap and look again. */
#include "base/shared_block.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"

#define NAP_NANOSECONDS 2000000
#define PREFIX_SIZE 48
#define MAGIC "sweepstake 1\n"

struct header {
    char magic[16];
    uint64_t size;     /* of the block */
    uint64_t checksum; /* of its bytes */
    char padding[MEMORY_ALIGNMENT - 32];
};

static const char *shared_folder(void)
{
    const char *folder = getenv(SHARED_BLOCK_VARIABLE);
    return folder != NULL ? folder : SHARED_BLOCK_FOLDER;
}

/* --- one file --- */

/* Nobody else may have made it, or be able to write it. */
static bool is_ours(const struct stat *status)
{
    return S_ISREG(status->st_mode) && status->st_uid == geteuid() &&
           (status->st_mode & (S_IRWXG | S_IRWXO)) == 0 && status->st_nlink <= 1;
}

/* -1 with the reason. */
static int open_file(const char *path, int flags, struct error *err)
{
    struct stat status;
    int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
    if (file < 0)
        return error_set(err, ERROR_RESOURCE, "%s: %s", path, strerror(errno));
    if (fstat(file, &status) == 0 && is_ours(&status))
        return file;
    close(file);
    return error_set(err, ERROR_RESOURCE, "%s: not a file of this user alone", path);
}

/* Whether the path still leads to this file. */
static bool is_named(int file, const char *path)
{
    struct stat own, named;
    return fstat(file, &own) == 0 && lstat(path, &named) == 0 && own.st_ino == named.st_ino &&
           own.st_dev == named.st_dev;
}

static bool try_lock(int file, int how, const char *path)
{
    return flock(file, how | LOCK_NB) == 0 && is_named(file, path);
}

/* --- making and mapping --- */

/* All pages at once: one by one, each would be a fault when it is first touched. */
static void *map_file(int file, size_t size, int protection)
{
    void *bytes =
        mmap(NULL, sizeof(struct header) + size, protection, MAP_SHARED | MAP_POPULATE, file, 0);
    return bytes == MAP_FAILED ? NULL : bytes;
}

/* Accepts NULL. */
static void unmap_file(const struct header *header, size_t size)
{
    if (header != NULL)
        munmap((void *)(uintptr_t)header, sizeof *header + size);
}

/* Space is taken first: a mapping that finds none when it is written kills its process. */
static struct header *take_space(int file, size_t size, const char *path, struct error *err)
{
    struct header *header = NULL;
    if (ftruncate(file, 0) == 0 && fallocate(file, 0, 0, (off_t)(sizeof *header + size)) == 0)
        header = map_file(file, size, PROT_READ | PROT_WRITE);
    if (header == NULL)
        error_set(err, ERROR_RESOURCE, "%s: %s", path, strerror(errno));
    return header;
}

enum outcome {
    OUTCOME_READY,
    OUTCOME_AGAIN,    /* others were faster: look again */
    OUTCOME_NO_PLACE, /* nothing can be shared */
    OUTCOME_FAILED,   /* the block cannot be made */
};

/* Under the lock of one who makes. */
static enum outcome make_file(const struct shared_block_maker *maker, int file, const char *path,
                              struct error *private, struct error *err)
{
    struct header *header = take_space(file, maker->size, path, private);
    enum outcome outcome = OUTCOME_NO_PLACE;
    if (header != NULL && maker->make(maker->user, header + 1, err) != 0) {
        outcome = OUTCOME_FAILED;
    } else if (header != NULL) {
        header->size = maker->size;
        header->checksum = hash64_of(header + 1, maker->size);
        memcpy(header->magic, MAGIC, sizeof MAGIC);
        outcome = OUTCOME_READY;
    }
    unmap_file(header, maker->size);
    if (outcome != OUTCOME_READY)
        unlink(path);
    return outcome;
}

/* The mapped file, if it holds the block and nothing else. */
static const struct header *map_finished(int file, size_t size)
{
    struct stat status;
    if (fstat(file, &status) != 0 || (uint64_t)status.st_size != sizeof(struct header) + size)
        return NULL;
    const struct header *header = map_file(file, size, PROT_READ);
    if (header == NULL)
        return NULL;
    if (memcmp(header->magic, MAGIC, sizeof MAGIC) == 0 && header->size == size &&
        header->checksum == hash64_of(header + 1, size))
        return header;
    unmap_file(header, size);
    return NULL;
}

/* --- opening --- */

/* Takes the block if it is there, makes it if it is not. */
static enum outcome use_file(const struct shared_block_maker *maker, int file, const char *path,
                             struct shared_block *block, struct error *private, struct error *err)
{
    if (!try_lock(file, LOCK_SH, path))
        return OUTCOME_AGAIN;
    const struct header *header = map_finished(file, maker->size);
    if (header == NULL) {
        if (!try_lock(file, LOCK_EX, path))
            return OUTCOME_AGAIN;
        enum outcome outcome = make_file(maker, file, path, private, err);
        if (outcome != OUTCOME_READY)
            return outcome;
        header = try_lock(file, LOCK_SH, path) ? map_finished(file, maker->size) : NULL;
    }
    if (header == NULL)
        return OUTCOME_AGAIN;
    *block = (struct shared_block){header + 1, maker->size, file};
    return OUTCOME_READY;
}

static enum outcome try_path(const struct shared_block_maker *maker, const char *path,
                             struct shared_block *block, struct error *private, struct error *err)
{
    int file = open_file(path, O_CREAT, private);
    if (file < 0)
        return OUTCOME_NO_PLACE;
    enum outcome outcome = use_file(maker, file, path, block, private, err);
    if (outcome != OUTCOME_READY)
        close(file);
    return outcome;
}

static enum outcome open_path(const struct shared_block_maker *maker, const char *path,
                              struct shared_block *block, struct error *private, struct error *err)
{
    const struct timespec nap = {.tv_nsec = NAP_NANOSECONDS};
    const double deadline = clock_seconds() + SHARED_BLOCK_PATIENCE;
    while (clock_seconds() < deadline) {
        enum outcome outcome = try_path(maker, path, block, private, err);
        if (outcome != OUTCOME_AGAIN)
            return outcome;
        nanosleep(&nap, NULL);
    }
    error_set(private, ERROR_RESOURCE, "%s: another process is at it for %.0f seconds", path,
              SHARED_BLOCK_PATIENCE);
    return OUTCOME_NO_PLACE;
}

/* What the names of this user's files begin with. */
static void name_prefix(char prefix[PREFIX_SIZE])
{
    snprintf(prefix, PREFIX_SIZE, "sweepstake-shared-%lu-", (unsigned long)geteuid());
}

int shared_block_open(const struct shared_block_maker *maker, struct shared_block *block,
                      struct error *private, struct error *err)
{
    char path[PATH_MAX], prefix[PREFIX_SIZE];
    enum outcome outcome = OUTCOME_NO_PLACE;
    *private = (struct error){0};
    name_prefix(prefix);
    if (snprintf(path, sizeof path, "%s/%s%s", shared_folder(), prefix, maker->name) >=
        (int)sizeof path)
        error_set(private, ERROR_RESOURCE, SHARED_BLOCK_VARIABLE ": the path is too long");
    else if (shared_folder()[0] != '\0')
        outcome = open_path(maker, path, block, private, err);
    if (outcome == OUTCOME_NO_PLACE)
        return shared_block_make_private(maker, block, err);
    return outcome == OUTCOME_READY ? 0 : -1;
}

int shared_block_make_private(const struct shared_block_maker *maker, struct shared_block *block,
                              struct error *err)
{
    void *bytes = mem_aligned(maker->size, 1, err);
    if (bytes == NULL || maker->make(maker->user, bytes, err) != 0) {
        free(bytes);
        return -1;
    }
    *block = (struct shared_block){bytes, maker->size, -1};
    return 0;
}

/* --- leaving --- */

void shared_block_close(struct shared_block *block)
{
    if (block->bytes != NULL && block->file < 0) {
        free((void *)(uintptr_t)block->bytes);
    } else if (block->bytes != NULL) {
        unmap_file((const struct header *)block->bytes - 1, block->size);
        close(block->file);
        shared_block_clear();
    }
    *block = (struct shared_block){0};
}

static void remove_unused(const char *path)
{
    int file = open_file(path, 0, NULL);
    if (file >= 0 && try_lock(file, LOCK_EX, path))
        unlink(path);
    if (file >= 0)
        close(file);
}

void shared_block_clear(void)
{
    char path[PATH_MAX], prefix[PREFIX_SIZE];
    struct dirent *entry;
    DIR *folder = opendir(shared_folder());
    name_prefix(prefix);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
            snprintf(path, sizeof path, "%s/%s", shared_folder(), entry->d_name) < (int)sizeof path)
            remove_unused(path);
    }
    if (folder != NULL)
        closedir(folder);
}
