/* The parts of a layout. */
#ifndef SWEEPSTAKE_WORK_LAYOUT_H
#define SWEEPSTAKE_WORK_LAYOUT_H

#include "plan/plan.h"
#include "store/store.h"

int layout_experiments(const struct plan *plan, struct store_table *table, struct error *err);
int layout_points(const struct plan *plan, struct store_table *table, struct error *err);
int layout_tasks(const struct plan *plan, struct store_table *table, struct error *err);

#endif
