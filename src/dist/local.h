/* The channel of a run in one process: its worker is this process. */
#ifndef SWEEPSTAKE_DIST_LOCAL_H
#define SWEEPSTAKE_DIST_LOCAL_H

#include "channel.h"
#include "work/work.h"

struct local {
    const struct executor *executor; /* not owned */
    int32_t task;                    /* handed out and not begun; -1 = none */
    bool has_asked;                  /* REPORT_READY was given */
    bool told_to_stop;
    double next_heartbeat;
    struct channel *channel;
};

/* `local` is the channel's state and must outlive it. */
void local_open(struct local *local, const struct executor *executor, struct channel *channel);

#endif
