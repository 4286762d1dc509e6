/* Convolutions on surviving weights as sparse products with patches; see patches.c. */
#include "patches_sparse.h"

#include <string.h>

#include "kernels/kernels.h"
#include "patches_cut.h"

void patches_sparse_forward(const struct kernels *kernels, const struct conv_shape *shape,
                            int64_t columns, const struct sparse_weights *weights, const float *x,
                            const float *bias, bool rectify, float *y, float *scratch)
{
    const struct patches_cut cut = patches_cut(shape, columns);
    struct sparse_product product = {.pattern = weights->pattern,
                                     .values = weights->values,
                                     .columns = cut.pixels * columns,
                                     .x = x,
                                     .x_stride = cut.pixels * columns,
                                     .bias = bias,
                                     .rectify = rectify,
                                     .y = y,
                                     .y_stride = cut.pixels * columns};
    if (patches_are_image(shape)) {
        kernels->sparse_product(&product);
        return;
    }
    product.x = scratch;
    for (int64_t begin = 0; begin < cut.pixels; begin += cut.block) {
        const int64_t count = patches_in_block(&cut, begin);
        patches_gather(&cut, begin, count, x, scratch);
        product.columns = product.x_stride = count * columns;
        product.y = y + begin * columns;
        kernels->sparse_product(&product);
    }
}

void patches_sparse_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                                  int64_t columns, const struct sparse_weights *turned,
                                  const float *dy, float *dx, float *scratch)
{
    const struct patches_cut cut = patches_cut(shape, columns);
    struct sparse_product product = {.pattern = turned->pattern,
                                     .values = turned->values,
                                     .columns = cut.pixels * columns,
                                     .x = dy,
                                     .x_stride = cut.pixels * columns,
                                     .y = dx,
                                     .y_stride = cut.pixels * columns};
    if (patches_are_image(shape)) {
        kernels->sparse_product(&product);
        return;
    }
    memset(dx, 0, (size_t)(shape->inputs * shape->height * shape->width * columns) * sizeof *dx);
    product.y = scratch;
    for (int64_t begin = 0; begin < cut.pixels; begin += cut.block) {
        const int64_t count = patches_in_block(&cut, begin);
        product.x = dy + begin * columns;
        product.columns = product.y_stride = count * columns;
        kernels->sparse_product(&product);
        patches_scatter(kernels, &cut, begin, count, scratch, dx);
    }
}

void patches_sparse_backward_weights(const struct kernels *kernels, const struct conv_shape *shape,
                                     int64_t columns, const struct sparse_pattern *pattern,
                                     const float *x, const float *dy, float *gradient,
                                     float *scratch)
{
    const struct patches_cut cut = patches_cut(shape, columns);
    struct sparse_gradient call = {.pattern = pattern,
                                   .columns = cut.pixels * columns,
                                   .x = x,
                                   .x_stride = cut.pixels * columns,
                                   .dy = dy,
                                   .dy_stride = cut.pixels * columns,
                                   .gradient = gradient};
    if (patches_are_image(shape)) {
        kernels->sparse_gradient(&call);
        return;
    }
    call.x = scratch;
    for (int64_t begin = 0; begin < cut.pixels; begin += cut.block) {
        const int64_t count = patches_in_block(&cut, begin);
        patches_gather(&cut, begin, count, x, scratch);
        call.columns = call.x_stride = count * columns;
        call.dy = dy + begin * columns;
        call.accumulate = begin > 0;
        kernels->sparse_gradient(&call);
    }
}
