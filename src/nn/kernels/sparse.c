/* Sizes of the sparse kernels; the same for every instruction set. */
#include "sparse.h"

#include <math.h>
#include <stddef.h>

#include "sparse_convolution.h"

/* Rows of x with 64 columns that a first-level cache of 32 kB holds. */
#define LEAST_BAND 128
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

/* What a first-level cache holds of a tile's argument, in channels, and of a small map's, where
 * tiles are square and have less around them; and a row's entries for which it pays to fetch and
 * store a tile's sums. */
#define LEAST_CHANNELS 12
#define LEAST_SMALL_CHANNELS 16
#define SMALL_WIDTH 4
#define TILE_ENTRIES 8
#define STRIP_FLOATS (256 * 1024) /* half of a second-level cache */
#define KEPT_FLOATS (512 * 1024)  /* of sums of entries that wait for their turn */

static int64_t round_up(int64_t count, int64_t unit)
{
    return (count + unit - 1) / unit * unit;
}

/* The widest tile among those that compute least beside the image. */
static void choose_tile(struct sparse_conv_tiling *t, int64_t vector)
{
    static const struct {
        int64_t rows, vectors, least_vector;
    } tiles[] = {{1, 16, 16}, {2, 8, 16}, {4, 4, 16}, {1, 8, 4}, {2, 4, 4}, {2, 2, 4}};
    int64_t fewest = INT64_MAX;
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        const int64_t columns = tiles[i].vectors / t->vectors;
        if (vector < tiles[i].least_vector || columns == 0)
            continue;
        const int64_t pixels = round_up(t->height, tiles[i].rows) * round_up(t->width, columns);
        if (pixels >= fewest)
            continue;
        fewest = pixels;
        t->tile_rows = tiles[i].rows;
        t->tile_columns = columns;
    }
}

static void cut(struct sparse_conv_tiling *t, int64_t vector, int64_t vectors)
{
    t->vectors = vectors;
    choose_tile(t, vector);
    t->lines = t->tile_rows + 2;
    t->line = (round_up(t->width, t->tile_columns) + 2) * vectors * vector;
    t->plane = t->lines * t->line;
    t->tiles = round_up(t->height, t->tile_rows) / t->tile_rows *
               (round_up(t->width, t->tile_columns) / t->tile_columns);
}

static bool fits(const struct sparse_conv_tiling *t)
{
    return t->strips * t->channels * t->plane <= STRIP_FLOATS;
}

static void place(struct sparse_conv_tiling *t, int64_t rows, int64_t vector)
{
    t->tile = t->x + t->strips * t->channels * t->plane;
    t->offsets = t->tile + rows * t->tile_rows * t->tile_columns * t->vectors * vector;
    t->kept = t->offsets + SPARSE_TURNS * t->channels * SPARSE_TAPS;
    t->total = t->kept + (t->strips > 1 ? KEPT_FLOATS : 0);
}

struct sparse_conv_tiling sparse_conv_tiling(int64_t channels, int64_t rows, int64_t height,
                                             int64_t width, int64_t vector, int64_t most)
{
    struct sparse_conv_tiling t = {
        .height = height, .width = width, .channels = channels, .strips = 1};
    cut(&t, vector, SPARSE_ACROSS);
    while (t.vectors > 1 && (t.vectors > most || !fits(&t)))
        cut(&t, vector, t.vectors / 2);
    place(&t, rows, vector);
    return t;
}

struct sparse_conv_tiling sparse_conv_gradient_tiling(int64_t channels, int64_t rows,
                                                      int64_t height, int64_t width, int64_t vector,
                                                      int64_t most, int64_t entries)
{
    struct sparse_conv_tiling t = {
        .height = height, .width = width, .channels = channels, .strips = SPARSE_ACROSS};
    cut(&t, vector, 1);
    while (t.strips > 1 &&
           (t.strips > most || !fits(&t) || (t.strips - 1) * t.tiles * entries > KEPT_FLOATS))
        t.strips /= 2;
    place(&t, rows, vector);
    return t;
}

int64_t sparse_conv_band(int64_t channels, int64_t width, double density)
{
    const double least = width > SMALL_WIDTH ? LEAST_CHANNELS : LEAST_SMALL_CHANNELS;
    const double enough = density > 0 ? TILE_ENTRIES / (SPARSE_TAPS * density) : INFINITY;
    const double most = fmax(least, fmin(ceil(enough), (double)channels));
    const int64_t bands = (channels + (int64_t)most - 1) / (int64_t)most;
    return (channels + bands - 1) / bands * SPARSE_TAPS;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t sparse_conv_scratch_floats(int64_t channels, int64_t rows, int64_t height, int64_t width)
{
    int64_t most = 0;
    for (int64_t vector = 4; vector <= 16; vector *= 2)
        for (int64_t vectors = 1; vectors <= SPARSE_ACROSS; vectors *= 2) {
            const struct sparse_conv_tiling data =
                sparse_conv_tiling(channels, rows, height, width, vector, vectors);
            const struct sparse_conv_tiling gradient =
                sparse_conv_gradient_tiling(channels, rows, height, width, vector, vectors, 0);
            most = larger(most, larger(data.total, gradient.total));
        }
    return most;
}
