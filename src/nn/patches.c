/* Convolutions as products. The patch of an output pixel is the part of the image its window sees,
 * as a column [inputs][kernel][kernel] with zeros for what lies outside; patches of some pixels
 * side by side, each as wide as the batch, are a matrix whose product with the weights is the
 * output there (im2col). Backward, the transposed weights times dy are gradients of patches, added
 * to the image (col2im); and dy times the transposed patches is the gradient of the weights. Pixels
 * are taken in blocks whose patches stay in the cache. */
#include "patches.h"

#include <string.h>

#include "kernels/kernels.h"

#define BLOCK_FLOATS (1 << 17) /* of patches, while that is a pixel or more */

/* One convolution cut into blocks of output pixels. */
struct cut {
    struct conv_shape shape;
    int64_t columns;
    int64_t depth;          /* of a patch */
    int64_t across, pixels; /* output pixels in a row, in all */
    int64_t block;          /* pixels in a block */
};

static struct cut cut_shape(const struct conv_shape *shape, int64_t columns)
{
    const int64_t rows = (shape->height + 2 * shape->padding - shape->kernel) / shape->stride + 1;
    struct cut cut = {.shape = *shape, .columns = columns};
    cut.depth = shape->inputs * shape->kernel * shape->kernel;
    cut.across = (shape->width + 2 * shape->padding - shape->kernel) / shape->stride + 1;
    cut.pixels = rows * cut.across;
    cut.block = BLOCK_FLOATS / (cut.depth * columns);
    cut.block = cut.block < 1 ? 1 : cut.block > cut.pixels ? cut.pixels : cut.block;
    return cut;
}

/* The image is its own matrix of patches. */
static bool is_plain(const struct conv_shape *shape)
{
    return shape->kernel == 1 && shape->stride == 1;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A walk over the input pixels that one row of some patches is made of: the pixel at (i, j) of each
 * window. */
struct window_walk {
    const struct cut *cut;
    int64_t row, column; /* of the output pixel */
    int64_t i, j;
};

/* The next input pixel, or -1 outside of the image. */
static int64_t next_pixel(struct window_walk *walk)
{
    const struct conv_shape *shape = &walk->cut->shape;
    const int64_t y = walk->row * shape->stride + walk->i - shape->padding;
    const int64_t x = walk->column * shape->stride + walk->j - shape->padding;
    if (++walk->column == walk->cut->across) {
        walk->column = 0;
        walk->row++;
    }
    return y >= 0 && y < shape->height && x >= 0 && x < shape->width ? y * shape->width + x : -1;
}

static struct window_walk walk_from(const struct cut *cut, int64_t begin, int64_t place)
{
    return (struct window_walk){.cut = cut,
                                .row = begin / cut->across,
                                .column = begin % cut->across,
                                .i = place / cut->shape.kernel,
                                .j = place % cut->shape.kernel};
}

static void gather(const struct cut *cut, int64_t begin, int64_t count, const float *x,
                   float *patches)
{
    const int64_t window = cut->shape.kernel * cut->shape.kernel, columns = cut->columns;
    const int64_t image = cut->shape.height * cut->shape.width * columns;
    const size_t bytes = (size_t)columns * sizeof *x;
    for (int64_t row = 0; row < cut->depth; row++) {
        const float *channel = x + row / window * image;
        struct window_walk walk = walk_from(cut, begin, row % window);
        for (int64_t p = 0; p < count; p++, patches += columns) {
            const int64_t from = next_pixel(&walk);
            if (from >= 0)
                memcpy(patches, channel + from * columns, bytes);
            else
                memset(patches, 0, bytes);
        }
    }
}

static void scatter(const struct kernels *kernels, const struct cut *cut, int64_t begin,
                    int64_t count, const float *patches, float *dx)
{
    const int64_t window = cut->shape.kernel * cut->shape.kernel, columns = cut->columns;
    const int64_t image = cut->shape.height * cut->shape.width * columns;
    for (int64_t row = 0; row < cut->depth; row++) {
        float *channel = dx + row / window * image;
        struct window_walk walk = walk_from(cut, begin, row % window);
        for (int64_t p = 0; p < count; p++, patches += columns) {
            const int64_t at = next_pixel(&walk);
            float *to = channel + at * columns;
            if (at >= 0)
                kernels->add(to, patches, false, to, columns);
        }
    }
}

void patches_forward(const struct kernels *kernels, const struct conv_shape *shape, int64_t columns,
                     const float *x, const float *w, const float *bias, bool rectify, float *y,
                     float *scratch)
{
    const struct cut cut = cut_shape(shape, columns);
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
    if (is_plain(shape)) {
        kernels->product(&product);
        return;
    }
    for (int64_t begin = 0; begin < cut.pixels; begin += cut.block) {
        const int64_t count = smaller(cut.block, cut.pixels - begin);
        gather(&cut, begin, count, x, scratch);
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
    const struct cut cut = cut_shape(shape, columns);
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
    if (is_plain(shape)) {
        kernels->product(&product);
        return;
    }
    memset(dx, 0, (size_t)(shape->inputs * shape->height * shape->width * columns) * sizeof *dx);
    product.c = scratch;
    for (int64_t begin = 0; begin < cut.pixels; begin += cut.block) {
        const int64_t count = smaller(cut.block, cut.pixels - begin);
        product.b = dy + begin * columns;
        product.columns = product.c_stride = count * columns;
        kernels->product(&product);
        scatter(kernels, &cut, begin, count, scratch, dx);
    }
}

/* Floats in a row of transposed patches. */
static int64_t transposed_stride(const struct cut *cut)
{
    return (cut->depth + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

void patches_backward_weights(const struct kernels *kernels, const struct conv_shape *shape,
                              int64_t columns, const float *x, const float *dy, float *dw,
                              float *scratch)
{
    const struct cut cut = cut_shape(shape, columns);
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
        const int64_t count = smaller(cut.block, cut.pixels - begin);
        gather(&cut, begin, count, x, scratch);
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
    const struct cut cut = cut_shape(shape, columns);
    return (cut.depth + transposed_stride(&cut)) * cut.block * columns;
}
