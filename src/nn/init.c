/* Initial values. Parameter p's element e is normal number (p << 40) + e of the stream, whatever
 * else is drawn: a layer's values do not depend on the sizes of the layers before it. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "nn/network.h"

static void fill_glorot(const struct parameter_spec *parameter, int index, struct rng_stream stream,
                        float *values)
{
    float sigma = (float)sqrt(2.0 / (double)(parameter->fan_in + parameter->fan_out));
    rng_normal(stream, (uint64_t)index << 40, values, (size_t)parameter->count);
    for (int64_t i = 0; i < parameter->count; i++)
        values[i] *= sigma;
}

void net_spec_initialize(const struct net_spec *spec, enum init_kind kind, struct rng_stream stream,
                         float *block)
{
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    int count = net_spec_parameters(spec, parameters, NULL);
    memset(block, 0, (size_t)net_spec_block_size(spec) * sizeof *block);
    for (int i = 0; i < count; i++)
        if (kind == INIT_GLOROT_NORMAL && parameters[i].is_weight)
            fill_glorot(&parameters[i], i, stream, block + parameters[i].offset);
}
