/* Gradients of the surviving weights of a sparse 3x3 convolution.
 *
 * A tile of the result's gradient, of a few pixels and VECTOR columns of the batch, is held in
 * registers; each surviving weight of its row multiplies it with the pixels of the strip
 * (sparse_convolution_strip.h) that the weight met forward, into CHAINS sums. What is left is a
 * vector a weight, of which the lanes must be added up. Entries stand row after row, so VECTOR
 * neighbours wait, whatever their rows, and are reduced together. With several bands the tiles of
 * all rows are copied to the scratch, [row][pixel][VECTOR], at the first.
 *
 * Sums of a weight are added vector after vector of the batch, tile after tile. Several vectors are
 * taken together nevertheless where a cache has room for their strips: tiles of the first add their
 * sums to the gradient, the others keep theirs, [vector][tile][entry], until it is their turn. */
#include "sparse_convolution_strip.h"
#include "lane_sums.h"

#define CHAINS 4

/* Entries whose sums wait for their reduction. */
struct waiting {
    vfloat sums[VECTOR];
    int64_t count;
    float *gradient; /* of the first */
};

INLINE void flush(struct waiting *waiting)
{
    vfloat sums[VECTOR];
    UNROLL
    for (int i = 0; i < VECTOR; i++)
        sums[i] = waiting->sums[i]; /* memcpy would load halves, which the stores hold up */
    const vfloat total = vsum_each(sums);
    float *gradient = waiting->gradient;
    if (waiting->count == VECTOR)
        vstore(gradient, vload(gradient) + total);
    else
        vstore_part(gradient, vload_part(gradient, waiting->count) + total, waiting->count);
    waiting->gradient += waiting->count;
    waiting->count = 0;
}

/* The product of a tile with the pixels at `x`. */
INLINE vfloat meet(const vfloat *dy, const float *x, int64_t line, const int64_t rows,
                   const int64_t columns)
{
    vfloat chain[CHAINS];
    UNROLL
    for (int i = 0; i < rows * columns; i++) {
        const vfloat pixel = vload(x + i / columns * line + i % columns * VECTOR);
        chain[i % CHAINS] = i < CHAINS ? dy[i] * pixel : vfma(dy[i], pixel, chain[i % CHAINS]);
    }
    return (chain[0] + chain[1]) + (chain[2] + chain[3]);
}

/* A row's tile; zero beside the image. Has the same pixels of the next row fetched. */
INLINE void load_tile(vfloat *dy, const struct sparse_conv_walk *walk,
                      const struct sparse_conv_gradient *call, int64_t channel, const int64_t rows,
                      const int64_t columns)
{
    const int64_t height = least(rows, call->height - walk->row);
    const int64_t width = least(columns, call->width - walk->column);
    const int64_t next =
        channel + 1 < walk->pattern->rows ? call->height * call->width * call->columns : 0;
    const float *from =
        call->dy +
        ((channel * call->height + walk->row) * call->width + walk->column) * call->columns +
        walk->lane + walk->strip * VECTOR;
    UNROLL
    for (int i = 0; i < rows * columns; i++) {
        const int64_t r = i / columns, c = i % columns;
        const float *pixel = from + (r * call->width + c) * call->columns;
        const bool inside = r < height && c < width;
        dy[i] = inside ? vload(pixel) : vset(0);
        if (inside)
            __builtin_prefetch(pixel + next);
    }
}

INLINE void load_and_keep(vfloat *dy, const struct sparse_conv_walk *walk,
                          const struct sparse_conv_gradient *call, int64_t channel,
                          const int64_t rows, const int64_t columns)
{
    float *kept = walk->tile + channel * rows * columns * VECTOR;
    if (walk->band == 0) {
        load_tile(dy, walk, call, channel, rows, columns);
        if (walk->pattern->bands == 1)
            return;
        UNROLL
        for (int i = 0; i < rows * columns; i++)
            vstore(kept + i * VECTOR, dy[i]);
    } else {
        UNROLL
        for (int i = 0; i < rows * columns; i++)
            dy[i] = vload(kept + i * VECTOR);
    }
}

/* Where the sums of a tile of all strips but the first are kept. */
static float *kept_sums(const struct sparse_conv_walk *walk, int64_t strip, int64_t tile)
{
    return walk->kept + ((strip - 1) * walk->t.tiles + tile) * walk->pattern->entries;
}

static int64_t tile_index(const struct sparse_conv_walk *walk)
{
    const struct sparse_conv_tiling *t = &walk->t;
    const int64_t across = (t->width + t->tile_columns - 1) / t->tile_columns;
    return walk->row / t->tile_rows * across + walk->column / t->tile_columns;
}

INLINE void sum_band(struct sparse_conv_walk *walk, const void *of, const int64_t rows,
                     const int64_t columns)
{
    const struct sparse_conv_gradient *call = of;
    const struct sparse_pattern *pattern = walk->pattern;
    const int32_t *begin = pattern->begin + walk->band * pattern->rows;
    const int32_t *offsets = walk->offsets - walk->band * pattern->band;
    float *gradient =
        walk->strip == 0 ? call->gradient : kept_sums(walk, walk->strip, tile_index(walk));
    struct waiting waiting = {.sums = {{0}}, .gradient = gradient + begin[walk->rows.begin]};
    for (int64_t channel = walk->rows.begin; channel < walk->rows.end; channel++) {
        vfloat dy[SPARSE_TILE];
        load_and_keep(dy, walk, call, channel, rows, columns);
        for (int64_t k = begin[channel]; k < begin[channel + 1]; k++) {
            const float *from = walk->from + offsets[pattern->column[k]];
            waiting.sums[waiting.count++] = meet(dy, from, walk->t.line, rows, columns);
            if (waiting.count == VECTOR)
                flush(&waiting);
        }
    }
    if (waiting.count > 0)
        flush(&waiting);
}

static void step(struct sparse_conv_walk *walk, const void *call)
{
    sparse_conv_visit_tile(sum_band, walk, call);
}

/* gradient += sums, of the rows that are computed. */
static void add_sums(const struct sparse_conv_walk *walk, const float *sums, float *gradient)
{
    const struct sparse_pattern *pattern = walk->pattern;
    for (int64_t band = 0; band < pattern->bands; band++) {
        const int32_t *begin = pattern->begin + band * pattern->rows;
        for (int32_t k = begin[walk->rows.begin]; k < begin[walk->rows.end]; k++)
            gradient[k] += sums[k];
    }
}

static void add_kept_sums(const struct sparse_conv_walk *walk, float *gradient)
{
    for (int64_t strip = 1; strip < walk->t.strips; strip++)
        for (int64_t tile = 0; tile < walk->t.tiles; tile++)
            add_sums(walk, kept_sums(walk, strip, tile), gradient);
}

/* So that all tiles may add. */
static void clear_kept_sums(const struct sparse_conv_walk *walk, float *kept)
{
    const struct sparse_conv_tiling *t = &walk->t;
    const int64_t count = (t->strips - 1) * t->tiles * walk->pattern->entries;
    memset(kept, 0, (size_t)count * sizeof *kept);
}

static void clear_gradient(const struct sparse_conv_walk *walk, float *gradient)
{
    const struct sparse_pattern *pattern = walk->pattern;
    for (int64_t band = 0; band < pattern->bands; band++) {
        const int32_t *begin = pattern->begin + band * pattern->rows;
        const int32_t first = begin[walk->rows.begin], end = begin[walk->rows.end];
        memset(gradient + first, 0, (size_t)(end - first) * sizeof *gradient);
    }
}

void KERNEL(sparse_conv_gradient)(const struct sparse_conv_gradient *call)
{
    const struct sparse_pattern *pattern = call->pattern;
    struct sparse_conv_walk walk = {.pattern = pattern,
                                    .x = call->x,
                                    .columns = call->columns,
                                    .rows = share_piece(call->share, pattern->rows, 1)};
    clear_gradient(&walk, call->gradient);
    for (; walk.lane < call->columns; walk.lane += walk.t.strips * VECTOR) {
        walk.t = sparse_conv_gradient_tiling(
            pattern->columns / SPARSE_TAPS, pattern->rows, call->height, call->width, VECTOR,
            (call->columns - walk.lane) / VECTOR, pattern->entries);
        clear_kept_sums(&walk, call->scratch + walk.t.kept);
        KERNEL(sparse_conv_walk)(&walk, call->scratch, step, call);
        add_kept_sums(&walk, call->gradient);
    }
}
