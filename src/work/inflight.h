/* The in-flight state of a task: saved from time to time and when it is stopped, and taken up again
 * by whichever worker gets the task next. */
#ifndef SWEEPSTAKE_WORK_INFLIGHT_H
#define SWEEPSTAKE_WORK_INFLIGHT_H

#include "keep.h"
#include "work/work.h"

struct inflight {
    const struct work_saving *saving; /* NULL = nothing is saved */
    const struct plan_task *task;
    struct keep *keep;
    double started, next;  /* seconds, monotonic: of this attempt; the next save */
    double seconds_before; /* of earlier attempts that this one goes on from */
    struct train_stream stream;
    bool is_resumed;
    bool is_broken; /* a save failed */
};

/* Before the training: looks for a state, and takes from it what was captured. The attempt began at
 * `started`. */
void inflight_begin(struct inflight *inflight, const struct work_saving *saving,
                    const struct plan_task *task, struct keep *keep, double started);
/* The state that was found is of no use: the task begins anew. */
void inflight_forget(struct inflight *inflight);

/* What the training's hooks need. */
bool inflight_is_due(const struct inflight *inflight);
int inflight_save(struct inflight *inflight, int64_t iteration, struct train_saving *run,
                  struct error *err);
const struct train_stream *inflight_stream(const struct inflight *inflight); /* NULL = none */

/* Seconds spent on the task, earlier attempts included. */
double inflight_seconds(const struct inflight *inflight);

#endif
