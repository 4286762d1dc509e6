/* Rectifier: y = max(x, 0), where no other layer computes it. Its gradient is settled like that of
 * a layer with an absorbed rectifier, and passed on. */
#include "operation.h"

static void relu_forward(const struct layer *layer, const struct pass *pass, const float *x,
                         float *y)
{
    pass->kernels->rectify(x, y, layer->outputs * pass->columns);
}

const struct operation operation_relu = {
    .name = "relu",
    .in_place = true,
    .forward = relu_forward,
};
