/* From scopes to experiments. */
#ifndef SWEEPSTAKE_GRID_EXPAND_H
#define SWEEPSTAKE_GRID_EXPAND_H

#include "grid/grid.h"
#include "scope.h"

/* Fills grid->experiments and grid->controls with the union of the blocks (already completed by
 * scope_inherit). */
int expand(const struct reader *reader, const struct scope *top, struct scope *blocks,
           size_t block_count, struct grid *grid);

#endif
