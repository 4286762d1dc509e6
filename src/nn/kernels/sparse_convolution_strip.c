/* Strips of the argument, and the walk over them (sparse_convolution_strip.h). */
#include "sparse_convolution_strip.h"

INLINE void clear_vectors(float *to, int64_t floats)
{
    for (int64_t i = 0; i < floats; i += VECTOR)
        vstore(to + i, vset(0));
}

/* One row of a channel; `row` may be outside of the image. Has the same row of the next channel
 * fetched, which lies too far away for a CPU to foresee. */
static void copy_row(const struct sparse_conv_walk *walk, int64_t lane, int64_t channel,
                     int64_t row, float *to)
{
    const struct sparse_conv_tiling *t = &walk->t;
    if (row < 0 || row >= t->height) {
        clear_vectors(to, t->line);
        return;
    }
    const float *from = walk->x + (channel * t->height + row) * t->width * walk->columns + lane;
    const int64_t next = channel + 1 < t->channels ? t->height * t->width * walk->columns : 0;
    const int64_t pixel = t->vectors * VECTOR, end = (t->width + 1) * pixel;
    clear_vectors(to, pixel);
    for (int64_t i = 0; i < t->width; i++, from += walk->columns) {
        for (int64_t j = 0; j < pixel; j += KERNEL_LANES)
            __builtin_prefetch(from + next + j, 0, 2);
        for (int64_t j = 0; j < pixel; j += VECTOR)
            vstore(to + (i + 1) * pixel + j, vload(from + j));
    }
    clear_vectors(to + end, t->line - end);
}

/* Brings a channel's strip to the walk's row. Two lines of the one before are in it: they stay
 * where they are when lines take turns, else they are moved to its beginning. */
static void copy_channel(const struct sparse_conv_walk *walk, int64_t lane, int64_t channel,
                         float *to)
{
    const struct sparse_conv_tiling *t = &walk->t;
    const int64_t kept = walk->row > 0 ? 2 : 0;
    if (t->tile_rows > 1)
        for (int64_t i = 0; i < kept * t->line; i += VECTOR)
            vstore(to + i, vload(to + t->tile_rows * t->line + i));
    for (int64_t i = kept; i < t->lines; i++)
        copy_row(walk, lane, channel, walk->row + i - 1,
                 to + (i + walk->turn) % t->lines * t->line);
}

/* All strips at once, while what they are copied from is near. */
static void copy_band(const struct sparse_conv_walk *walk, int64_t band, float *to)
{
    const struct sparse_conv_tiling *t = &walk->t;
    const int64_t first = band * walk->pattern->band / SPARSE_TAPS;
    const int64_t end = least(first + walk->pattern->band / SPARSE_TAPS, t->channels);
    for (int64_t channel = first; channel < end; channel++)
        for (int64_t strip = 0; strip < t->strips; strip++)
            copy_channel(walk, walk->lane + strip * t->vectors * VECTOR, channel,
                         to + strip * t->channels * t->plane + (channel - first) * t->plane);
}

/* Each band of the strips is copied when the first tile comes to it, where it is the only one over
 * the one before. */
static void step_tile(struct sparse_conv_walk *walk, sparse_conv_step *step, const void *call)
{
    const struct sparse_conv_tiling *t = &walk->t;
    const bool only = t->tiles * t->strips == 1;
    const int64_t band_floats = only ? 0 : walk->pattern->band / SPARSE_TAPS * t->plane;
    for (walk->strip = 0; walk->strip < t->strips; walk->strip++)
        for (walk->band = 0; walk->band < walk->pattern->bands; walk->band++) {
            float *band = walk->strips + walk->band * band_floats;
            if (walk->column == 0 && walk->strip == 0)
                copy_band(walk, walk->band, band);
            walk->from =
                band + walk->strip * t->channels * t->plane + walk->column * t->vectors * VECTOR;
            step(walk, call);
        }
}

static int64_t band_columns(const struct sparse_conv_walk *walk)
{
    return least(walk->pattern->band, walk->pattern->columns);
}

static void lay_out_offsets(const struct sparse_conv_walk *walk, int64_t turn)
{
    const struct sparse_conv_tiling *t = &walk->t;
    int32_t *offsets = walk->turns + turn * band_columns(walk);
    for (int64_t i = 0; i < band_columns(walk); i++) {
        const int64_t tap = i % SPARSE_TAPS, line = (tap / 3 + turn) % t->lines;
        offsets[i] =
            (int32_t)(i / SPARSE_TAPS * t->plane + line * t->line + tap % 3 * t->vectors * VECTOR);
    }
}

static void lay_out_places(struct sparse_conv_walk *walk)
{
    const struct sparse_conv_tiling *t = &walk->t;
    const int64_t across = t->tile_columns * t->vectors;
    for (int64_t i = 0; i < t->tile_rows * across; i++) {
        const int64_t pixel = i / across * t->width + i % across / t->vectors;
        walk->places[i] = pixel * walk->columns + i % t->vectors * VECTOR;
    }
}

void KERNEL(sparse_conv_walk)(struct sparse_conv_walk *walk, float *scratch, sparse_conv_step *step,
                              const void *call)
{
    const struct sparse_conv_tiling *t = &walk->t;
    walk->strips = scratch + t->x;
    walk->tile = scratch + t->tile;
    walk->kept = scratch + t->kept;
    walk->turns = (int32_t *)(scratch + t->offsets);
    for (int64_t turn = 0; turn < SPARSE_TURNS; turn++)
        lay_out_offsets(walk, turn);
    lay_out_places(walk);
    for (walk->row = 0; walk->row < t->height; walk->row += t->tile_rows) {
        walk->turn = t->tile_rows == 1 ? walk->row % SPARSE_TURNS : 0;
        walk->offsets = walk->turns + walk->turn * band_columns(walk);
        for (walk->column = 0; walk->column < t->width; walk->column += t->tile_columns)
            step_tile(walk, step, call);
    }
}
