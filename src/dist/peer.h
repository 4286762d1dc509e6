/* Another rank as a process: who and where it is, and, on the same machine, whether it has ended.
 */
#ifndef SWEEPSTAKE_DIST_PEER_H
#define SWEEPSTAKE_DIST_PEER_H

#include <stdbool.h>
#include <stdint.h>

/* What each rank tells all others at the start. Plain bytes. */
struct peer {
    char host[64];
    char cpu[96];
    int64_t pid;
    uint64_t pid_space; /* of the kernel and pid namespace: pids mean something where these agree */
};

void peer_self(struct peer *self);

/* A descriptor that tells when the peer's process ends; -1 where that cannot be known (another
 * machine, an old kernel): silence tells, later. */
int peer_watch(const struct peer *peer);

/* False for a descriptor of -1. */
bool peer_has_ended(int watch);

#endif
