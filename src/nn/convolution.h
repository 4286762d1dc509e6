/* Convolutions by the method that suits their shape; as the functions of kernels/convolution.h. */
#ifndef SWEEPSTAKE_NN_CONVOLUTION_H
#define SWEEPSTAKE_NN_CONVOLUTION_H

#include "kernels/convolution.h"

void convolution_forward(const struct kernels *kernels, const struct conv_shape *shape,
                         int64_t columns, const float *x, const float *w, const float *bias,
                         bool rectify, float *y, float *scratch);
void convolution_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                               int64_t columns, const float *dy, const float *w, float *dx,
                               float *scratch);
void convolution_backward_weights(const struct kernels *kernels, const struct conv_shape *shape,
                                  int64_t columns, const float *x, const float *dy, float *dw,
                                  float *scratch);
int64_t convolution_scratch_floats(const struct conv_shape *shape, int64_t columns);

#endif
