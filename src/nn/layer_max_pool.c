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

const struct operation operation_max_pool = {
    .name = "max-pool",
    .output = max_pool_output,
    .text = max_pool_text,
};
