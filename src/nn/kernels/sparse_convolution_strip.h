/* The copy of the argument that the sparse 3x3 convolutions work on, and how they go through an
 * image: some columns of the batch after the other, a strip for each row of tiles from top to
 * bottom, its tiles, bands of the pattern.
 *
 * Columns are taken some vectors together, since a cache fetches lines of memory in pairs: reading
 * and writing the activations of one vector at a time would move twice as much. A strip is
 * [channel][lines][width + 2, rounded up to tiles][vectors][VECTOR], with zeros around the image.
 * So every tap of a tile's pixel lies at one distance from the pixel, whatever the place in the
 * row, and all lines that a tile reads are near each other, where in the activations they would
 * fall on few sets of the cache. Where tiles must have one vector each, several strips take its
 * place: they are copied together, and all pass over the bands of a tile in turn.
 *
 * Where tiles have one row a strip has three lines, and each new one replaces the oldest: line i of
 * the strip is at (i + turn) mod 3, and taps are at other distances in each of the three turns. */
#ifndef SWEEPSTAKE_NN_SPARSE_CONVOLUTION_STRIP_H
#define SWEEPSTAKE_NN_SPARSE_CONVOLUTION_STRIP_H

#include "isa.h"
#include "sparse_convolution.h"

struct sparse_conv_walk {
    struct sparse_conv_tiling t;
    const struct sparse_pattern *pattern;
    const float *x; /* the argument [channel][height][width][columns] */
    int64_t columns;
    struct piece rows; /* of the pattern that are computed */
    float *strips, *tile, *kept;
    /* [turns][band]: where in the strip a column of a band is from its first channel. */
    int32_t *turns;
    int64_t places[SPARSE_TILE]; /* of a tile's vectors in the activations, from its first */
    /* The place in the walk. */
    int64_t lane;        /* first of the columns of the batch */
    int64_t strip;       /* which of those that are next to each other */
    int64_t row, column; /* of the image, the tile's first */
    int64_t turn;
    int64_t band;
    const int32_t *offsets; /* of the turn */
    const float *from;      /* the tile's first pixel in the strip, at tap 0 of the band's channels,
                               turn 0 */
};

/* What a walk does with each band of each tile. */
typedef void sparse_conv_step(struct sparse_conv_walk *walk, const void *call);

/* What is done with a tile of `rows` x `columns` vectors. */
typedef void sparse_conv_visit(struct sparse_conv_walk *walk, const void *call, const int64_t rows,
                               const int64_t columns);

/* One call for each shape of tile, so that its loops unroll into registers. */
INLINE void sparse_conv_visit_tile(sparse_conv_visit *visit, struct sparse_conv_walk *walk,
                                   const void *call)
{
    switch (walk->t.tile_rows * 32 + walk->t.tile_columns * walk->t.vectors) {
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

/* Goes through the columns of the batch that walk->t takes together, from walk->lane on. */
void KERNEL(sparse_conv_walk)(struct sparse_conv_walk *walk, float *scratch, sparse_conv_step *step,
                              const void *call);

#endif
