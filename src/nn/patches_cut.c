/* Patches: the parts of an image that windows see, copied side by side and added back. */
#include "patches_cut.h"

#include <string.h>

#include "kernels/kernels.h"

#define BLOCK_FLOATS (1 << 17) /* of patches, while that is a pixel or more */

struct patches_cut patches_cut(const struct conv_shape *shape, int64_t columns)
{
    const int64_t rows = (shape->height + 2 * shape->padding - shape->kernel) / shape->stride + 1;
    struct patches_cut cut = {.shape = *shape, .columns = columns};
    cut.depth = shape->inputs * shape->kernel * shape->kernel;
    cut.across = (shape->width + 2 * shape->padding - shape->kernel) / shape->stride + 1;
    cut.pixels = rows * cut.across;
    cut.block = BLOCK_FLOATS / (cut.depth * columns);
    cut.block = cut.block < 1 ? 1 : cut.block > cut.pixels ? cut.pixels : cut.block;
    return cut;
}

bool patches_are_image(const struct conv_shape *shape)
{
    return shape->kernel == 1 && shape->stride == 1;
}

int64_t patches_in_block(const struct patches_cut *cut, int64_t begin)
{
    return cut->pixels - begin < cut->block ? cut->pixels - begin : cut->block;
}

/* A walk over the input pixels that one row of some patches is made of: the pixel at (i, j) of each
 * window. */
struct window_walk {
    const struct patches_cut *cut;
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

static struct window_walk walk_from(const struct patches_cut *cut, int64_t begin, int64_t place)
{
    return (struct window_walk){.cut = cut,
                                .row = begin / cut->across,
                                .column = begin % cut->across,
                                .i = place / cut->shape.kernel,
                                .j = place % cut->shape.kernel};
}

void patches_gather(const struct patches_cut *cut, int64_t begin, int64_t count, const float *x,
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

void patches_scatter(const struct kernels *kernels, const struct patches_cut *cut, int64_t begin,
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
