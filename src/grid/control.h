/* Controls as a grid file writes them. */
#ifndef SWEEPSTAKE_GRID_CONTROL_H
#define SWEEPSTAKE_GRID_CONTROL_H

#include "tree.h"

struct control_list {
    struct control *items; /* zeroed where unused */
    int32_t count;
};

/* `controls: [{kind, draws, levels, set}, ...]`. */
int controls_read(const struct reader *reader, const struct node *node, struct control_list *list);

/* The same controls, wherever in the file they stand? */
bool controls_equal(const struct control *a, int32_t a_count, const struct control *b,
                    int32_t b_count);

#endif
