/* Dense products. A tile of TILE_ROWS x TILE_VECTORS accumulators stays in registers while the
 * depth runs: each step loads one row of B's tile and broadcasts TILE_ROWS elements of A. The depth
 * is cut into blocks so that the panel of B that all rows of A pass over stays in the cache;
 * partial sums wait in C meanwhile, which changes no rounding.
 *
 * B is not packed: its rows are contiguous by the batch-innermost layout. A is where it is read
 * across its rows and these are long, if more than one tile would read it: each depth takes a few
 * elements of another page, and all of them fall on the same few sets of the caches. */
#include <stddef.h>

#include "isa.h"

#define TILE_ROWS 6
#define TILE_VECTORS (VECTOR == 16 ? 4 : 2)
#define DEPTH_BLOCK 256 /* at most 128 kB of a panel of B */
#define FAR_APART 1024  /* elements of A to be packed, in floats */
#define PACKED_ROWS 48
#define PACKED_COLUMNS 256 /* of a panel then */

/* The part of a product one call of a tile computes. */
struct tile {
    const struct product *product;
    struct piece rows; /* of the product, which this call computes */
    int64_t row, column, depth_begin, depth_end;
    int64_t last_lanes; /* columns in the last vector */
    const float *a;     /* of these rows, from depth_begin on */
    int64_t a_depth;
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
    const float *a = tile->a, *b = p->b + tile->depth_begin * p->b_stride + tile->column;
    const int64_t a_row = p->a_row, a_depth = tile->a_depth, b_stride = p->b_stride;
    vfloat sums[TILE_ROWS][TILE_VECTORS];
    start_tile(rows, vectors, tile, sums);
    for (int64_t k = tile->depth_begin; k < tile->depth_end; k++, a += a_depth, b += b_stride) {
        vfloat row_of_b[TILE_VECTORS];
        UNROLL
        for (int v = 0; v < vectors; v++)
            row_of_b[v] = vload(b + v * VECTOR);
        UNROLL
        for (int r = 0; r < rows; r++) {
            const vfloat x = vset(a[r * a_row]);
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

/* The tile's rows, for the columns from `begin` up to `end`. */
static void compute_rows(struct tile *tile, int64_t begin, int64_t end)
{
    const struct product *p = tile->product;
    const int64_t rows = least(p->rows - tile->row, TILE_ROWS);
    for (tile->column = begin; tile->column < end; tile->column += TILE_VECTORS * VECTOR) {
        const int64_t columns = least(end - tile->column, TILE_VECTORS * VECTOR);
        const int64_t vectors = (columns + VECTOR - 1) / VECTOR;
        tile->last_lanes = columns - (vectors - 1) * VECTOR;
        tiles[vectors - 1][rows - 1](tile);
    }
}

/* Rows of A whose elements of one depth lie side by side, but those of the next depth far away. */
static void pack_rows(const float *a, int64_t a_depth, int64_t rows, int64_t depth, float *packed)
{
    for (int64_t k = 0; k < depth; k++)
        for (int64_t r = 0; r < rows; r += VECTOR) {
            const float *from = a + k * a_depth + r;
            vstore(packed + k * PACKED_ROWS + r,
                   rows - r < VECTOR ? vload_part(from, rows - r) : vload(from));
        }
}

static bool packs(const struct product *p)
{
    return p->a_row == 1 && p->a_depth >= FAR_APART && p->columns > TILE_VECTORS * VECTOR;
}

/* All rows, for the depths of the tile and the columns from `begin` up to `end`. */
static void compute_panel(struct tile *tile, int64_t begin, int64_t end)
{
    const struct product *p = tile->product;
    tile->a_depth = p->a_depth;
    for (tile->row = tile->rows.begin; tile->row < tile->rows.end; tile->row += TILE_ROWS) {
        tile->a = p->a + tile->row * p->a_row + tile->depth_begin * p->a_depth;
        compute_rows(tile, begin, end);
    }
}

/* Apart from the others: its stack is large. */
static __attribute__((noinline)) void compute_packed_panel(struct tile *tile, int64_t begin,
                                                           int64_t end)
{
    const struct product *p = tile->product;
    float packed[DEPTH_BLOCK * PACKED_ROWS];
    tile->a_depth = PACKED_ROWS;
    for (int64_t row = tile->rows.begin; row < tile->rows.end; row += PACKED_ROWS) {
        const int64_t row_end = least(row + PACKED_ROWS, tile->rows.end);
        pack_rows(p->a + row + tile->depth_begin * p->a_depth, p->a_depth, row_end - row,
                  tile->depth_end - tile->depth_begin, packed);
        for (tile->row = row; tile->row < row_end; tile->row += TILE_ROWS) {
            tile->a = packed + tile->row - row;
            compute_rows(tile, begin, end);
        }
    }
}

/* The deepest that is no more than DEPTH_BLOCK when all blocks are alike. */
static int64_t block_depth(int64_t depth)
{
    const int64_t blocks = (depth + DEPTH_BLOCK - 1) / DEPTH_BLOCK;
    return blocks > 1 ? (depth + blocks - 1) / blocks : depth;
}

/* Columns of a panel of B: of two tiles. Flat ones are wider: long rows of C are written in longer
 * pieces. */
static int64_t panel_columns(const struct product *p, int64_t depth)
{
    return packs(p) ? PACKED_COLUMNS : 2 * DEPTH_BLOCK / depth * TILE_VECTORS * VECTOR;
}

void KERNEL(product)(const struct product *p)
{
    const int64_t block = block_depth(p->depth);
    const int64_t panel = panel_columns(p, block);
    struct tile tile = {.product = p, .rows = share_piece(p->share, p->rows, TILE_ROWS)};
    for (; tile.depth_begin < p->depth; tile.depth_begin = tile.depth_end) {
        tile.depth_end = least(tile.depth_begin + block, p->depth);
        for (int64_t begin = 0; begin < p->columns; begin += panel)
            (packs(p) ? compute_packed_panel : compute_panel)(&tile, begin,
                                                              least(begin + panel, p->columns));
    }
}
