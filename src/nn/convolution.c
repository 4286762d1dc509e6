/* Which method a convolution goes through, by its shape alone: 3x3 with stride 1 and padding 1 have
 * kernels of their own, all others are products with patches. */
#include "convolution.h"

#include "patches.h"

void convolution_forward(const struct kernels *kernels, const struct conv_shape *shape,
                         int64_t columns, const float *x, const float *w, const float *bias,
                         bool rectify, float *y, float *scratch)
{
    patches_forward(kernels, shape, columns, x, w, bias, rectify, y, scratch);
}

void convolution_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                               int64_t columns, const float *dy, const float *w, float *dx,
                               float *scratch)
{
    patches_backward_data(kernels, shape, columns, dy, w, dx, scratch);
}

void convolution_backward_weights(const struct kernels *kernels, const struct conv_shape *shape,
                                  int64_t columns, const float *x, const float *dy, float *dw,
                                  float *scratch)
{
    patches_backward_weights(kernels, shape, columns, x, dy, dw, scratch);
}

int64_t convolution_scratch_floats(const struct conv_shape *shape, int64_t columns)
{
    return patches_scratch_floats(shape, columns);
}
