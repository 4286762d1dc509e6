#ifndef PLAN_PART_H
#define PLAN_PART_H

#include "plan/plan.h"

/* keep[i]: whether experiment i of the whole grid's plan belongs to the part. Usage error when the
 * grid does not fall into so many. */
int part_choose(const struct plan *whole, struct plan_part part, bool *keep, struct error *err);

#endif
