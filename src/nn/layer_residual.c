/* Residual blocks: two marks that compute nothing (trace.c tells who reads what), and the addition
 * at the end, whose gradient is passed on to both of its inputs as it is. */
#include "operation.h"

static void add_forward(const struct layer *layer, const struct pass *pass, const float *x,
                        float *y)
{
    pass->kernels->add(x, pass->other, layer->rectify, y, layer->outputs * pass->columns);
}

const struct operation operation_residual = {.name = "residual"};

const struct operation operation_shortcut = {.name = "shortcut"};

const struct operation operation_add = {
    .name = "add",
    .in_place = true,
    .absorbs_relu = true,
    .forward = add_forward,
};
