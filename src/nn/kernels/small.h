/* Sizes of the convolutions of small images; the same for every instruction set. */
#ifndef SWEEPSTAKE_NN_SMALL_H
#define SWEEPSTAKE_NN_SMALL_H

#include "convolution.h"
#include "panels.h"

/* What lies where in the scratch of a pass over activations. */
struct small_data_layout {
    int64_t from, to, pixels;
    int64_t x, y, taps, total; /* offsets; the sum of all */
};

static inline struct small_data_layout small_data_layout(const struct conv_shape *shape,
                                                         bool backward)
{
    struct small_data_layout l = {
        .from = backward ? shape->outputs : shape->inputs,
        .to = backward ? shape->inputs : shape->outputs,
        .pixels = shape->height * shape->width,
    };
    l.y = l.x + l.pixels * l.from * BLOCK_COLUMNS;
    l.taps = l.y + l.pixels * RESULT_PANEL * BLOCK_COLUMNS;
    l.total = l.taps + ARGUMENT_SLICE * FILTER_TAPS * RESULT_PANEL;
    return l;
}

/* And over weights: the transposed gradient of the result, then the taps. */
static inline int64_t small_gradient_dy_floats(const struct conv_shape *shape, int64_t columns)
{
    return shape->height * shape->width * columns * OUTPUT_PANEL;
}

static inline int64_t small_gradient_taps_floats(void)
{
    return INPUT_PANEL * FILTER_TAPS * OUTPUT_PANEL;
}

#endif
