/* Max pooling over square windows. */
#include <inttypes.h>

#include "operation.h"

static int max_pool_output(const struct layer_spec *layer, struct shape input, struct shape *output,
                           struct error *err)
{
    if (layer->kernel < 1 || layer->kernel > MAX_WINDOW || layer->stride < 1)
        return error_set(err, ERROR_USAGE,
                         "window %" PRId32 ", stride %" PRId32
                         ": the window is from 1 to %d, the stride at least 1",
                         layer->kernel, layer->stride, MAX_WINDOW);
    return window_output(layer, input.channels, input, output, err);
}

static void max_pool_text(const struct layer_spec *layer, struct text *text)
{
    text_add(text, " %" PRId32 "x%" PRId32 " stride %" PRId32, layer->kernel, layer->kernel,
             layer->stride);
}

static struct max_pool pool_of(const struct layer *layer, const struct pass *pass)
{
    return (struct max_pool){.channels = layer->input_shape.channels,
                             .height = layer->input_shape.height,
                             .width = layer->input_shape.width,
                             .kernel = layer->spec->kernel,
                             .stride = layer->spec->stride,
                             .columns = pass->columns,
                             .rectify = layer->rectify};
}

/* A byte for each output: where in its window the greatest element is. */
static int64_t max_pool_state_size(const struct layer *layer, int64_t columns)
{
    return layer->outputs * columns / (int64_t)sizeof(float);
}

static void max_pool_forward(const struct layer *layer, const struct pass *pass, const float *x,
                             float *y)
{
    const struct max_pool pool = pool_of(layer, pass);
    pass->kernels->max_pool(&pool, x, y, pass->training ? (uint8_t *)layer->state : NULL);
}

static void max_pool_backward(const struct layer *layer, const struct pass *pass, const float *x,
                              const float *dy, float *dx)
{
    (void)x;
    const struct max_pool pool = pool_of(layer, pass);
    if (dx)
        pass->kernels->max_pool_gradient(&pool, dy, (const uint8_t *)layer->state, dx);
}

const struct operation operation_max_pool = {
    .name = "max-pool",
    .output = max_pool_output,
    .text = max_pool_text,
    .absorbs_relu = true,
    .state_size = max_pool_state_size,
    .forward = max_pool_forward,
    .backward = max_pool_backward,
};
