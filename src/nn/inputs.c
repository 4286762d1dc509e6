/* The list of a batch's inputs, in the layer's state: how many they are, and their places. */
#include "inputs.h"

#define MOST_PERCENT 85 /* of all; passing over fewer does not pay */

int64_t inputs_state_size(const struct layer *layer, int64_t columns)
{
    (void)columns;
    return layer->skips_zeros ? 1 + layer->inputs : 0;
}

struct inputs inputs_found(const struct layer *layer)
{
    const int32_t *list = (const int32_t *)layer->state;
    const int64_t most = layer->inputs * MOST_PERCENT / 100 - KERNEL_LANES;
    if (!layer->skips_zeros || *list < 1 || *list > most)
        return (struct inputs){layer->inputs, NULL};
    return (struct inputs){*list, list + 1};
}

struct inputs inputs_find(const struct layer *layer, const struct pass *pass, const float *x)
{
    int32_t *list = (int32_t *)layer->state;
    if (layer->skips_zeros)
        *list = (int32_t)pass->kernels->nonzero_rows(x, layer->inputs, pass->columns, list + 1);
    return inputs_found(layer);
}
