/* Global average pooling: the mean of each channel. */
#include "operation.h"

static int average_pool_output(const struct layer_spec *layer, struct shape input,
                               struct shape *output, struct error *err)
{
    (void)layer;
    (void)err;
    *output = (struct shape){input.channels, 1, 1};
    return 0;
}

static void average_pool_forward(const struct layer *layer, const struct pass *pass, const float *x,
                                 float *y)
{
    const int64_t pixels = layer->inputs / layer->outputs;
    for (int64_t channel = 0; channel < layer->outputs; channel++)
        pass->kernels->mean_of_rows(x + channel * pixels * pass->columns,
                                    y + channel * pass->columns, pixels, pass->columns);
}

static void average_pool_backward(const struct layer *layer, const struct pass *pass,
                                  const float *x, const float *dy, float *dx)
{
    (void)x;
    const int64_t pixels = layer->inputs / layer->outputs;
    for (int64_t channel = 0; dx && channel < layer->outputs; channel++)
        pass->kernels->spread_over_rows(dy + channel * pass->columns,
                                        dx + channel * pixels * pass->columns, pixels,
                                        pass->columns);
}

const struct operation operation_average_pool = {
    .name = "average-pool",
    .output = average_pool_output,
    .forward = average_pool_forward,
    .backward = average_pool_backward,
};
