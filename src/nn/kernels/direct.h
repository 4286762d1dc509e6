/* Sizes of the direct convolutions; the same for every instruction set. */
#ifndef SWEEPSTAKE_NN_DIRECT_H
#define SWEEPSTAKE_NN_DIRECT_H

#include "convolution.h"
#include "kernels.h"
#include "panels.h"

static inline int64_t direct_round_up(int64_t n, int64_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

/* Activations. What lies where in the scratch of a pass. */
struct direct_data_layout {
    int64_t from, to; /* channels of the argument and of the result */
    int64_t to_stride;
    int64_t filter_floats; /* one kind of row's filters */
    int64_t total;         /* the kinds' filters, then the strip */
};

/* Rows differ in whether there is a row above and one below. */
#define DIRECT_ROW_KINDS 4

static inline struct direct_data_layout direct_data_layout(const struct conv_shape *shape,
                                                           bool backward)
{
    struct direct_data_layout l = {
        .from = backward ? shape->outputs : shape->inputs,
        .to = backward ? shape->inputs : shape->outputs,
    };
    l.to_stride = direct_round_up(l.to, KERNEL_LANES);
    l.filter_floats = FILTER_TAPS * l.from * l.to_stride;
    l.total =
        DIRECT_ROW_KINDS * l.filter_floats + shape->width * FILTER_WIDTH * l.from * BLOCK_COLUMNS;
    return l;
}

/* Gradient of the weights. */
#define DIRECT_OUTPUTS 4 /* of a tile */

static inline int64_t direct_gradient_floats(const struct conv_shape *shape, int64_t columns)
{
    return columns + DIRECT_OUTPUTS * shape->inputs * FILTER_TAPS * KERNEL_LANES;
}

#endif
