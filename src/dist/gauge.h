/* How the run stands, for people: what each worker does and how fast all of them go. */
#ifndef SWEEPSTAKE_DIST_GAUGE_H
#define SWEEPSTAKE_DIST_GAUGE_H

#include "base/progress.h"
#include "plan/plan.h"
#include "sched/sched.h"

struct gauge {
    const struct plan *plan;
    struct progress_worker *workers;
    struct progress progress;
    double started, read; /* seconds, monotonic */
    double moved;         /* iterations heard of since `read`, all workers */
    double moved_before;  /* those until `read` */
};

int gauge_init(struct gauge *gauge, const struct plan *plan, int32_t workers, int32_t kept,
               double now, struct error *err);
void gauge_finish(struct gauge *gauge);

void gauge_task(struct gauge *gauge, int32_t worker, int32_t task); /* -1 = idle */
/* At most the task's last. */
void gauge_iteration(struct gauge *gauge, int32_t worker, int32_t task, double iteration);

/* The figures as of now; the struct is the gauge's own. */
const struct progress *gauge_read(struct gauge *gauge, const struct sched *sched, double now);

#endif
