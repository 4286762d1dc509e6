/* Which method a convolution on surviving weights goes through, by its shape alone: 3x3 with stride
 * 1 and padding 1 have kernels of their own, all others are sparse products with patches. */
#include "convolution_sparse.h"

#include "patches.h"
#include "patches_sparse.h"

#define TAPS 9

static bool is_3x3(const struct conv_shape *shape)
{
    return shape->kernel == 3 && shape->stride == 1 && shape->padding == 1;
}

void convolution_sparse_form(const struct conv_shape *shape, double density,
                             struct sparse_form *form)
{
    const int64_t depth = shape->inputs * shape->kernel * shape->kernel;
    *form = (struct sparse_form){.rows = shape->outputs, .columns = depth};
    if (is_3x3(shape)) {
        form->taps = TAPS;
        form->band = sparse_conv_band(shape->inputs, shape->width, density);
        form->turned_band = sparse_conv_band(shape->outputs, shape->width, density);
    } else {
        form->taps = 1;
        form->band = sparse_product_band(depth, density);
        form->turned_band = sparse_product_band(shape->outputs, density);
    }
}

int64_t convolution_sparse_scratch_floats(const struct conv_shape *shape, int64_t columns)
{
    if (!is_3x3(shape))
        return patches_scratch_floats(shape, columns);
    const int64_t forward =
        sparse_conv_scratch_floats(shape->inputs, shape->outputs, shape->height, shape->width);
    const int64_t backward =
        sparse_conv_scratch_floats(shape->outputs, shape->inputs, shape->height, shape->width);
    return forward > backward ? forward : backward;
}

void convolution_sparse_forward(const struct kernels *kernels, const struct conv_shape *shape,
                                int64_t columns, const struct sparse_weights *weights,
                                const float *x, const float *bias, bool rectify, float *y,
                                float *scratch)
{
    if (!is_3x3(shape)) {
        patches_sparse_forward(kernels, shape, columns, weights, x, bias, rectify, y, scratch);
        return;
    }
    kernels->sparse_conv_data(&(struct sparse_conv_data){.pattern = weights->pattern,
                                                         .values = weights->values,
                                                         .height = shape->height,
                                                         .width = shape->width,
                                                         .columns = columns,
                                                         .x = x,
                                                         .bias = bias,
                                                         .rectify = rectify,
                                                         .y = y,
                                                         .scratch = scratch});
}

void convolution_sparse_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                                      int64_t columns, const struct sparse_weights *turned,
                                      const float *dy, float *dx, float *scratch)
{
    if (!is_3x3(shape)) {
        patches_sparse_backward_data(kernels, shape, columns, turned, dy, dx, scratch);
        return;
    }
    kernels->sparse_conv_data(&(struct sparse_conv_data){.pattern = turned->pattern,
                                                         .values = turned->values,
                                                         .height = shape->height,
                                                         .width = shape->width,
                                                         .columns = columns,
                                                         .x = dy,
                                                         .y = dx,
                                                         .scratch = scratch});
}

void convolution_sparse_backward_weights(const struct kernels *kernels,
                                         const struct conv_shape *shape, int64_t columns,
                                         const struct sparse_pattern *pattern, const float *x,
                                         const float *dy, float *gradient, float *scratch)
{
    if (!is_3x3(shape)) {
        patches_sparse_backward_weights(kernels, shape, columns, pattern, x, dy, gradient, scratch);
        return;
    }
    kernels->sparse_conv_gradient(&(struct sparse_conv_gradient){.pattern = pattern,
                                                                 .height = shape->height,
                                                                 .width = shape->width,
                                                                 .columns = columns,
                                                                 .x = x,
                                                                 .dy = dy,
                                                                 .gradient = gradient,
                                                                 .scratch = scratch});
}
