/* What all ranks do together at the start. Collective, every one of them: all ranks call it, in the
 * same order. */
#ifndef SWEEPSTAKE_DIST_AGREE_H
#define SWEEPSTAKE_DIST_AGREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "peer.h"

/* After rank-local work: -1 on all ranks when it failed on any, with the error of the lowest rank
 * that failed. Collective. */
int agree_on_error(bool failed, struct error *err);

/* Rank 0's text on all ranks; the others get a copy in *text to free. Collective. */
int agree_on_text(char **text, size_t *length, struct error *err);

/* Rank 0's number on all ranks. Collective. */
int agree_on_number(int number);

/* Who is who: peers[ranks]. Collective. */
void agree_on_peers(struct peer *peers);

#endif
