/* Dropout (Srivastava et al. 2014), scaled while training so that evaluation is the identity.
 *
 * Which units are kept is a function of (stream, iteration, layer number, unit, column): the block
 * at iteration * 256 + number - 1 of the dropout stream seeds a stream of the layer's own for this
 * iteration, whose block at (unit << 32) + column / 8 holds 16 bits for each of 8 columns, from the
 * low half of the first word on. A unit is kept when its bits are at least drop * 65536, rounded.
 * This is part of the format: changing it changes every result with dropout. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operation.h"

static int dropout_output(const struct layer_spec *layer, struct shape input, struct shape *output,
                          struct error *err)
{
    if (!(layer->drop > 0 && layer->drop < 1))
        return error_set(err, ERROR_USAGE, "the probability of dropping is between 0 and 1, not %g",
                         layer->drop);
    *output = input;
    return 0;
}

/* The shortest decimal that reads back as the same number. */
static void dropout_text(const struct layer_spec *layer, struct text *text)
{
    char digits[32];
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, layer->drop);
        if (strtod(digits, NULL) == layer->drop)
            break;
    }
    text_add(text, " %s", digits);
}

#define COLUMNS_PER_BLOCK 8

static int64_t dropout_state_size(const struct layer *layer, int64_t columns)
{
    return layer->outputs * columns;
}

static struct rng_stream stream_of_iteration(const struct layer *layer, const struct pass *pass)
{
    struct rng_stream stream = pass->dropout;
    uint32_t bits[4];
    rng_block(stream, (uint64_t)pass->iteration * 256 + (uint64_t)layer->number - 1, bits);
    stream.seed = (uint64_t)bits[1] << 32 | bits[0];
    return stream;
}

/* Factors of one unit: 0 or 1 / (1 - drop). Looked up, since a branch on random bits costs more. */
static void draw_factors(struct rng_stream stream, int64_t unit, double drop, int32_t columns,
                         float *factors)
{
    const uint32_t least = (uint32_t)lrint(drop * 65536);
    const float choice[2] = {0, (float)(1 / (1 - drop))};
    for (int32_t c = 0; c < columns; c += COLUMNS_PER_BLOCK) {
        uint32_t bits[4];
        rng_block(stream, (uint64_t)unit << 32 | (uint64_t)(c / COLUMNS_PER_BLOCK), bits);
        for (int i = 0; i < 4; i++) {
            *factors++ = choice[(bits[i] & 0xffff) >= least];
            *factors++ = choice[bits[i] >> 16 >= least];
        }
    }
}

static void dropout_forward(const struct layer *layer, const struct pass *pass, const float *x,
                            float *y)
{
    const int64_t count = layer->outputs * pass->columns;
    if (!pass->training) {
        if (y != x)
            memcpy(y, x, (size_t)count * sizeof *y);
        return;
    }
    const struct rng_stream stream = stream_of_iteration(layer, pass);
    for (int64_t unit = 0; unit < layer->outputs; unit++)
        draw_factors(stream, unit, layer->spec->drop, pass->columns,
                     layer->state + unit * pass->columns);
    pass->kernels->multiply(x, layer->state, y, count);
}

static void dropout_backward(const struct layer *layer, const struct pass *pass, const float *x,
                             const float *dy, float *dx)
{
    (void)x;
    if (dx)
        pass->kernels->multiply(dy, layer->state, dx, layer->outputs * pass->columns);
}

const struct operation operation_dropout = {
    .name = "dropout",
    .output = dropout_output,
    .text = dropout_text,
    .in_place = true,
    .gradient_in_place = true,
    .state_size = dropout_state_size,
    .forward = dropout_forward,
    .backward = dropout_backward,
};
