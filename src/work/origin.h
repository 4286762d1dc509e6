/* Where a task comes from: its mask, made from its parent's, and the weights it starts with. */
#ifndef SWEEPSTAKE_WORK_ORIGIN_H
#define SWEEPSTAKE_WORK_ORIGIN_H

#include "plan/plan.h"
#include "store/store.h"

struct origin {
    uint8_t *mask;  /* block, 1 = kept; NULL = everything is kept */
    float *weights; /* block, before the mask is applied */
};

/* The index of a set of weights among those kept of a network; -1 = not kept. */
int32_t origin_when(const struct store_network *network, const char *name);
/* "rewind-100" */
int32_t origin_when_at(const struct store_network *network, const char *family, int64_t iteration);

/* Reads of the store what it needs. Task error: the mask leaves nothing. */
int origin_make(const struct plan *plan, struct store *store, int32_t task, struct origin *origin,
                struct error *err);
void origin_finish(struct origin *origin);

#endif
