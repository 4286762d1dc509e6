/* Winograd's minimal filtering F(4x4, 3x3) (Lavin & Gray 2016; points 0, 1, -1, 2, -2, infinity):
 * its tiles, and the one-dimensional transforms that all passes are made of.
 *
 *     y = A^T [(G w G^T) . (B^T x B)] A
 *
 * The result is cut into tiles of 4x4 pixels; a tile needs a patch of 6x6 of the argument, one
 * pixel further on each side, zero outside of the image. A patch and a filter become 36 points
 * each, and at every point the channels are summed by an ordinary product: 36 multiplications for
 * what takes 144. The gradient of the weights is the transposed algorithm,
 *
 *     dw = G^T [(A dy A^T) . (B^T x B)] G.
 *
 * The batch is innermost: a vector holds one pixel of several examples, and no transform shuffles.
 * A unit is one tile of KERNEL_LANES examples; units are numbered example first, then along the
 * row, then row by row. */
#ifndef SWEEPSTAKE_NN_WINOGRAD_H
#define SWEEPSTAKE_NN_WINOGRAD_H

#include "convolution.h"
#include "kernels.h"

#define WINOGRAD_TILE 4
#define WINOGRAD_PATCH 6
#define WINOGRAD_POINTS 36

/* Floats between point p and p + 1 of an array of `rows` rows: a line more than they hold, since
 * powers of two would fall on the same few sets of a cache. */
static inline int64_t winograd_point_stride(int64_t rows, int64_t row_floats)
{
    return rows * row_floats + KERNEL_LANES;
}

struct winograd_tiling {
    int64_t height, width, columns;
    int64_t across, chunks; /* tiles in a row of tiles, units in a tile */
    int64_t units;
};

static inline struct winograd_tiling winograd_tiling(const struct conv_shape *shape,
                                                     int64_t columns)
{
    const int64_t across = (shape->width + WINOGRAD_TILE - 1) / WINOGRAD_TILE;
    const int64_t down = (shape->height + WINOGRAD_TILE - 1) / WINOGRAD_TILE;
    const int64_t chunks = columns / KERNEL_LANES;
    return (struct winograd_tiling){shape->height, shape->width, columns,
                                    across,        chunks,       across * down * chunks};
}

/* A square of pixels of one channel that may reach over the edges of the image: pixel (i, j) lies
 * at origin + i * row + j * column from the channel's first float, inside of the image for top <= i
 * < bottom and left <= j < right. */
struct winograd_square {
    int64_t origin, row, column;
    int top, bottom, left, right;
};

static inline int winograd_clamp(int64_t value, int greatest)
{
    return value < 0 ? 0 : value > greatest ? greatest : (int)value;
}

/* The square of `size` pixels a side whose pixel (border, border) is the first of the unit's tile.
 */
static inline struct winograd_square winograd_square(const struct winograd_tiling *t, int64_t unit,
                                                     int size, int border)
{
    const int64_t tile = unit / t->chunks, chunk = unit % t->chunks;
    const int64_t y = tile / t->across * WINOGRAD_TILE - border;
    const int64_t x = tile % t->across * WINOGRAD_TILE - border;
    return (struct winograd_square){
        .origin = (y * t->width + x) * t->columns + chunk * KERNEL_LANES,
        .row = t->width * t->columns,
        .column = t->columns,
        .top = winograd_clamp(-y, size),
        .bottom = winograd_clamp(t->height - y, size),
        .left = winograd_clamp(-x, size),
        .right = winograd_clamp(t->width - x, size),
    };
}

#endif
