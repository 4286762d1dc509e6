/* Filters between [outputs][inputs][3][3], as users see them, and what products take: panels of
 * channels whose innermost index is the channel of the result. */
#ifndef SWEEPSTAKE_NN_FILTERS_H
#define SWEEPSTAKE_NN_FILTERS_H

#include "isa.h"
#include "panels.h"

/* `to_count` channels of the result from `to` on, and likewise of the argument. */
struct filter_block {
    int64_t to, to_count, from, from_count;
};

/* The weights that take a block's argument to its result, as taps [from][9][RESULT_PANEL], zero
 * behind `to_count`; turned by 180 degrees when the convolution is backward. */
void KERNEL(gather_filters)(const struct conv_data *call, const struct filter_block *block,
                            float *taps);

/* Weights from `input` on and from `output` on. */
struct gradient_block {
    int64_t input, inputs, output, outputs;
};

/* Stores taps [input][9][OUTPUT_PANEL] in the gradient of the weights. */
void KERNEL(scatter_filters)(const float *taps, const struct gradient_block *block,
                             const struct conv_gradient *call);

#endif
