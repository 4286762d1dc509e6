/* Sizes of the Winograd passes over activations; the same for every instruction set. */
#ifndef SWEEPSTAKE_NN_WINOGRAD_DATA_H
#define SWEEPSTAKE_NN_WINOGRAD_DATA_H

#include "winograd.h"

#define BLOCK_UNITS 4                            /* units that go through the products together */
#define BLOCK_WIDTH (BLOCK_UNITS * KERNEL_LANES) /* floats of a row of points */
#define PANEL 48                                 /* channels of the result a panel */
#define DEPTH 64                                 /* channels of the argument a product */

/* What lies where in the scratch of a pass. */
struct winograd_data_layout {
    struct winograd_tiling tiling;
    int64_t from, to;                   /* channels of the argument and of the result */
    int64_t panels, slices;             /* `to` in PANELs, `from` in at most DEPTH */
    int64_t x_stride, y_stride;         /* between points */
    int64_t filter_floats;              /* the points of one panel's and one slice's filters */
    bool keeps_filters;                 /* for the blocks behind the first */
    int64_t x, y, filters, taps, total; /* offsets; the sum of all */
};

static inline struct winograd_data_layout winograd_data_layout(const struct conv_shape *shape,
                                                               int64_t columns, bool backward)
{
    struct winograd_data_layout l = {
        .tiling = winograd_tiling(shape, columns),
        .from = backward ? shape->outputs : shape->inputs,
        .to = backward ? shape->inputs : shape->outputs,
        .filter_floats = WINOGRAD_POINTS * DEPTH * PANEL,
        .y_stride = winograd_point_stride(PANEL, BLOCK_WIDTH),
    };
    l.panels = (l.to + PANEL - 1) / PANEL;
    l.slices = (l.from + DEPTH - 1) / DEPTH;
    l.keeps_filters = l.tiling.units > BLOCK_UNITS;
    l.x_stride = winograd_point_stride(l.from, BLOCK_WIDTH);
    l.y = l.x + WINOGRAD_POINTS * l.x_stride;
    l.taps = l.y + WINOGRAD_POINTS * l.y_stride;
    l.filters = l.taps + WINOGRAD_TAPS * DEPTH * PANEL;
    l.total = l.filters + (l.keeps_filters ? l.panels * l.slices : 1) * l.filter_floats;
    return l;
}

#endif
