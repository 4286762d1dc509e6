/* Which family a 3x3 convolution goes through, and the doors to them. */
#include "convolution.h"
#include "direct.h"
#include "kernels.h"
#include "small.h"
#include "winograd_data.h"
#include "winograd_gradient.h"

/* Winograd's transforms pay from 4 channels of the argument on. */
#define FEW_CHANNELS 3

/* Most pixels of a small image lie at an edge, and what padding saves the direct sum is more than
 * what Winograd's tiles, which count padding in full, can save. */
static bool is_small(const struct conv_shape *shape)
{
    const int64_t tap_pixels = (3 * shape->height - 2) * (3 * shape->width - 2);
    const int64_t points = winograd_tiling(shape, KERNEL_LANES).units * WINOGRAD_POINTS;
    return 5 * tap_pixels < 7 * points; /* measured: equal between 1.2 and 1.5 */
}

static enum conv_method choose(const struct conv_shape *shape, int64_t channels)
{
    if (channels <= FEW_CHANNELS)
        return CONV_DIRECT;
    return is_small(shape) ? CONV_SMALL : CONV_WINOGRAD;
}

enum conv_method conv3x3_data_method(const struct conv_shape *shape, bool backward)
{
    return choose(shape, backward ? shape->outputs : shape->inputs);
}

enum conv_method conv3x3_gradient_method(const struct conv_shape *shape)
{
    return choose(shape, shape->inputs);
}

int64_t conv_data_scratch(enum conv_method method, const struct conv_shape *shape, int64_t columns,
                          bool backward)
{
    switch (method) {
    case CONV_DIRECT:
        return direct_data_layout(shape, backward).total;
    case CONV_SMALL:
        return small_data_layout(shape, backward).total;
    default:
        return winograd_data_layout(shape, columns, backward).total;
    }
}

int64_t conv_gradient_scratch(enum conv_method method, const struct conv_shape *shape,
                              int64_t columns)
{
    switch (method) {
    case CONV_DIRECT:
        return direct_gradient_floats(shape, columns);
    case CONV_SMALL:
        return small_gradient_layout(shape, columns).total;
    default:
        return winograd_gradient_layout(shape, columns).total;
    }
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t conv3x3_scratch_floats(const struct conv_shape *shape, int64_t columns)
{
    int64_t floats = conv_gradient_scratch(conv3x3_gradient_method(shape), shape, columns);
    for (int backward = 0; backward <= 1; backward++)
        floats = greatest(floats, conv_data_scratch(conv3x3_data_method(shape, backward), shape,
                                                    columns, backward));
    return floats;
}

void conv3x3_forward(const struct kernels *kernels, const struct conv_shape *shape, int64_t columns,
                     const float *x, const float *w, const float *bias, bool rectify, float *y,
                     float *scratch)
{
    const struct conv_data call = {.shape = *shape,
                                   .columns = columns,
                                   .x = x,
                                   .w = w,
                                   .bias = bias,
                                   .rectify = rectify,
                                   .y = y,
                                   .scratch = scratch};
    kernels->conv_data[conv3x3_data_method(shape, false)](&call);
}

void conv3x3_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                           int64_t columns, const float *dy, const float *w, float *dx,
                           float *scratch)
{
    const struct conv_data call = {.shape = *shape,
                                   .columns = columns,
                                   .backward = true,
                                   .x = dy,
                                   .w = w,
                                   .y = dx,
                                   .scratch = scratch};
    kernels->conv_data[conv3x3_data_method(shape, true)](&call);
}

void conv3x3_backward_weights(const struct kernels *kernels, const struct conv_shape *shape,
                              int64_t columns, const float *x, const float *dy, float *dw,
                              float *scratch)
{
    const struct conv_gradient call = {
        .shape = *shape, .columns = columns, .x = x, .dy = dy, .dw = dw, .scratch = scratch};
    kernels->conv_gradient[conv3x3_gradient_method(shape)](&call);
}
