/* Initial values. Parameter p's element e is number (p << 40) + e of the stream (a redraw of it, r,
 * is number (r << 48) + (p << 40) + e), whatever else is drawn: a layer's values do not depend on
 * the sizes of the layers before it. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "nn/network.h"

/* The deviation of a standard normal number cut off at 2. */
#define TRUNCATED_DEVIATION 0.87962566103423978

static void fill_normal(struct rng_stream stream, uint64_t first, double sigma, float *values,
                        int64_t count)
{
    rng_normal(stream, first, values, (size_t)count);
    for (int64_t i = 0; i < count; i++)
        values[i] *= (float)sigma;
}

static void fill_truncated(struct rng_stream stream, uint64_t first, double sigma, float *values,
                           int64_t count)
{
    rng_normal(stream, first, values, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        for (uint64_t redraw = 1; fabsf(values[i]) > 2; redraw++)
            rng_normal(stream, (redraw << 48) + first + (uint64_t)i, &values[i], 1);
        values[i] *= (float)(sigma / TRUNCATED_DEVIATION);
    }
}

static void fill_uniform(struct rng_stream stream, uint64_t first, double bound, float *values,
                         int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = (2 * rng_uniform(stream, first + (uint64_t)i) - 1) * (float)bound;
}

static void fill_weight(const struct parameter_spec *parameter, uint64_t first,
                        struct init_spec init, struct rng_stream stream, float *values)
{
    const double fan_in = (double)parameter->fan_in, fan_out = (double)parameter->fan_out;
    const double glorot = sqrt(2 / (fan_in + fan_out));
    switch (init.kind) {
    case INIT_GLOROT_NORMAL:
        fill_normal(stream, first, glorot, values, parameter->count);
        break;
    case INIT_GLOROT_TRUNCATED:
        fill_truncated(stream, first, glorot, values, parameter->count);
        break;
    case INIT_KAIMING_NORMAL:
        fill_normal(stream, first, sqrt(2 / fan_in), values, parameter->count);
        break;
    case INIT_KAIMING_UNIFORM:
        fill_uniform(stream, first, sqrt(6 / fan_in), values, parameter->count);
        break;
    case INIT_NORMAL:
        fill_normal(stream, first, init.sigma, values, parameter->count);
        break;
    }
}

static void fill_ones(float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = 1;
}

void net_spec_initialize(const struct net_spec *spec, struct init_spec init,
                         struct rng_stream stream, float *block)
{
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    int count = net_spec_parameters(spec, parameters, NULL);
    memset(block, 0, (size_t)net_spec_block_size(spec) * sizeof *block);
    for (int i = 0; i < count; i++) {
        const struct parameter_spec *parameter = &parameters[i];
        if (parameter->is_weight)
            fill_weight(parameter, (uint64_t)i << 40, init, stream, block + parameter->offset);
        else if (parameter->starts_at_one)
            fill_ones(block + parameter->offset, parameter->count);
    }
}
