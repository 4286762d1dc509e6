/* Sparse 3x3 convolution of activations, forward and, on the turned pattern, backward.
 *
 * A tile of the result, of a few pixels and a few vectors of the batch, is summed in registers:
 * each surviving weight of a row is multiplied with the pixels it meets, which stand in the strip
 * (sparse_convolution_strip.h) where the weight's column says. All rows pass over the tile, so that
 * what they read of the strip stays in the cache; with several bands their sums wait in the
 * scratch, [row][pixel][vectors][VECTOR], between one band and the next. */
#include "sparse_convolution_strip.h"

/* Bytes of a result that is not fetched into the caches to be overwritten, nor kept there: what a
 * core's share of the last cache has no room for. */
#define LEAST_STREAMED (12 << 20)

/* Adds the products of `count` entries to the tile. */
INLINE void add_entries(vfloat *sum, const struct sparse_conv_walk *walk, const int32_t *offsets,
                        const float *values, int64_t begin, int64_t end, const int64_t rows,
                        const int64_t columns)
{
    const int32_t *column = walk->pattern->column;
    const float *x = walk->from;
    const int64_t line = walk->t.line;
    for (int64_t k = begin; k < end; k++) {
        const float *from = x + offsets[column[k]];
        const vfloat value = vset(values[k]);
        UNROLL
        for (int i = 0; i < rows * columns; i++)
            sum[i] = vfma(value, vload(from + i / columns * line + i % columns * VECTOR), sum[i]);
    }
}

static bool is_streamed(const struct sparse_conv_data *call)
{
    const int64_t floats = call->pattern->rows * call->height * call->width * call->columns;
    return floats * (int64_t)sizeof(float) >= LEAST_STREAMED &&
           (uintptr_t)call->y % sizeof(vfloat) == 0;
}

/* Unless it is streamed, has the same pixels of the next channel fetched. */
INLINE void store_tile(const vfloat *sum, const struct sparse_conv_walk *walk,
                       const struct sparse_conv_data *call, int64_t channel, const int64_t rows,
                       const int64_t columns)
{
    const int64_t height = least(rows, call->height - walk->row);
    const int64_t width = least(columns, (call->width - walk->column) * walk->t.vectors);
    const int64_t next =
        channel + 1 < walk->pattern->rows ? call->height * call->width * call->columns : 0;
    const bool rectify = call->rectify, streams = is_streamed(call);
    float *y = call->y +
               ((channel * call->height + walk->row) * call->width + walk->column) * call->columns +
               walk->lane;
    UNROLL
    for (int i = 0; i < rows * columns; i++) {
        if (i / columns >= height || i % columns >= width)
            continue;
        float *pixel = y + walk->places[i];
        const vfloat result = rectify ? vselect(sum[i] <= 0, vset(0), sum[i]) : sum[i];
        if (streams) {
            vstream(pixel, result);
        } else {
            __builtin_prefetch(pixel + next, 1);
            vstore(pixel, result);
        }
    }
}

INLINE void sum_band(struct sparse_conv_walk *walk, const void *of, const int64_t rows,
                     const int64_t columns)
{
    const struct sparse_conv_data *call = of;
    const struct sparse_pattern *pattern = walk->pattern;
    const int32_t *begin = pattern->begin + walk->band * pattern->rows;
    const int32_t *offsets = walk->offsets - walk->band * pattern->band;
    const bool first = walk->band == 0, last = walk->band == pattern->bands - 1;
    float *waiting = walk->tile;
    for (int64_t channel = 0; channel < pattern->rows; channel++) {
        vfloat sum[SPARSE_TILE];
        const vfloat bias = vset(call->bias ? call->bias[channel] : 0);
        UNROLL
        for (int i = 0; i < rows * columns; i++)
            sum[i] = first ? bias : vload(waiting + i * VECTOR);
        add_entries(sum, walk, offsets, call->values, begin[channel], begin[channel + 1], rows,
                    columns);
        if (last) {
            store_tile(sum, walk, call, channel, rows, columns);
        } else {
            UNROLL
            for (int i = 0; i < rows * columns; i++)
                vstore(waiting + i * VECTOR, sum[i]);
        }
        waiting += rows * columns * VECTOR;
    }
}

static void step(struct sparse_conv_walk *walk, const void *call)
{
    sparse_conv_visit_tile(sum_band, walk, call);
}

void KERNEL(sparse_conv_data)(const struct sparse_conv_data *call)
{
    const struct sparse_pattern *pattern = call->pattern;
    const struct piece lanes = share_piece(call->share, call->columns, VECTOR);
    struct sparse_conv_walk walk = {.pattern = pattern,
                                    .x = call->x,
                                    .columns = call->columns,
                                    .lane = lanes.begin,
                                    .rows = {0, pattern->rows}};
    for (; walk.lane < lanes.end; walk.lane += walk.t.vectors * VECTOR) {
        walk.t = sparse_conv_tiling(pattern->columns / SPARSE_TAPS, pattern->rows, call->height,
                                    call->width, VECTOR, (lanes.end - walk.lane) / VECTOR);
        KERNEL(sparse_conv_walk)(&walk, call->scratch, step, call);
    }
    vstream_end();
}
