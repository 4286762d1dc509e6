/* Direct gradient of weights, for few inputs: dw[o][i][kh][kw] = the sum over pixels and examples
 * of dy[o][y][x] * x[i][y + kh - 1][x + kw - 1].
 *
 * Vectors hold examples of both operands, read where they lie, and each weight has a vector of sums
 * whose lanes are added up at the end: nothing is gathered, transposed or padded. A tile is
 * DIRECT_OUTPUTS outputs by the three taps of one row of filters, whose sums stay in registers
 * along a segment of a row of pixels. dy, much the larger operand, is read once from memory: its
 * segment stays in the first-level cache while all inputs and rows of filters pass over it. */
#include "direct.h"
#include "isa.h"

#define SEGMENT 512 /* pixels and examples, as long as a pixel's examples are fewer */

struct direct_pass {
    const struct conv_gradient *call;
    int64_t columns, row, plane; /* floats of a pixel, of a row, of a channel */
    const float *zeros;          /* a pixel outside of the image */
    float *sums;                 /* [inputs][3][DIRECT_OUTPUTS][3][VECTOR] */
};

/* A segment of dy, of DIRECT_OUTPUTS outputs. */
struct segment {
    const float *dy[DIRECT_OUTPUTS];
    int64_t y, begin, end; /* row of pixels; first pixel; behind the last */
};

/* One pixel of all examples. */
INLINE void add_pixel(const struct segment *s, int64_t at, const float *const x[FILTER_WIDTH],
                      int64_t columns, vfloat sums[DIRECT_OUTPUTS][FILTER_WIDTH])
{
    for (int64_t e = 0; e < columns; e += VECTOR) {
        vfloat taps[FILTER_WIDTH];
        UNROLL
        for (int t = 0; t < FILTER_WIDTH; t++)
            taps[t] = vload(x[t] + e);
        UNROLL
        for (int o = 0; o < DIRECT_OUTPUTS; o++) {
            const vfloat dy = vkeep(vload(s->dy[o] + at + e));
            UNROLL
            for (int t = 0; t < FILTER_WIDTH; t++)
                sums[o][t] = vfma(dy, taps[t], sums[o][t]);
        }
    }
}

/* Adds to the sums of one row of filters what the segment meets in the row `x` of the argument. */
static void add_segment(const struct direct_pass *pass, const struct segment *segment,
                        const float *x, float *to)
{
    const struct segment s = *segment;
    const int64_t columns = pass->columns, last = pass->call->shape.width - 1;
    vfloat sums[DIRECT_OUTPUTS][FILTER_WIDTH];
    UNROLL
    for (int o = 0; o < DIRECT_OUTPUTS; o++)
        UNROLL
    for (int t = 0; t < FILTER_WIDTH; t++)
        sums[o][t] = vload(to + (o * FILTER_WIDTH + t) * VECTOR);
    for (int64_t p = s.begin; p < s.end; p++) {
        const float *pixel = x + p * columns;
        const float *const taps[FILTER_WIDTH] = {p > 0 ? pixel - columns : pass->zeros, pixel,
                                                 p < last ? pixel + columns : pass->zeros};
        add_pixel(&s, p * columns, taps, columns, sums);
    }
    UNROLL
    for (int o = 0; o < DIRECT_OUTPUTS; o++)
        UNROLL
    for (int t = 0; t < FILTER_WIDTH; t++)
        vstore(to + (o * FILTER_WIDTH + t) * VECTOR, sums[o][t]);
}

/* All inputs and rows of filters that the segment meets. */
static void add_inputs(const struct direct_pass *pass, const struct segment *s)
{
    const struct conv_shape *shape = &pass->call->shape;
    float *sums = pass->sums;
    for (int64_t i = 0; i < shape->inputs; i++)
        for (int64_t kh = 0; kh < FILTER_WIDTH; kh++) {
            const int64_t y = s->y + kh - 1;
            if (y >= 0 && y < shape->height)
                add_segment(pass, s, pass->call->x + i * pass->plane + y * pass->row, sums);
            sums += DIRECT_OUTPUTS * FILTER_WIDTH * VECTOR;
        }
}

static void store_weights(const struct direct_pass *pass, int64_t output, int64_t outputs)
{
    const int64_t rows = pass->call->shape.inputs * FILTER_WIDTH; /* of an output's filters */
    for (int64_t row = 0; row < rows; row++)
        for (int64_t o = 0; o < outputs; o++)
            for (int64_t t = 0; t < FILTER_WIDTH; t++)
                pass->call->dw[((output + o) * rows + row) * FILTER_WIDTH + t] = vsum(
                    vload(pass->sums + ((row * DIRECT_OUTPUTS + o) * FILTER_WIDTH + t) * VECTOR));
}

static void compute_outputs(const struct direct_pass *pass, int64_t output, int64_t outputs)
{
    const struct conv_shape *shape = &pass->call->shape;
    const int64_t pixels = pass->columns < SEGMENT ? SEGMENT / pass->columns : 1;
    memset(pass->sums, 0,
           (size_t)(DIRECT_OUTPUTS * shape->inputs * FILTER_TAPS * VECTOR) * sizeof *pass->sums);
    struct segment s;
    for (s.y = 0; s.y < shape->height; s.y++) {
        /* The last output stands for missing ones. */
        for (int64_t o = 0; o < DIRECT_OUTPUTS; o++)
            s.dy[o] =
                pass->call->dy + (output + least(o, outputs - 1)) * pass->plane + s.y * pass->row;
        for (s.begin = 0; s.begin < shape->width; s.begin = s.end) {
            s.end = least(s.begin + pixels, shape->width);
            add_inputs(pass, &s);
        }
    }
    store_weights(pass, output, outputs);
}

void KERNEL(direct_gradient)(const struct conv_gradient *call)
{
    const struct piece outputs = share_piece(call->share, call->shape.outputs, DIRECT_OUTPUTS);
    const struct direct_pass pass = {
        .call = call,
        .columns = call->columns,
        .row = call->shape.width * call->columns,
        .plane = call->shape.height * call->shape.width * call->columns,
        .zeros = call->scratch,
        .sums = call->scratch + call->columns,
    };
    memset(call->scratch, 0, (size_t)call->columns * sizeof *call->scratch);
    for (int64_t o = outputs.begin; o < outputs.end; o += DIRECT_OUTPUTS)
        compute_outputs(&pass, o, least(DIRECT_OUTPUTS, outputs.end - o));
}
