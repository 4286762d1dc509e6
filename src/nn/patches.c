/* Convolutions as products. The patch of an output pixel is the part of the image its window sees,
 * as a column [inputs][kernel][kernel] with zeros for what lies outside; patches of some pixels
 * side by side, each as wide as the batch, are a matrix whose product with the weights is the
 * output there (im2col). Backward, the transposed weights times dy are gradients of patches, added
 * to the image (col2im); and dy times the transposed patches is the gradient of the weights. Pixels
 * are taken in blocks whose patches stay in the cache. */
#include "patches.h"

#include <string.h>

#include "kernels/kernels.h"
#include "patches_cut.h"

void patches_forward(const struct kernels *kernels, const struct conv_shape *shape, int64_t columns,
                     const float *x, const float *w, const float *bias, bool rectify, float *y,
                     float *scratch)
{
    const struct patches_cut cut = patches_cut(shape, columns);
    const int64_t row = cut.pixels * columns;
    struct product product = {.rows = shape->outputs,
                              .columns = row,
                              .depth = cut.depth,
                              .a = w,
                              .a_row = cut.depth,
                              .a_depth = 1,
                              .b = x,
                              .b_stride = row,
                              .c = y,
                              .c_stride = row,
                              .bias = bias,
                              .rectify = rectify};
    if (patches_are_image(shape)) {
        kernels->product(&product);
        return;
    }
    for (int64_t begin = 0; begin < cut.pixels; begin += cut.block) {
        const int64_t count = patches_in_block(&cut, begin);
        patches_gather(&cut, begin, count, x, scratch);
        product.columns = product.b_stride = count * columns;
        product.b = scratch;
        product.c = y + begin * columns;
        kernels->product(&product);
    }
}

void patches_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                           int64_t columns, const float *dy, const float *w, float *dx,
                           float *scratch)
{
    const struct patches_cut cut = patches_cut(shape, columns);
    const int64_t row = cut.pixels * columns;
    struct product product = {.rows = cut.depth,
                              .columns = row,
                              .depth = shape->outputs,
                              .a = w,
                              .a_row = 1,
                              .a_depth = cut.depth,
                              .b = dy,
                              .b_stride = row,
                              .c = dx,
                              .c_stride = row};
    if (patches_are_image(shape)) {
        kernels->product(&product);
        return;
    }
    memset(dx, 0, (size_t)(shape->inputs * shape->height * shape->width * columns) * sizeof *dx);
    product.c = scratch;
    for (int64_t begin = 0; begin < cut.pixels; begin += cut.block) {
        const int64_t count = patches_in_block(&cut, begin);
        product.b = dy + begin * columns;
        product.columns = product.c_stride = count * columns;
        kernels->product(&product);
        patches_scatter(kernels, &cut, begin, count, scratch, dx);
    }
}

/* Floats in a row of transposed patches. */
static int64_t transposed_stride(const struct patches_cut *cut)
{
    return (cut->depth + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

void patches_backward_weights(const struct kernels *kernels, const struct conv_shape *shape,
                              int64_t columns, const float *x, const float *dy, float *dw,
                              float *scratch)
{
    const struct patches_cut cut = patches_cut(shape, columns);
    const int64_t stride = transposed_stride(&cut);
    float *transposed = scratch + cut.depth * cut.block * columns;
    struct product product = {.rows = shape->outputs,
                              .columns = cut.depth,
                              .a_row = cut.pixels * columns,
                              .a_depth = 1,
                              .b = transposed,
                              .b_stride = stride,
                              .c = dw,
                              .c_stride = cut.depth};
    for (int64_t begin = 0; begin < cut.pixels; begin += cut.block) {
        const int64_t count = patches_in_block(&cut, begin);
        patches_gather(&cut, begin, count, x, scratch);
        kernels->transpose(scratch, count * columns, transposed, stride, cut.depth,
                           count * columns);
        product.a = dy + begin * columns;
        product.depth = count * columns;
        product.accumulate = begin > 0;
        kernels->product(&product);
    }
}

int64_t patches_scratch_floats(const struct conv_shape *shape, int64_t columns)
{
    const struct patches_cut cut = patches_cut(shape, columns);
    return (cut.depth + transposed_stride(&cut)) * cut.block * columns;
}
