/* Dense products. A tile of TILE_ROWS x TILE_VECTORS accumulators stays in registers while the
 * depth runs: each step loads one row of B's tile and broadcasts TILE_ROWS elements of A. The depth
 * is cut into blocks so that the panel of B that all rows of A pass over stays in the cache;
 * partial sums wait in C meanwhile, which changes no rounding. Neither operand is packed: B's rows
 * are contiguous by the batch-innermost layout, and A is read once a panel. */
#include "isa.h"

#define TILE_ROWS 6
#define TILE_VECTORS (VECTOR == 16 ? 4 : 2)
#define DEPTH_BLOCK 256 /* at most 64 kB of a panel of B */

/* The part of a product one call of a tile computes. */
struct tile {
    const struct product *product;
    int64_t row, column, depth_begin, depth_end;
    int64_t last_lanes; /* columns in the last vector */
};

INLINE void start_tile(const int rows, const int vectors, const struct tile *tile,
                       vfloat sums[TILE_ROWS][TILE_VECTORS])
{
    const struct product *p = tile->product;
    UNROLL
    for (int r = 0; r < rows; r++) {
        const float *c = p->c + (tile->row + r) * p->c_stride + tile->column;
        const vfloat bias = p->bias ? vset(p->bias[tile->row + r]) : vset(0);
        UNROLL
        for (int v = 0; v < vectors; v++) {
            if (tile->depth_begin == 0 && !p->accumulate)
                sums[r][v] = bias;
            else if (v == vectors - 1 && tile->last_lanes != VECTOR)
                sums[r][v] = vload_part(c + v * VECTOR, tile->last_lanes);
            else
                sums[r][v] = vload(c + v * VECTOR);
        }
    }
}

INLINE void finish_tile(const int rows, const int vectors, const struct tile *tile,
                        vfloat sums[TILE_ROWS][TILE_VECTORS])
{
    const struct product *p = tile->product;
    const bool rectify = p->rectify && tile->depth_end == p->depth;
    UNROLL
    for (int r = 0; r < rows; r++) {
        float *c = p->c + (tile->row + r) * p->c_stride + tile->column;
        UNROLL
        for (int v = 0; v < vectors; v++) {
            vfloat sum = sums[r][v];
            if (rectify)
                sum = vselect(sum <= 0, vset(0), sum);
            if (v == vectors - 1 && tile->last_lanes != VECTOR)
                vstore_part(c + v * VECTOR, sum, tile->last_lanes);
            else
                vstore(c + v * VECTOR, sum);
        }
    }
}

INLINE void compute_tile(const int rows, const int vectors, const struct tile *tile)
{
    const struct product *p = tile->product;
    const float *a = p->a + tile->row * p->a_row, *b = p->b + tile->column;
    const int64_t a_row = p->a_row, a_depth = p->a_depth, b_stride = p->b_stride;
    vfloat sums[TILE_ROWS][TILE_VECTORS];
    start_tile(rows, vectors, tile, sums);
    for (int64_t k = tile->depth_begin; k < tile->depth_end; k++) {
        vfloat row_of_b[TILE_VECTORS];
        UNROLL
        for (int v = 0; v < vectors; v++)
            row_of_b[v] = vload(b + k * b_stride + v * VECTOR);
        UNROLL
        for (int r = 0; r < rows; r++) {
            const vfloat x = vset(a[r * a_row + k * a_depth]);
            UNROLL
            for (int v = 0; v < vectors; v++)
                sums[r][v] = vfma(x, row_of_b[v], sums[r][v]);
        }
    }
    finish_tile(rows, vectors, tile, sums);
}

/* One function for each shape of tile, so that its loops unroll into registers. */
#define TILE(rows, vectors)                                                                        \
    static void tile_##rows##x##vectors(const struct tile *tile)                                   \
    {                                                                                              \
        compute_tile(rows, vectors, tile);                                                         \
    }
#define TILES(vectors)                                                                             \
    TILE(1, vectors)                                                                               \
    TILE(2, vectors)                                                                               \
    TILE(3, vectors)                                                                               \
    TILE(4, vectors)                                                                               \
    TILE(5, vectors)                                                                               \
    TILE(6, vectors)
#define TILE_NAMES(vectors)                                                                        \
    {                                                                                              \
        tile_1x##vectors, tile_2x##vectors, tile_3x##vectors, tile_4x##vectors, tile_5x##vectors,  \
            tile_6x##vectors                                                                       \
    }

TILES(1)
TILES(2)
#if VECTOR == 16
TILES(3)
TILES(4)
#endif

static void (*const tiles[TILE_VECTORS][TILE_ROWS])(const struct tile *tile) = {
    TILE_NAMES(1),
    TILE_NAMES(2),
#if VECTOR == 16
    TILE_NAMES(3),
    TILE_NAMES(4),
#endif
};

/* All tiles of the columns from tile->column on that one tile is wide. */
static void compute_panel(struct tile *tile)
{
    const struct product *p = tile->product;
    const int64_t left = p->columns - tile->column;
    int64_t vectors = (left + VECTOR - 1) / VECTOR;
    tile->last_lanes = left - (vectors - 1) * VECTOR;
    if (vectors > TILE_VECTORS) {
        vectors = TILE_VECTORS;
        tile->last_lanes = VECTOR;
    }
    for (tile->row = 0; tile->row < p->rows; tile->row += TILE_ROWS) {
        const int64_t rows = p->rows - tile->row < TILE_ROWS ? p->rows - tile->row : TILE_ROWS;
        tiles[vectors - 1][rows - 1](tile);
    }
}

void KERNEL(product)(const struct product *p)
{
    const int64_t blocks = (p->depth + DEPTH_BLOCK - 1) / DEPTH_BLOCK;
    struct tile tile = {.product = p};
    for (int64_t block = 0; block < blocks; block++) {
        tile.depth_begin = p->depth * block / blocks;
        tile.depth_end = p->depth * (block + 1) / blocks;
        for (tile.column = 0; tile.column < p->columns; tile.column += TILE_VECTORS * VECTOR)
            compute_panel(&tile);
    }
}
