/* How the sparse 3x3 convolutions cut their work: the same for both, by the floats of a vector. */
#ifndef SWEEPSTAKE_NN_SPARSE_CONVOLUTION_H
#define SWEEPSTAKE_NN_SPARSE_CONVOLUTION_H

#include <stdbool.h>
#include <stdint.h>

#define SPARSE_TAPS 9

struct sparse_conv_tiling {
    int64_t height, width, channels; /* of the argument */
    int64_t tile_rows, tile_columns; /* pixels of the result that are summed together */
    int64_t strip_rows;              /* rows of the result computed from one strip */
    int64_t line, plane;             /* floats of a strip's row, of its channel */
    bool single;                     /* an image is one tile */
    int64_t x, tile, offsets, total; /* places in the scratch; the sum of all */
};

struct sparse_conv_tiling sparse_conv_tiling(int64_t channels, int64_t rows, int64_t height,
                                             int64_t width, int64_t vector);

#endif
