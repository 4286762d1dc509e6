/* The parts of a layout. */
#ifndef SWEEPSTAKE_WORK_LAYOUT_H
#define SWEEPSTAKE_WORK_LAYOUT_H

#include "filler.h"
#include "plan/plan.h"
#include "store/store.h"

/* filler_make, or filler_define where rows are not wanted. */
typedef int layout_filler(struct store_table *table, int64_t row_count,
                          void (*row)(struct filler *filler, const void *user), const void *user,
                          struct error *err);

int layout_experiments(const struct plan *plan, layout_filler *fill, struct store_table *table,
                       struct error *err);
int layout_points(const struct plan *plan, layout_filler *fill, struct store_table *table,
                  struct error *err);
int layout_tasks(const struct plan *plan, layout_filler *fill, struct store_table *table,
                 struct error *err);

#endif
