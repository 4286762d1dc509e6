/* Filters are turned round in blocks of VECTOR x VECTOR: a channel of the result has its taps side
 * by side in memory, all inputs' one behind the other, and products want the channels so. */
#include "filters.h"
#include "transpose.h"

/* to[c][r] = from[r][c] for r < lanes, where rows from `rows` on count as zero. */
static void transpose_matrix(const float *from, int64_t from_stride, int64_t rows, float *to,
                             int64_t to_stride, int64_t columns, int64_t lanes)
{
    for (int64_t r = 0; r < lanes; r += VECTOR)
        for (int64_t c = 0; c < columns; c += VECTOR) {
            const float *block = from + r * from_stride + c;
            float *place = to + c * to_stride + r;
            if (rows - r >= VECTOR && columns - c >= VECTOR)
                transpose_part(block, from_stride, VECTOR, place, to_stride, VECTOR, VECTOR);
            else
                transpose_part(block, from_stride, rows - r, place, to_stride,
                               least(columns - c, VECTOR), least(lanes - r, VECTOR));
        }
}

void KERNEL(gather_filters)(const struct conv_data *call, const struct filter_block *block,
                            float *taps)
{
    const int64_t inputs = call->shape.inputs;
    if (!call->backward) {
        transpose_matrix(call->w + (block->to * inputs + block->from) * FILTER_TAPS,
                         inputs * FILTER_TAPS, block->to_count, taps, RESULT_PANEL,
                         block->from_count * FILTER_TAPS, RESULT_PANEL);
        return;
    }
    for (int64_t k = 0; k < block->from_count; k++)
        transpose_matrix(call->w + ((block->from + k) * inputs + block->to) * FILTER_TAPS,
                         FILTER_TAPS, block->to_count,
                         taps + (k * FILTER_TAPS + FILTER_TAPS - 1) * RESULT_PANEL, -RESULT_PANEL,
                         FILTER_TAPS, RESULT_PANEL);
}

void KERNEL(scatter_filters)(const float *taps, const struct gradient_block *block,
                             const struct conv_gradient *call)
{
    const int64_t stride = call->shape.inputs * FILTER_TAPS;
    transpose_matrix(taps, OUTPUT_PANEL, block->inputs * FILTER_TAPS,
                     call->dw + block->output * stride + block->input * FILTER_TAPS, stride,
                     block->outputs, block->inputs * FILTER_TAPS);
}
