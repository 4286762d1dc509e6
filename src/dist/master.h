/* The master: hands out tasks, watches workers, writes result rows. The one scheduler path of all
 * ways to run a grid. */
#ifndef SWEEPSTAKE_DIST_MASTER_H
#define SWEEPSTAKE_DIST_MASTER_H

#include "base/progress.h"
#include "channel.h"
#include "ledger.h"
#include "plan/plan.h"
#include "sched/sched.h"
#include "store/store.h"

struct master_setup {
    const struct plan *plan;
    struct store *store;
    const struct store_lock *lock; /* of this run */
    struct channel *channel;
    struct sched_limits limits;
    const struct worker_place *places; /* [channel->workers] */
    void (*show)(void *user, const struct progress *progress);
    void *show_user;
    void (*beat)(void *user); /* lets others know, about once a second, that the master lives */
    void *beat_user;
};

enum master_verdict {
    MASTER_COMPLETE,
    MASTER_SOME_FAILED,
    MASTER_STOPPED,    /* tasks are left because a stop was asked for */
    MASTER_NO_WORKERS, /* tasks are left because every worker died */
};

struct master_end {
    enum master_verdict verdict;
    bool together; /* no worker died: all ranks may close and finalize */
};

/* Runs the plan's tasks that have no result yet in the store, until nothing is left, a stop is
 * asked for (stop.h) or no worker lives. Workers are then told to leave. -1: the store cannot be
 * written or is another run's by now, or every worker is broken; workers were told to leave. */
int master_run(const struct master_setup *setup, struct master_end *end, struct error *err);

#endif
