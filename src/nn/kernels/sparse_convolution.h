/* How the sparse 3x3 convolutions cut their work: the same for both, by the floats of a vector. */
#ifndef SWEEPSTAKE_NN_SPARSE_CONVOLUTION_H
#define SWEEPSTAKE_NN_SPARSE_CONVOLUTION_H

#include <stdint.h>

#define SPARSE_TAPS 9
#define SPARSE_TILE 16  /* vectors of a tile, at most */
#define SPARSE_TURNS 3  /* of the lines of a strip (sparse_convolution_strip.h) */
#define SPARSE_ACROSS 4 /* vectors of the batch that are taken together, at most */

struct sparse_conv_tiling {
    int64_t height, width, channels; /* of the argument */
    int64_t vectors;                 /* of the batch that are taken together */
    int64_t tile_rows, tile_columns; /* pixels of the result that are summed together */
    int64_t lines;                   /* rows of the argument that a row of tiles is computed from */
    int64_t line, plane;             /* floats of a strip's row, of its channel */
    int64_t strips; /* next to each other, for the next columns of the batch each */
    int64_t tiles;  /* of an image */
    int64_t x, tile, offsets, kept, total; /* places in the scratch; the sum of all */
};

/* Takes as many vectors of the batch together as a second-level cache has room for, `most` at most:
 * in one strip, and for gradients of so many entries, whose tiles have one vector each, in strips
 * of their own. */
struct sparse_conv_tiling sparse_conv_tiling(int64_t channels, int64_t rows, int64_t height,
                                             int64_t width, int64_t vector, int64_t most);
struct sparse_conv_tiling sparse_conv_gradient_tiling(int64_t channels, int64_t rows,
                                                      int64_t height, int64_t width, int64_t vector,
                                                      int64_t most, int64_t entries);

#endif
