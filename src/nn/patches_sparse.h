/* Convolutions of any kernel, stride and padding on their surviving weights. Functions and scratch
 * as those of patches.h. Rows of the pattern are outputs, columns [input][kernel][kernel]; turned
 * the other way round, without turning taps. */
#ifndef SWEEPSTAKE_NN_PATCHES_SPARSE_H
#define SWEEPSTAKE_NN_PATCHES_SPARSE_H

#include "kernels/convolution.h"
#include "kernels/sparse.h"

void patches_sparse_forward(const struct kernels *kernels, const struct conv_shape *shape,
                            int64_t columns, const struct sparse_weights *weights, const float *x,
                            const float *bias, bool rectify, float *y, float *scratch);
void patches_sparse_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                                  int64_t columns, const struct sparse_weights *turned,
                                  const float *dy, float *dx, float *scratch);
void patches_sparse_backward_weights(const struct kernels *kernels, const struct conv_shape *shape,
                                     int64_t columns, const struct sparse_pattern *pattern,
                                     const float *x, const float *dy, float *gradient,
                                     float *scratch);

#endif
