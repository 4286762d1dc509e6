/* How fast this machine trains the plan's networks: a few steps timed here, for estimates only; no
 * result ever depends on it. */
#ifndef SWEEPSTAKE_WORK_SPEED_H
#define SWEEPSTAKE_WORK_SPEED_H

#include "base/error.h"
#include "plan/plan.h"

/* Seconds an operation (the unit of plan->cost) takes on this core: the plan's largest training, timed for a
 * quarter of a second on zero inputs. */
int work_measure_speed(const struct plan *plan, double *seconds_per_operation, struct error *err);

#endif
