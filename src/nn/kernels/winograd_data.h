/* Sizes of the Winograd passes over activations; the same for every instruction set. */
#ifndef SWEEPSTAKE_NN_WINOGRAD_DATA_H
#define SWEEPSTAKE_NN_WINOGRAD_DATA_H

#include "panels.h"
#include "winograd.h"

#define BLOCK_UNITS (BLOCK_COLUMNS / KERNEL_LANES) /* that go through the products together */

/* What lies where in the scratch of a pass. */
struct winograd_data_layout {
    struct winograd_tiling tiling;
    int64_t from, to;                   /* channels of the argument and of the result */
    int64_t panels, slices;             /* `to` in panels, `from` in at most ARGUMENT_SLICE */
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
        .filter_floats = WINOGRAD_POINTS * ARGUMENT_SLICE * RESULT_PANEL,
        .y_stride = winograd_point_stride(RESULT_PANEL, BLOCK_COLUMNS),
    };
    l.panels = (l.to + RESULT_PANEL - 1) / RESULT_PANEL;
    l.slices = (l.from + ARGUMENT_SLICE - 1) / ARGUMENT_SLICE;
    l.keeps_filters = l.tiling.units > BLOCK_UNITS;
    l.x_stride = winograd_point_stride(l.from, BLOCK_COLUMNS);
    l.y = l.x + WINOGRAD_POINTS * l.x_stride;
    l.taps = l.y + WINOGRAD_POINTS * l.y_stride;
    l.filters = l.taps + FILTER_TAPS * ARGUMENT_SLICE * RESULT_PANEL;
    l.total = l.filters + (l.keeps_filters ? l.panels * l.slices : 1) * l.filter_floats;
    return l;
}

#endif
