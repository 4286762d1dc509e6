/* Direct gradient of weights, for few inputs: dw[o][i][kh][kw] = the sum over pixels and examples
 * of dy[o][y][x] * x[i][y + kh - 1][x + kw - 1].
 *
 * The sums run over pixels and examples, which are contiguous in a row of dy. They are taken in
 * runs of DIRECT_RUN: the 9 * inputs arguments that meet a run are gathered and transposed to
 * [pixel and example][input, kh, kw], the order of the weights, and dw += dy * that, one product.
 * dy, much the larger, is read where it lies; while one group of outputs is multiplied, the same
 * group's next run is on its way. */
#include "direct.h"
#include "isa.h"
#include "transpose.h"

#define GROUP 12 /* outputs */

struct direct_pass {
    const struct conv_gradient *call;
    int64_t plane, row;   /* floats of a channel and of a row */
    int64_t taps, stride; /* of a filter of all inputs; and as rows of `arguments` */
    float *arguments;     /* [DIRECT_RUN][stride] */
};

/* What one tap meets along a row of dy: at place i of the row x[begin + i], for first <= i < end.
 */
struct tap {
    int64_t begin, first, end;
};

/* Tap `index` of the order of the weights, for row y; behind the last there is nothing. */
static struct tap find_tap(const struct direct_pass *pass, int64_t index, int64_t y)
{
    const struct conv_gradient *call = pass->call;
    const int64_t input = index / FILTER_TAPS;
    const int64_t row = y + index / FILTER_WIDTH % FILTER_WIDTH - 1;
    const int64_t shift = (index % FILTER_WIDTH - 1) * call->columns;
    if (index >= pass->taps || row < 0 || row >= call->shape.height)
        return (struct tap){0};
    return (struct tap){.begin = input * pass->plane + row * pass->row + shift,
                        .first = shift < 0 ? -shift : 0,
                        .end = pass->row - (shift > 0 ? shift : 0)};
}

/* KERNEL_LANES places from `at` on, for VECTOR taps. */
INLINE void transpose_taps(const float *from, const struct tap taps[VECTOR], int64_t at, float *to,
                           int64_t stride)
{
    for (int64_t lane = 0; lane < KERNEL_LANES; lane += VECTOR) {
        vfloat x[VECTOR];
        UNROLL
        for (int t = 0; t < VECTOR; t++)
            x[t] = at >= taps[t].first && at < taps[t].end ? vload(from + taps[t].begin + at + lane)
                                                           : vset(0);
        transpose_registers(x);
        UNROLL
        for (int i = 0; i < VECTOR; i++)
            vstore(to + (lane + i) * stride, x[i]);
    }
}

static void gather_arguments(const struct direct_pass *pass, int64_t y, int64_t at, int64_t count)
{
    for (int64_t first = 0; first < pass->stride; first += VECTOR) {
        struct tap taps[VECTOR];
        for (int t = 0; t < VECTOR; t++)
            taps[t] = find_tap(pass, first + t, y);
        for (int64_t i = 0; i < count; i += KERNEL_LANES)
            transpose_taps(pass->call->x, taps, at + i, pass->arguments + i * pass->stride + first,
                           pass->stride);
    }
}

static void prefetch_rows(const float *from, int64_t stride, int64_t rows, int64_t count)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < count; i += KERNEL_LANES)
            __builtin_prefetch(from + r * stride + i);
}

/* Adds the products of the run that begins at `at` of row y. */
static void add_run(const struct direct_pass *pass, int64_t y, int64_t at, int64_t count)
{
    const struct conv_gradient *call = pass->call;
    const int64_t begin = y * pass->row + at;
    const int64_t next = least(DIRECT_RUN, pass->plane - begin - count);
    gather_arguments(pass, y, at, count);
    for (int64_t o = 0; o < call->shape.outputs; o += GROUP) {
        const int64_t rows = least(GROUP, call->shape.outputs - o);
        const float *dy = call->dy + o * pass->plane + begin;
        prefetch_rows(dy + count, pass->plane, rows, next);
        const struct product product = {
            .rows = rows,
            .columns = pass->taps,
            .depth = count,
            .a = dy,
            .a_row = pass->plane,
            .a_depth = 1,
            .b = pass->arguments,
            .b_stride = pass->stride,
            .c = call->dw + o * pass->taps,
            .c_stride = pass->taps,
            .accumulate = begin > 0,
        };
        KERNEL(product)(&product);
    }
}

void KERNEL(direct_gradient)(const struct conv_gradient *call)
{
    const struct direct_pass pass = {
        .call = call,
        .plane = call->shape.height * call->shape.width * call->columns,
        .row = call->shape.width * call->columns,
        .taps = call->shape.inputs * FILTER_TAPS,
        .stride = direct_round_up(call->shape.inputs * FILTER_TAPS, KERNEL_LANES),
        .arguments = call->scratch,
    };
    for (int64_t y = 0; y < call->shape.height; y++)
        for (int64_t at = 0; at < pass.row; at += DIRECT_RUN)
            add_run(&pass, y, at, least(DIRECT_RUN, pass.row - at));
}
