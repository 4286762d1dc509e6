/* Convolutions of any kernel, stride and padding, through products with patches of the image.
 * Functions and scratch as those of kernels/convolution.h. */
#ifndef SWEEPSTAKE_NN_PATCHES_H
#define SWEEPSTAKE_NN_PATCHES_H

#include "kernels/convolution.h"

void patches_forward(const struct kernels *kernels, const struct conv_shape *shape, int64_t columns,
                     const float *x, const float *w, const float *bias, bool rectify, float *y,
                     float *scratch);
void patches_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                           int64_t columns, const float *dy, const float *w, float *dx,
                           float *scratch);
void patches_backward_weights(const struct kernels *kernels, const struct conv_shape *shape,
                              int64_t columns, const float *x, const float *dy, float *dw,
                              float *scratch);
int64_t patches_scratch_floats(const struct conv_shape *shape, int64_t columns);

#endif
