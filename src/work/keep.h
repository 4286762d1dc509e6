/* What a task leaves in the store: the sets of weights it captures on its way, and its payload. */
#ifndef SWEEPSTAKE_WORK_KEEP_H
#define SWEEPSTAKE_WORK_KEEP_H

#include "origin.h"
#include "plan/plan.h"
#include "store/store.h"
#include "train/train.h"

struct keep {
    const struct plan *plan;
    struct store *store;
    const struct plan_task *task;
    float *captured[TRAIN_MAX_CAPTURES]; /* blocks; NULL = not reached */
    int32_t capture_count;
    int64_t captures[TRAIN_MAX_CAPTURES]; /* ascending */
    size_t block_size;
};

/* Which iterations are to be captured, for the training's spec. */
void keep_init(struct keep *keep, const struct plan *plan, struct store *store, int32_t task);
void keep_finish(struct keep *keep);

/* Fits train_hooks.capture; `user` is the struct keep. */
int keep_capture(void *user, int32_t which, const struct network *net, struct error *err);

/* Writes the payload. */
int keep_write(const struct keep *keep, const struct origin *origin,
               const struct train_result *result, uint64_t *digest, struct error *err);

#endif
