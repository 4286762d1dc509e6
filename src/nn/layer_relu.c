/* Rectifier: y = max(x, 0), where the layer before does not compute it. */
#include "operation.h"

static void relu_forward(const struct layer *layer, const struct pass *pass, const float *x,
                         float *y)
{
    pass->kernels->rectify(x, y, layer->outputs * pass->columns);
}

static void relu_backward(const struct layer *layer, const struct pass *pass, const float *x,
                          const float *y, float *dy, float *dx)
{
    (void)x;
    (void)dy;
    if (dx)
        pass->kernels->rectify_gradient(y, dx, layer->outputs * pass->columns);
}

const struct operation operation_relu = {
    .name = "relu",
    .in_place = true,
    .forward = relu_forward,
    .backward = relu_backward,
};
