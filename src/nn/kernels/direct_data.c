/* Direct convolution of activations, forward and backward, for few channels; backward is the same
 * convolution with the filters turned by 180 degrees and their channels exchanged.
 *
 * For each row of the result and BLOCK_COLUMNS columns the three rows of the argument it needs are
 * copied to a strip [width][row][channel][column]. The taps of a pixel are then one contiguous
 * stretch of it, and a pixel of the result is one product of the filters, laid out likewise, with
 * that stretch. At the edges of the image the stretch is shorter, at the upper and the lower edge
 * with filters that lack a row: nothing is multiplied by padding.
 *
 * The result, much the larger, is written GROUP channels at a time along the row: channels are a
 * power of two apart as a rule, and lines of all of them would fall on the same few sets of a cache
 * and follow no order that the CPU could guess. */
#include "direct.h"
#include "isa.h"

#define GROUP 6 /* channels */
#define AHEAD 2 /* pixels */

struct direct_pass {
    const struct conv_data *call;
    struct direct_data_layout layout;
    float *filters, *strip;
};

/* The rows of taps that meet the image: `count` from `first` on. */
struct tap_rows {
    int64_t first, count;
    int kind;
};

static struct tap_rows tap_rows(bool above, bool below)
{
    return (struct tap_rows){.first = above ? 0 : 1,
                             .count = 1 + (above ? 1 : 0) + (below ? 1 : 0),
                             .kind = (above ? 1 : 0) + (below ? 2 : 0)};
}

/* The weight from channel `from` of the argument to channel `to` of the result. */
static float weight(const struct conv_data *call, int64_t to, int64_t from, int64_t row,
                    int64_t column)
{
    const int64_t inputs = call->shape.inputs, last = FILTER_WIDTH - 1;
    if (!call->backward)
        return call->w[((to * inputs + from) * FILTER_WIDTH + row) * FILTER_WIDTH + column];
    return call
        ->w[((from * inputs + to) * FILTER_WIDTH + last - row) * FILTER_WIDTH + last - column];
}

/* Filters [column][row][from][to] with the given rows alone. */
static void lay_out_filters(const struct direct_pass *pass, struct tap_rows rows)
{
    const struct direct_data_layout *l = &pass->layout;
    float *to = pass->filters + rows.kind * l->filter_floats;
    for (int64_t column = 0; column < FILTER_WIDTH; column++)
        for (int64_t row = rows.first; row < rows.first + rows.count; row++)
            for (int64_t c = 0; c < l->from; c++, to += l->to_stride)
                for (int64_t o = 0; o < l->to; o++)
                    to[o] = weight(pass->call, o, c, row, column);
}

/* The strip of row y's arguments for `columns` columns from `column` on. */
static void fill_strip(const struct direct_pass *pass, int64_t y, struct tap_rows rows,
                       int64_t column, int64_t columns)
{
    const struct conv_data *call = pass->call;
    const int64_t from = pass->layout.from, width = call->shape.width;
    const int64_t row_floats = width * call->columns;
    for (int64_t c = 0; c < from; c++)
        for (int64_t row = 0; row < rows.count; row++) {
            const int64_t argument_row = y + rows.first + row - 1;
            const float *x =
                call->x + (c * call->shape.height + argument_row) * row_floats + column;
            float *to = pass->strip + (row * from + c) * BLOCK_COLUMNS;
            for (int64_t i = 0; i < width; i++)
                for (int64_t lane = 0; lane < columns; lane += VECTOR)
                    vstore(to + i * rows.count * from * BLOCK_COLUMNS + lane,
                           vload(x + i * call->columns + lane));
        }
}

/* Has the cache fetch where the pixel `distance` floats behind the product's will be written. */
static void prefetch_pixel(const struct product *p, int64_t distance)
{
    for (int64_t r = 0; r < p->rows; r++)
        for (int64_t e = 0; e < p->columns; e += KERNEL_LANES)
            __builtin_prefetch(p->c + r * p->c_stride + distance + e, 1);
}

/* Channels `to` and up to GROUP - 1 behind it. */
static void convolve_row(const struct direct_pass *pass, int64_t y, struct tap_rows rows,
                         int64_t column, int64_t columns, int64_t to)
{
    const struct conv_data *call = pass->call;
    const struct direct_data_layout *l = &pass->layout;
    const int64_t width = call->shape.width, depth = rows.count * l->from; /* of a tap */
    const int64_t plane = call->shape.height * width * call->columns;
    for (int64_t x = 0; x < width; x++) {
        const int64_t first = x == 0 ? 1 : 0, last = x == width - 1 ? 1 : 2;
        const struct product product = {
            .rows = least(GROUP, l->to - to),
            .columns = columns,
            .depth = (last - first + 1) * depth,
            .a = pass->filters + rows.kind * l->filter_floats + first * depth * l->to_stride + to,
            .a_row = 1,
            .a_depth = l->to_stride,
            .b = pass->strip + (x - 1 + first) * depth * BLOCK_COLUMNS,
            .b_stride = BLOCK_COLUMNS,
            .c = call->y + to * plane + (y * width + x) * call->columns + column,
            .c_stride = plane,
            .bias = call->bias ? call->bias + to : NULL,
            .rectify = call->rectify,
        };
        if (x + AHEAD < width)
            prefetch_pixel(&product, AHEAD * call->columns);
        KERNEL(product)(&product);
    }
}

void KERNEL(direct_data)(const struct conv_data *call)
{
    struct direct_pass pass = {.call = call,
                               .layout = direct_data_layout(&call->shape, call->backward)};
    const int64_t height = call->shape.height;
    const struct piece lines = share_piece(call->share, height, 1);
    pass.filters = call->scratch;
    pass.strip = pass.filters + DIRECT_ROW_KINDS * pass.layout.filter_floats;
    lay_out_filters(&pass, tap_rows(false, height > 1));
    lay_out_filters(&pass, tap_rows(height > 1, false));
    lay_out_filters(&pass, tap_rows(true, true));
    for (int64_t column = 0; column < call->columns; column += BLOCK_COLUMNS) {
        const int64_t columns = least(BLOCK_COLUMNS, call->columns - column);
        for (int64_t y = lines.begin; y < lines.end; y++) {
            const struct tap_rows rows = tap_rows(y > 0, y < height - 1);
            fill_strip(&pass, y, rows, column, columns);
            for (int64_t to = 0; to < pass.layout.to; to += GROUP)
                convolve_row(&pass, y, rows, column, columns, to);
        }
    }
}
