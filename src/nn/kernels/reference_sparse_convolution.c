/* 3x3 convolutions on surviving weights as plain loops, summed in double precision. */
#include "reference_sparse_convolution.h"

#include <stddef.h>

struct image {
    int64_t height, width, columns;
};

/* The pixel of x which a column of the pattern meets at pixel (row, column) of the result; NULL in
 * the padding. */
static const float *met(struct image image, const float *x, int32_t entry_column, int64_t row,
                        int64_t column)
{
    const int64_t i = row + entry_column % 9 / 3 - 1, j = column + entry_column % 3 - 1;
    if (i < 0 || i >= image.height || j < 0 || j >= image.width)
        return NULL;
    return x + ((entry_column / 9 * image.height + i) * image.width + j) * image.columns;
}

static double pixel_sum(const struct sparse_conv_data *call, int64_t to, int64_t row,
                        int64_t column, int64_t example)
{
    const struct image image = {call->height, call->width, call->columns};
    const struct sparse_pattern *p = call->pattern;
    double sum = call->bias ? (double)call->bias[to] : 0;
    for (int64_t band = 0; band < p->bands; band++)
        for (int32_t k = p->begin[band * p->rows + to]; k < p->begin[band * p->rows + to + 1];
             k++) {
            const float *x = met(image, call->x, p->column[k], row, column);
            if (x)
                sum += (double)call->values[k] * (double)x[example];
        }
    return sum;
}

void reference_sparse_conv_data(const struct sparse_conv_data *call)
{
    float *y = call->y;
    for (int64_t to = 0; to < call->pattern->rows; to++)
        for (int64_t row = 0; row < call->height; row++)
            for (int64_t column = 0; column < call->width; column++)
                for (int64_t example = 0; example < call->columns; example++) {
                    const double sum = pixel_sum(call, to, row, column, example);
                    *y++ = call->rectify && sum <= 0 ? 0 : (float)sum;
                }
}

static double weight_sum(const struct sparse_conv_gradient *call, int64_t from,
                         int32_t entry_column)
{
    const struct image image = {call->height, call->width, call->columns};
    double sum = 0;
    for (int64_t row = 0; row < call->height; row++)
        for (int64_t column = 0; column < call->width; column++) {
            const float *x = met(image, call->x, entry_column, row, column);
            const float *dy =
                call->dy + ((from * call->height + row) * call->width + column) * call->columns;
            for (int64_t example = 0; x && example < call->columns; example++)
                sum += (double)dy[example] * (double)x[example];
        }
    return sum;
}

void reference_sparse_conv_gradient(const struct sparse_conv_gradient *call)
{
    const struct sparse_pattern *p = call->pattern;
    for (int64_t i = 0; i < p->bands * p->rows; i++)
        for (int32_t k = p->begin[i]; k < p->begin[i + 1]; k++)
            call->gradient[k] = (float)weight_sum(call, i % p->rows, p->column[k]);
}
