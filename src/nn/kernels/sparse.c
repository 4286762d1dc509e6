/* Sizes of the sparse kernels; the same for every instruction set. */
#include "sparse.h"

#include <math.h>
#include <stddef.h>

#include "sparse_convolution.h"

/* Rows of x with 64 columns: what a first-level cache holds, and half of a second-level one. */
#define LEAST_BAND 200
/* Of a band, for which it pays to fetch and store a row's sums; more where they are selected: fewer
 * are left then, and as no two calls have the same, how many is mispredicted. */
#define ROW_ENTRIES 28
#define SELECTED_ENTRIES 70

static int64_t band_for(int64_t columns, double most)
{
    most = most < LEAST_BAND ? LEAST_BAND : most > MOST_BAND ? MOST_BAND : most;
    const int64_t bands = (columns + (int64_t)most - 1) / (int64_t)most;
    return (columns + bands - 1) / bands;
}

int64_t sparse_product_band(int64_t columns, double density)
{
    return band_for(columns, density > 0 ? ROW_ENTRIES / density : MOST_BAND);
}

int64_t sparse_selected_band(int64_t columns, double density)
{
    return band_for(columns, density > 0 ? SELECTED_ENTRIES / density : MOST_BAND);
}

/* What a first-level cache holds of a tile's argument, in channels; and a row's entries for which
 * it pays to fetch and store a tile's sums. */
#define LEAST_CHANNELS 12
#define TILE_ENTRIES 14

static int64_t round_up(int64_t count, int64_t unit)
{
    return (count + unit - 1) / unit * unit;
}

/* The widest tile among those that compute least beside the image. */
static void choose_tile(struct sparse_conv_tiling *t, int64_t vector)
{
    static const struct {
        int64_t rows, columns, least_vector;
    } tiles[] = {{1, 16, 16}, {2, 8, 16}, {4, 4, 16}, {1, 8, 4}, {2, 4, 4}, {2, 2, 4}};
    int64_t fewest = INT64_MAX;
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        const int64_t pixels =
            round_up(t->height, tiles[i].rows) * round_up(t->width, tiles[i].columns);
        if (vector < tiles[i].least_vector || pixels >= fewest)
            continue;
        fewest = pixels;
        t->tile_rows = tiles[i].rows;
        t->tile_columns = tiles[i].columns;
    }
}

/* As many rows as leave room in a second-level cache for what else passes through. */
static int64_t strip_rows(const struct sparse_conv_tiling *t)
{
    enum { STRIP_FLOATS = 160 * 1024 };
    const int64_t rows = STRIP_FLOATS / (t->channels * t->line) - 2;
    const int64_t all = round_up(t->height, t->tile_rows);
    if (rows >= all)
        return all;
    return rows < t->tile_rows ? t->tile_rows : rows / t->tile_rows * t->tile_rows;
}

struct sparse_conv_tiling sparse_conv_tiling(int64_t channels, int64_t rows, int64_t height,
                                             int64_t width, int64_t vector)
{
    struct sparse_conv_tiling t = {.height = height, .width = width, .channels = channels};
    choose_tile(&t, vector);
    t.line = (round_up(width, t.tile_columns) + 2) * vector;
    t.strip_rows = strip_rows(&t);
    t.plane = (t.strip_rows + 2) * t.line;
    t.single = height <= t.tile_rows && width <= t.tile_columns;
    t.tile = t.x + channels * t.plane;
    t.offsets = t.tile + rows * t.tile_rows * t.tile_columns * vector;
    t.total = t.offsets + channels * SPARSE_TAPS;
    return t;
}

int64_t sparse_conv_band(int64_t channels, double density)
{
    const double enough = density > 0 ? TILE_ENTRIES / (SPARSE_TAPS * density) : INFINITY;
    const double most = fmax(LEAST_CHANNELS, fmin(ceil(enough), (double)channels));
    const int64_t bands = (channels + (int64_t)most - 1) / (int64_t)most;
    return (channels + bands - 1) / bands * SPARSE_TAPS;
}

int64_t sparse_conv_scratch_floats(int64_t channels, int64_t rows, int64_t height, int64_t width)
{
    int64_t most = 0;
    for (int64_t vector = 4; vector <= 16; vector *= 2) {
        const int64_t floats = sparse_conv_tiling(channels, rows, height, width, vector).total;
        most = floats > most ? floats : most;
    }
    return most;
}
