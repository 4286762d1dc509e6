/* Strips of the argument, and the walk over them (sparse_convolution_strip.h). */
#include "sparse_convolution_strip.h"

INLINE void clear_vectors(float *to, int64_t floats)
{
    for (int64_t i = 0; i < floats; i += VECTOR)
        vstore(to + i, vset(0));
}

/* One row of a channel; `row` may be outside of the image. */
static void copy_row(const struct sparse_conv_walk *walk, int64_t channel, int64_t row, float *to)
{
    const struct sparse_conv_tiling *t = &walk->t;
    if (row < 0 || row >= t->height) {
        clear_vectors(to, t->line);
        return;
    }
    const float *from =
        walk->x + (channel * t->height + row) * t->width * walk->columns + walk->lane;
    const int64_t end = (t->width + 1) * VECTOR;
    vstore(to, vset(0));
    for (int64_t i = 0; i < t->width; i++)
        vstore(to + (i + 1) * VECTOR, vload(from + i * walk->columns));
    clear_vectors(to + end, t->line - end);
}

/* Brings a channel's strip to the walk's strip_row. Two rows are there already, below. */
static void copy_channel(const struct sparse_conv_walk *walk, int64_t channel, float *to)
{
    const struct sparse_conv_tiling *t = &walk->t;
    int64_t row = 0;
    if (walk->strip_row > 0) {
        row = 2;
        for (int64_t i = 0; i < row * t->line; i += VECTOR)
            vstore(to + i, vload(to + t->strip_rows * t->line + i));
    }
    for (; row < t->strip_rows + 2; row++)
        copy_row(walk, channel, walk->strip_row + row - 1, to + row * t->line);
}

static void copy_band(const struct sparse_conv_walk *walk, float *to)
{
    const int64_t first = walk->band * walk->pattern->band / SPARSE_TAPS;
    const int64_t end = least(first + walk->pattern->band / SPARSE_TAPS, walk->t.channels);
    for (int64_t channel = first; channel < end; channel++)
        copy_channel(walk, channel, to + (channel - first) * walk->t.plane);
}

/* Each band of a strip is copied when the strip's first tile comes to it. */
static void step_tile(struct sparse_conv_walk *walk, bool first, sparse_conv_step *step,
                      const void *call)
{
    const struct sparse_conv_tiling *t = &walk->t;
    const int64_t band_floats = walk->pattern->band / SPARSE_TAPS * t->plane;
    for (walk->band = 0; walk->band < walk->pattern->bands; walk->band++) {
        float *strip = walk->strip + (t->single ? 0 : walk->band * band_floats);
        if (first)
            copy_band(walk, strip);
        walk->from = strip + (walk->row - walk->strip_row) * t->line + walk->column * VECTOR;
        step(walk, call);
    }
}

static int64_t parts(int64_t count, int64_t part)
{
    return (count + part - 1) / part;
}

/* After the last strip of these columns of the batch come the next columns. */
static void look_ahead(struct sparse_conv_walk *walk)
{
    const struct sparse_conv_tiling *t = &walk->t;
    const int64_t next = walk->strip_row + t->strip_rows;
    struct sparse_conv_ahead ahead = {.lane = walk->lane, .row = next + 1, .rows = t->strip_rows};
    if (next >= t->height)
        ahead = (struct sparse_conv_ahead){.lane = walk->lane + VECTOR, .rows = t->strip_rows + 1};
    ahead.rows = ahead.lane < walk->lanes.end ? least(ahead.rows, t->height - ahead.row) : 0;
    ahead.count = ahead.rows * t->channels;
    ahead.steps = parts(least(t->strip_rows, t->height - walk->strip_row), t->tile_rows) *
                  parts(t->width, t->tile_columns) * walk->pattern->bands *
                  (walk->rows.end - walk->rows.begin);
    walk->ahead = ahead;
}

static void step_strip(struct sparse_conv_walk *walk, sparse_conv_step *step, const void *call)
{
    const struct sparse_conv_tiling *t = &walk->t;
    const int64_t end = least(walk->strip_row + t->strip_rows, t->height);
    bool first = true;
    look_ahead(walk);
    for (walk->row = walk->strip_row; walk->row < end; walk->row += t->tile_rows)
        for (walk->column = 0; walk->column < t->width; walk->column += t->tile_columns) {
            step_tile(walk, first, step, call);
            first = false;
        }
}

static void lay_out_offsets(struct sparse_conv_walk *walk)
{
    const int64_t count = least(walk->pattern->band, walk->pattern->columns);
    for (int64_t i = 0; i < count; i++)
        walk->offsets[i] = (int32_t)(i / SPARSE_TAPS * walk->t.plane +
                                     i % SPARSE_TAPS / 3 * walk->t.line + i % 3 * VECTOR);
}

void KERNEL(sparse_conv_walk)(struct sparse_conv_walk *walk, const float *x, float *scratch,
                              int64_t height, int64_t width, sparse_conv_step *step,
                              const void *call)
{
    const struct sparse_pattern *pattern = walk->pattern;
    walk->t =
        sparse_conv_tiling(pattern->columns / SPARSE_TAPS, pattern->rows, height, width, VECTOR);
    walk->x = x;
    walk->strip = scratch + walk->t.x;
    walk->tile = scratch + walk->t.tile;
    walk->offsets = (int32_t *)(scratch + walk->t.offsets);
    lay_out_offsets(walk);
    for (walk->lane = walk->lanes.begin; walk->lane < walk->lanes.end; walk->lane += VECTOR)
        for (walk->strip_row = 0; walk->strip_row < height; walk->strip_row += walk->t.strip_rows)
            step_strip(walk, step, call);
}
