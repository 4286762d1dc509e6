/* The rows of /environment: one a run and host. */
#ifndef SWEEPSTAKE_DIST_ENVIRONMENT_H
#define SWEEPSTAKE_DIST_ENVIRONMENT_H

#include "master.h"
#include "peer.h"

/* Writes a row for each host among `peers` and says of each where its results come from:
 * places[count]. */
int environment_record(struct store *store, const struct peer *peers, int count,
                       struct worker_place *places, struct error *err);

#endif
