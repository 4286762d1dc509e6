/* 3x3 convolutions as plain loops, summed in double precision. */
#include "reference_convolution.h"

/* The weight of the tap at which pixel (row, column) of x meets pixel (i, j) of y, which are at
 * most one apart. */
static double weight(const struct conv_data *call, int64_t to, int64_t from, int64_t row,
                     int64_t column)
{
    const int64_t inputs = call->shape.inputs;
    if (call->backward)
        return (double)call->w[((from * inputs + to) * 3 + 1 - row) * 3 + 1 - column];
    return (double)call->w[((to * inputs + from) * 3 + 1 + row) * 3 + 1 + column];
}

static bool is_inside(const struct conv_shape *shape, int64_t row, int64_t column)
{
    return row >= 0 && row < shape->height && column >= 0 && column < shape->width;
}

static double pixel_sum(const struct conv_data *call, int64_t to, int64_t row, int64_t column,
                        int64_t example)
{
    const struct conv_shape *shape = &call->shape;
    const int64_t channels = call->backward ? shape->outputs : shape->inputs;
    double sum = call->bias ? (double)call->bias[to] : 0;
    for (int64_t from = 0; from < channels; from++)
        for (int64_t i = -1; i <= 1; i++)
            for (int64_t j = -1; j <= 1; j++) {
                const int64_t place =
                    ((from * shape->height + row + i) * shape->width + column + j) * call->columns +
                    example;
                if (is_inside(shape, row + i, column + j))
                    sum += weight(call, to, from, i, j) * (double)call->x[place];
            }
    return sum;
}

void reference_conv_data(const struct conv_data *call)
{
    const struct conv_shape *shape = &call->shape;
    const int64_t channels = call->backward ? shape->inputs : shape->outputs;
    float *y = call->y;
    for (int64_t to = 0; to < channels; to++)
        for (int64_t row = 0; row < shape->height; row++)
            for (int64_t column = 0; column < shape->width; column++)
                for (int64_t example = 0; example < call->columns; example++) {
                    const double sum = pixel_sum(call, to, row, column, example);
                    *y++ = call->rectify && sum <= 0 ? 0 : (float)sum;
                }
}

static double tap_sum(const struct conv_gradient *call, int64_t output, int64_t input, int64_t i,
                      int64_t j)
{
    const struct conv_shape *shape = &call->shape;
    double sum = 0;
    for (int64_t row = 0; row < shape->height; row++)
        for (int64_t column = 0; column < shape->width; column++) {
            if (!is_inside(shape, row + i, column + j))
                continue;
            const float *dy =
                call->dy + ((output * shape->height + row) * shape->width + column) * call->columns;
            const float *x =
                call->x +
                ((input * shape->height + row + i) * shape->width + column + j) * call->columns;
            for (int64_t example = 0; example < call->columns; example++)
                sum += (double)dy[example] * (double)x[example];
        }
    return sum;
}

void reference_conv_gradient(const struct conv_gradient *call)
{
    float *dw = call->dw;
    for (int64_t output = 0; output < call->shape.outputs; output++)
        for (int64_t input = 0; input < call->shape.inputs; input++)
            for (int64_t i = -1; i <= 1; i++)
                for (int64_t j = -1; j <= 1; j++)
                    *dw++ = (float)tap_sum(call, output, input, i, j);
}
