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

const struct operation operation_average_pool = {
    .name = "average-pool",
    .output = average_pool_output,
};
