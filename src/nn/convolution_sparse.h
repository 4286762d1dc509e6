/* Convolutions on their surviving weights, by the method that suits their shape. */
#ifndef SWEEPSTAKE_NN_CONVOLUTION_SPARSE_H
#define SWEEPSTAKE_NN_CONVOLUTION_SPARSE_H

#include "operation.h"

/* How the weights are listed for that method. */
void convolution_sparse_form(const struct conv_shape *shape, double density,
                             struct sparse_form *form);
int64_t convolution_sparse_scratch_floats(const struct conv_shape *shape, int64_t columns);

/* y = w * x + bias (NULL: none), then max(y, 0) when `rectify`. */
void convolution_sparse_forward(const struct kernels *kernels, const struct conv_shape *shape,
                                int64_t columns, const struct sparse_weights *weights,
                                const float *x, const float *bias, bool rectify, float *y,
                                float *scratch);
/* dx from dy, with the turned weights. */
void convolution_sparse_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                                      int64_t columns, const struct sparse_weights *turned,
                                      const float *dy, float *dx, float *scratch);
/* The gradient of each surviving weight. */
void convolution_sparse_backward_weights(const struct kernels *kernels,
                                         const struct conv_shape *shape, int64_t columns,
                                         const struct sparse_pattern *pattern, const float *x,
                                         const float *dy, float *gradient, float *scratch);

#endif
