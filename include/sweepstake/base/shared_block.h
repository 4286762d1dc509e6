/* A block of bytes that the processes of one user on a node keep once: a file in memory that all of
 * them map, made by the first that asks for it and removed by the last that leaves. A process may
 * die at any moment: what it made half is not used, what it made whole is, and what nobody uses any
 * more is removed by the next that leaves or calls shared_block_clear. */
#ifndef SWEEPSTAKE_BASE_SHARED_BLOCK_H
#define SWEEPSTAKE_BASE_SHARED_BLOCK_H

#include <stddef.h>

#include "base/error.h"

/* Names a folder of node-local storage for the files, sweepstake-shared-USER-NAME, in place of
 * SHARED_BLOCK_FOLDER; empty = nothing is shared. */
#define SHARED_BLOCK_VARIABLE "SWEEPSTAKE_SHARED"
#define SHARED_BLOCK_FOLDER "/dev/shm"

/* How long another process is waited for that makes the block: longer, it stands still. */
#define SHARED_BLOCK_PATIENCE 30.0 /* seconds */

struct shared_block {
    const void *bytes; /* [size], aligned to MEMORY_ALIGNMENT; NULL = there is none */
    size_t size;
    int file; /* holds the lock of a user; -1 = private memory */
};

/* What a block is and how it is made. `name` says what is in it to the last bit: equal names are
 * equal bytes. It has no '/'. */
struct shared_block_maker {
    const char *name;
    size_t size;                                             /* > 0 */
    int (*make)(void *user, void *bytes, struct error *err); /* into zeros; -1 with the reason */
    void *user;
};

/* The block, shared where that can be, else in memory of this process alone: then `private` says
 * why, and is else empty. -1 when it cannot be made, with make's error, or for lack of memory. */
int shared_block_open(const struct shared_block_maker *maker, struct shared_block *block,
                      struct error *private, struct error *err);

/* The block in memory of this process alone. */
int shared_block_make_private(const struct shared_block_maker *maker, struct shared_block *block,
                              struct error *err);

/* Accepts one that is not open ({0}). */
void shared_block_close(struct shared_block *block);

/* Removes this user's files that no process uses: whoever did was killed. */
void shared_block_clear(void);

#endif
