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

/* And of a pass over weights. */
struct small_gradient_layout {
    int64_t pixels;
    int64_t taps_floats;
    int64_t dy, taps, total; /* offsets; the sum of all */
};

static inline struct small_gradient_layout small_gradient_layout(const struct conv_shape *shape,
                                                                 int64_t columns)
{
    struct small_gradient_layout l = {.pixels = shape->height * shape->width,
                                      .taps_floats = INPUT_PANEL * FILTER_TAPS * OUTPUT_PANEL};
    l.taps = l.dy + l.pixels * columns * OUTPUT_PANEL;
    l.total = l.taps + l.taps_floats;
    return l;
}

#endif
