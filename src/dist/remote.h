/* The channel of a run over MPI: worker w is rank w + 1. */
#ifndef SWEEPSTAKE_DIST_REMOTE_H
#define SWEEPSTAKE_DIST_REMOTE_H

#include "channel.h"
#include "peer.h"

struct remote;

/* `peers`: by rank. The channel is the master's; free with remote_close. */
struct remote *remote_open(const struct peer *peers, int ranks, int32_t task_count,
                           struct channel *channel, struct error *err);
/* Waits until all that was sent has left, at most so long. */
bool remote_flush(struct remote *remote, double seconds);
/* Accepts NULL. Only after a flush that succeeded: MPI reads messages under way. */
void remote_close(struct remote *remote);

#endif
