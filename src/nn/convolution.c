/* Which method a convolution goes through, by its shape alone: 3x3 with stride 1 and padding 1 have
 * kernels of their own, all others are products with patches. */
#include "convolution.h"

#include "patches.h"

static bool is_3x3(const struct conv_shape *shape)
{
    return shape->kernel == 3 && shape->stride == 1 && shape->padding == 1;
}

void convolution_forward(const struct kernels *kernels, const struct conv_shape *shape,
                         int64_t columns, const float *x, const float *w, const float *bias,
                         bool rectify, float *y, float *scratch)
{
    (is_3x3(shape) ? conv3x3_forward : patches_forward)(kernels, shape, columns, x, w, bias,
                                                        rectify, y, scratch);
}

void convolution_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                               int64_t columns, const float *dy, const float *w, float *dx,
                               float *scratch)
{
    (is_3x3(shape) ? conv3x3_backward_data : patches_backward_data)(kernels, shape, columns, dy, w,
                                                                    dx, scratch);
}

void convolution_backward_weights(const struct kernels *kernels, const struct conv_shape *shape,
                                  int64_t columns, const float *x, const float *dy, float *dw,
                                  float *scratch)
{
    (is_3x3(shape) ? conv3x3_backward_weights : patches_backward_weights)(kernels, shape, columns,
                                                                          x, dy, dw, scratch);
}

int64_t convolution_scratch_floats(const struct conv_shape *shape, int64_t columns)
{
    return (is_3x3(shape) ? conv3x3_scratch_floats : patches_scratch_floats)(shape, columns);
}
