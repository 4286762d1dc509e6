/* How the master reaches its workers: over MPI, or the one worker in its own process. */
#ifndef SWEEPSTAKE_DIST_CHANNEL_H
#define SWEEPSTAKE_DIST_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "wire.h"

struct channel {
    void *self;
    int32_t workers; /* numbered 0..workers-1 */

    /* The next report: 1 with *worker and *report filled, 0 when there is none, -1 when the launch
     * cannot go on. Never waits for a message; where the worker is this process, it trains here. */
    int (*receive)(void *self, int32_t *worker, struct report *report, struct error *err);
    /* Returns false when the worker does not take messages any more: it counts as lost; where the
     * order may be left out, also when there is no room for it. */
    bool (*send)(void *self, int32_t worker, const struct order *order);
    /* Whether the worker's process is known to have ended. */
    bool (*has_ended)(void *self, int32_t worker);
    /* A nap while nothing happens. */
    void (*wait)(void *self, bool something_happened);

    /* Set by the master: hears the heartbeats of a task that trains inside `receive`. */
    void (*overhear)(void *user, int32_t worker, const struct report *report);
    void *overhear_user;
};

#endif
