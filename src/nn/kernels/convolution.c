/* Which family a 3x3 convolution goes through, and the doors to both. */
#include "convolution.h"
#include "direct.h"
#include "kernels.h"
#include "small.h"
#include "winograd_data.h"
#include "winograd_gradient.h"

int64_t winograd_data_scratch(const struct conv_shape *shape, int64_t columns, bool backward)
{
    return winograd_data_layout(shape, columns, backward).total;
}

int64_t winograd_gradient_scratch(const struct conv_shape *shape, int64_t columns)
{
    return winograd_gradient_layout(shape, columns).total;
}

int64_t direct_data_scratch(const struct conv_shape *shape, int64_t columns, bool backward)
{
    (void)columns; /* it works on BLOCK_COLUMNS at a time */
    return direct_data_layout(shape, backward).total;
}

int64_t direct_gradient_scratch(const struct conv_shape *shape, int64_t columns)
{
    (void)columns;
    return direct_gradient_floats(shape);
}

int64_t small_data_scratch(const struct conv_shape *shape, int64_t columns, bool backward)
{
    (void)columns;
    return small_data_layout(shape, backward).total;
}

int64_t small_gradient_scratch(const struct conv_shape *shape, int64_t columns)
{
    return small_gradient_dy_floats(shape, columns) + small_gradient_taps_floats();
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t conv3x3_scratch_floats(const struct conv_shape *shape, int64_t columns)
{
    return greatest(greatest(winograd_data_scratch(shape, columns, false),
                             winograd_data_scratch(shape, columns, true)),
                    winograd_gradient_scratch(shape, columns));
}

void conv3x3_forward(const struct kernels *kernels, const struct conv_shape *shape, int64_t columns,
                     const float *x, const float *w, const float *bias, bool rectify, float *y,
                     float *scratch)
{
    kernels->winograd_data(&(struct conv_data){.shape = *shape,
                                               .columns = columns,
                                               .x = x,
                                               .w = w,
                                               .bias = bias,
                                               .rectify = rectify,
                                               .y = y,
                                               .scratch = scratch});
}

void conv3x3_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                           int64_t columns, const float *dy, const float *w, float *dx,
                           float *scratch)
{
    kernels->winograd_data(&(struct conv_data){.shape = *shape,
                                               .columns = columns,
                                               .backward = true,
                                               .x = dy,
                                               .w = w,
                                               .y = dx,
                                               .scratch = scratch});
}

void conv3x3_backward_weights(const struct kernels *kernels, const struct conv_shape *shape,
                              int64_t columns, const float *x, const float *dy, float *dw,
                              float *scratch)
{
    kernels->winograd_gradient(&(struct conv_gradient){
        .shape = *shape, .columns = columns, .x = x, .dy = dy, .dw = dw, .scratch = scratch});
}
