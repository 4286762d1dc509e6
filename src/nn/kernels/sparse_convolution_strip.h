/* The copy of the argument that the sparse 3x3 convolutions work on, and how they go through an
 * image: VECTOR columns of the batch after the other, strips of rows from top to bottom, tiles of a
 * strip row by row, bands of the pattern.
 *
 * A strip is [channel][strip_rows + 2][width + 2, rounded up to tiles][VECTOR], with zeros around
 * the image. So every tap of a tile's pixel lies at one distance from the pixel, whatever the
 * place, and all lines that a tile reads are near each other, where in the activations they would
 * fall on few sets of the cache. */
#ifndef SWEEPSTAKE_NN_SPARSE_CONVOLUTION_STRIP_H
#define SWEEPSTAKE_NN_SPARSE_CONVOLUTION_STRIP_H

#include "isa.h"
#include "sparse_convolution.h"

/* The rows of the argument that the next strip will be copied from, and how far they are fetched
 * into the cache. */
struct sparse_conv_ahead {
    int64_t lane, row, rows; /* `rows` of each channel, from `row` on */
    int64_t count, fetched;  /* of all channels */
    int64_t steps, due;      /* calls in which they are fetched; count * calls mod steps */
};

struct sparse_conv_walk {
    struct sparse_conv_tiling t;
    const struct sparse_pattern *pattern;
    const float *x; /* the argument [channel][height][width][columns] */
    int64_t columns;
    struct piece lanes; /* columns of the batch that are walked over */
    struct piece rows;  /* of the pattern that are computed */
    float *strip, *tile;
    int32_t *offsets; /* [band]: where in the strip a column of a band is from its first channel */
    /* The place in the walk. */
    int64_t lane;        /* first of the VECTOR columns */
    int64_t strip_row;   /* of the image, the strip's first */
    int64_t row, column; /* of the image, the tile's first */
    int64_t band;
    struct sparse_conv_ahead ahead;
    const float *from; /* the tile's first pixel in the strip, at tap 0 of the band's channels */
};

/* Fetches what is due of the next strip: called for each row of each band of each tile. */
INLINE void sparse_conv_fetch_ahead(struct sparse_conv_walk *walk)
{
    struct sparse_conv_ahead *ahead = &walk->ahead;
    for (ahead->due += ahead->count; ahead->due >= ahead->steps; ahead->due -= ahead->steps) {
        const int64_t channel = ahead->fetched / ahead->rows;
        const int64_t row = ahead->row + ahead->fetched % ahead->rows;
        const float *x = walk->x +
                         (channel * walk->t.height + row) * walk->t.width * walk->columns +
                         ahead->lane;
        for (int64_t i = 0; i < walk->t.width; i++)
            __builtin_prefetch(x + i * walk->columns, 0, 2);
        ahead->fetched++;
    }
}

/* What a walk does with each band of each tile. */
typedef void sparse_conv_step(struct sparse_conv_walk *walk, const void *call);

/* What is done with a tile of `rows` x `columns` pixels. */
typedef void sparse_conv_visit(struct sparse_conv_walk *walk, const void *call, const int64_t rows,
                               const int64_t columns);

/* One call for each shape of tile, so that its loops unroll into registers. */
INLINE void sparse_conv_visit_tile(sparse_conv_visit *visit, struct sparse_conv_walk *walk,
                                   const void *call)
{
    switch (walk->t.tile_rows * 32 + walk->t.tile_columns) {
#if VECTOR == 16
    case 1 * 32 + 16:
        visit(walk, call, 1, 16);
        break;
    case 2 * 32 + 8:
        visit(walk, call, 2, 8);
        break;
    case 4 * 32 + 4:
        visit(walk, call, 4, 4);
        break;
#endif
    case 1 * 32 + 8:
        visit(walk, call, 1, 8);
        break;
    case 2 * 32 + 4:
        visit(walk, call, 2, 4);
        break;
    default:
        visit(walk, call, 2, 2);
    }
}

void KERNEL(sparse_conv_walk)(struct sparse_conv_walk *walk, const float *x, float *scratch,
                              int64_t height, int64_t width, sparse_conv_step *step,
                              const void *call);

#endif
