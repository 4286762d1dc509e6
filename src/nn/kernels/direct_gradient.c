/* Direct gradient of weights, for few channels: dw[o][i][kh][kw] = the sum over pixels and examples
 * of dy[o][y][x] * x[i][y + kh - 1][x + kw - 1].
 *
 * Every weight has a vector of sums, one a lane, that are only added up at the very end, so nothing
 * is transposed. A tile holds the sums of TILE_OUTPUTS outputs and of the three taps of one row of
 * a filter in registers while it runs over a segment of a row of pixels: each vector of dy is used
 * for three taps, each of x for all outputs. Segments of DIRECT_SEGMENT pixels of DIRECT_COLUMNS
 * columns are copied to be contiguous, x with a pixel more on each side, zero outside of the image;
 * the segments of x stay for the three rows of dy that need them. */
#include "direct.h"
#include "isa.h"

#define TILE_OUTPUTS (VECTOR == 16 ? 8 : 4) /* the sums of a tile fill the registers */

struct direct_pass {
    const struct conv_gradient *call;
    struct direct_gradient_layout layout;
    float *x;  /* [row % 3][input][x_row] */
    float *dy; /* [output][dy_row] */
    float
        *sums; /* [output / TILE_OUTPUTS][input][row of taps][output % TILE_OUTPUTS][tap] vectors */
};

/* What is summed at a time. */
struct segment {
    int64_t column, columns; /* of the batch */
    int64_t pixel, pixels;   /* of a row */
};

/* Pixels from `first` on of one row; zero where they are outside of [0, width). */
static void copy_pixels(const float *row, int64_t stride, int64_t width, int64_t first,
                        int64_t pixels, int64_t columns, float *to)
{
    for (int64_t i = 0; i < pixels; i++, to += columns) {
        const bool inside = first + i >= 0 && first + i < width;
        for (int64_t lane = 0; lane < columns; lane += VECTOR)
            vstore(to + lane, inside ? vload(row + (first + i) * stride + lane) : vset(0));
    }
}

static void copy_x(const struct direct_pass *pass, const struct segment *s, int64_t y)
{
    const struct conv_gradient *call = pass->call;
    const int64_t inputs = call->shape.inputs, width = call->shape.width;
    float *to = pass->x + y % DIRECT_TAPS * inputs * pass->layout.x_row;
    for (int64_t i = 0; i < inputs; i++)
        copy_pixels(call->x + (i * call->shape.height + y) * width * call->columns + s->column,
                    call->columns, width, s->pixel - 1, s->pixels + 2, s->columns,
                    to + i * pass->layout.x_row);
}

static void copy_dy(const struct direct_pass *pass, const struct segment *s, int64_t y)
{
    const struct conv_gradient *call = pass->call;
    const int64_t width = call->shape.width;
    for (int64_t o = 0; o < call->shape.outputs; o++)
        copy_pixels(call->dy + (o * call->shape.height + y) * width * call->columns + s->column,
                    call->columns, width, s->pixel, s->pixels, s->columns,
                    pass->dy + o * pass->layout.dy_row);
}

/* Adds `count` products to each sum; the taps' arguments are `tap` floats apart. */
static void add_tile(const float *dy, int64_t dy_row, const float *x, int64_t tap, int64_t count,
                     float *sums)
{
    vfloat sum[TILE_OUTPUTS][DIRECT_TAPS];
    memcpy(sum, sums, sizeof sum);
    for (int64_t i = 0; i < count; i += VECTOR) {
        vfloat taps[DIRECT_TAPS];
        UNROLL
        for (int t = 0; t < DIRECT_TAPS; t++)
            taps[t] = vload(x + t * tap + i);
        UNROLL
        for (int o = 0; o < TILE_OUTPUTS; o++) {
            const vfloat gradient = vload(dy + o * dy_row + i);
            UNROLL
            for (int t = 0; t < DIRECT_TAPS; t++)
                sum[o][t] = vfma(gradient, taps[t], sum[o][t]);
        }
    }
    memcpy(sums, sum, sizeof sum);
}

static void add_row(const struct direct_pass *pass, const struct segment *s, int64_t y)
{
    const struct conv_shape *shape = &pass->call->shape;
    const struct direct_gradient_layout *l = &pass->layout;
    const int64_t tile_floats = TILE_OUTPUTS * DIRECT_TAPS * VECTOR;
    float *sums = pass->sums;
    for (int64_t o = 0; o < l->outputs; o += TILE_OUTPUTS)
        for (int64_t i = 0; i < shape->inputs; i++)
            for (int64_t k = 0; k < DIRECT_TAPS; k++, sums += tile_floats) {
                const int64_t row = y + k - 1;
                if (row >= 0 && row < shape->height)
                    add_tile(pass->dy + o * l->dy_row, l->dy_row,
                             pass->x + (row % DIRECT_TAPS * shape->inputs + i) * l->x_row,
                             s->columns, s->pixels * s->columns, sums);
            }
}

static void add_segment(const struct direct_pass *pass, const struct segment *s)
{
    const int64_t height = pass->call->shape.height;
    copy_x(pass, s, 0);
    for (int64_t y = 0; y < height; y++) {
        if (y + 1 < height)
            copy_x(pass, s, y + 1);
        copy_dy(pass, s, y);
        add_row(pass, s, y);
    }
}

static void store_weights(const struct direct_pass *pass)
{
    const struct conv_shape *shape = &pass->call->shape;
    const float *sums = pass->sums;
    for (int64_t o = 0; o < pass->layout.outputs; o += TILE_OUTPUTS)
        for (int64_t filter_row = 0; filter_row < shape->inputs * DIRECT_TAPS; filter_row++)
            for (int64_t tile = 0; tile < TILE_OUTPUTS; tile++)
                for (int64_t t = 0; t < DIRECT_TAPS; t++, sums += VECTOR)
                    if (o + tile < shape->outputs)
                        pass->call->dw[((o + tile) * shape->inputs * DIRECT_TAPS + filter_row) *
                                           DIRECT_TAPS +
                                       t] = vsum(vload(sums));
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void KERNEL(direct_gradient)(const struct conv_gradient *call)
{
    const struct direct_gradient_layout l = direct_gradient_layout(&call->shape);
    const struct direct_pass pass = {.call = call,
                                     .layout = l,
                                     .x = call->scratch + l.x,
                                     .dy = call->scratch + l.dy,
                                     .sums = call->scratch + l.sums};
    const int64_t width = call->shape.width;
    memset(pass.dy, 0, (size_t)(l.total - l.dy) * sizeof(float));
    struct segment s;
    for (s.column = 0; s.column < call->columns; s.column += DIRECT_COLUMNS) {
        s.columns = least(DIRECT_COLUMNS, call->columns - s.column);
        for (s.pixel = 0; s.pixel < width; s.pixel += DIRECT_SEGMENT) {
            s.pixels = least(DIRECT_SEGMENT, width - s.pixel);
            add_segment(&pass, &s);
        }
    }
    store_weights(&pass);
}
