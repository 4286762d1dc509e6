/* Sizes of the Winograd gradient of weights; the same for every instruction set. */
#ifndef SWEEPSTAKE_NN_WINOGRAD_GRADIENT_H
#define SWEEPSTAKE_NN_WINOGRAD_GRADIENT_H

#include "panels.h"
#include "winograd.h"

#define GRADIENT_UNITS 4 /* units that are summed at a time */

/* Floats of a unit's tile: [pixel][example][output]. */
#define UNIT_PIXELS (WINOGRAD_TILE * WINOGRAD_TILE * KERNEL_LANES * KERNEL_LANES)

/* What lies where in the scratch of a pass. */
struct winograd_gradient_layout {
    struct winograd_tiling tiling;
    int64_t inputs, outputs, input_panels, output_panels;
    int64_t examples;                       /* of a row of x's points: a block of tiles' columns */
    int64_t x_stride, dy_stride, dw_stride; /* between points */
    int64_t dw_floats;                      /* the points of one pair of panels */
    bool keeps_sums;                        /* from block to block */
    int64_t x, dy, pixels, taps, dw, total; /* offsets; the sum of all */
};

static inline struct winograd_gradient_layout
winograd_gradient_layout(const struct conv_shape *shape, int64_t columns)
{
    struct winograd_gradient_layout l = {
        .tiling = winograd_tiling(shape, columns),
        .inputs = shape->inputs,
        .outputs = shape->outputs,
        .input_panels = (shape->inputs + INPUT_PANEL - 1) / INPUT_PANEL,
        .output_panels = (shape->outputs + OUTPUT_PANEL - 1) / OUTPUT_PANEL,
        .dw_stride = winograd_point_stride(INPUT_PANEL, OUTPUT_PANEL),
    };
    l.keeps_sums = l.tiling.units > GRADIENT_UNITS;
    l.examples = KERNEL_LANES * (l.keeps_sums ? GRADIENT_UNITS : l.tiling.units);
    l.x_stride = winograd_point_stride(l.inputs, l.examples);
    l.dy_stride = winograd_point_stride(l.examples, OUTPUT_PANEL);
    l.dw_floats = WINOGRAD_POINTS * l.dw_stride;
    l.dy = l.x + WINOGRAD_POINTS * l.x_stride;
    l.pixels = l.dy + l.output_panels * WINOGRAD_POINTS * l.dy_stride;
    l.taps = l.pixels + GRADIENT_UNITS * UNIT_PIXELS;
    l.dw = l.taps + INPUT_PANEL * FILTER_TAPS * OUTPUT_PANEL;
    l.total = l.dw + (l.keeps_sums ? l.input_panels * l.output_panels : 1) * l.dw_floats;
    return l;
}

#endif
