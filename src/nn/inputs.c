/* Finds them; the lists are in memory of the caller, a layer's state or the scratch. */
#include "inputs.h"

#define MOST_PERCENT 85 /* of all; passing over fewer does not pay */

static int64_t panels(int64_t columns, int64_t panel)
{
    return (columns + panel - 1) / panel;
}

int64_t inputs_size(const struct layer *layer, int64_t columns, int64_t panel)
{
    return layer->skips_zeros ? panels(columns, panel) * (1 + layer->inputs) : 0;
}

struct row_lists inputs_found(const struct layer *layer, const struct pass *pass, int64_t panel,
                              const int32_t *lists)
{
    struct row_lists found = {.panel = panel, .stride = 1 + layer->inputs};
    const int64_t count = layer->skips_zeros ? panels(pass->columns, panel) : 0;
    int64_t listed = 0;
    for (int64_t i = 0; i < count; i++)
        listed += lists[i * found.stride];
    if (listed < (layer->inputs * MOST_PERCENT / 100 - KERNEL_LANES) * count)
        found.lists = lists;
    return found;
}

struct row_lists inputs_find(const struct layer *layer, const struct pass *pass, const float *x,
                             int64_t panel, int32_t *lists)
{
    if (layer->skips_zeros)
        pass->kernels->nonzero_rows(x, layer->inputs, pass->columns, panel, lists);
    return inputs_found(layer, pass, panel, lists);
}
