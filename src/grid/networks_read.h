#ifndef SWEEPSTAKE_GRID_NETWORKS_READ_H
#define SWEEPSTAKE_GRID_NETWORKS_READ_H

#include "grid/grid.h"
#include "tree.h"

/* The top level's `networks`: into grid->networks, which are the grid's own memory. */
int networks_read(const struct reader *reader, const struct node *node, struct grid *grid);

#endif
