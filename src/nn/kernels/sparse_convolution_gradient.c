/* Gradients of the surviving weights of a sparse 3x3 convolution.
 *
 * A tile of the result's gradient, of a few pixels and VECTOR columns of the batch, is held in
 * registers; each surviving weight of its row multiplies it with the pixels of the strip
 * (sparse_convolution_strip.h) that the weight met forward, into CHAINS sums. What is left is a
 * vector a weight, of which the lanes must be added up. Entries stand row after row, so VECTOR
 * neighbours wait, whatever their rows, and are reduced together. One vector of the batch is taken
 * after the other, since the order of the tiles is that of the sums. With several bands the tiles
 * of all rows are copied to the scratch, [row][pixel][VECTOR], at the first. */
#include "sparse_convolution_strip.h"
#include "sparse_reduce.h"

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
        walk->lane;
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

INLINE void sum_band(struct sparse_conv_walk *walk, const void *of, const int64_t rows,
                     const int64_t columns)
{
    const struct sparse_conv_gradient *call = of;
    const struct sparse_pattern *pattern = walk->pattern;
    const int32_t *begin = pattern->begin + walk->band * pattern->rows;
    const int32_t *offsets = walk->offsets - walk->band * pattern->band;
    struct waiting waiting = {.sums = {{0}}, .gradient = call->gradient + begin[walk->rows.begin]};
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
    struct sparse_conv_walk walk = {.pattern = call->pattern,
                                    .columns = call->columns,
                                    .lanes = {0, call->columns},
                                    .vectors = 1,
                                    .rows = share_piece(call->share, call->pattern->rows, 1)};
    clear_gradient(&walk, call->gradient);
    KERNEL(sparse_conv_walk)
    (&walk, call->x, call->scratch, call->height, call->width, step, call);
}
