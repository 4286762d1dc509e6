/* Looks at a network's blocks for tests. */
#ifndef SWEEPSTAKE_TESTS_NN_BLOCKS_H
#define SWEEPSTAKE_TESTS_NN_BLOCKS_H

#include <stdlib.h>

#include "nn/network.h"

/* A place for a copy that stays as it is until some more have been taken. */
static inline float *next_copy(const struct network *net)
{
    static float *copies[6];
    static int last;
    last = (last + 1) % 6;
    free(copies[last]);
    return copies[last] = malloc((size_t)net_block_size(net) * sizeof(float));
}

static inline const float *weights_of(const struct network *net)
{
    float *copy = next_copy(net);
    net_read_weights(net, copy);
    return copy;
}

static inline const float *gradients_of(const struct network *net)
{
    float *copy = next_copy(net);
    net_read_gradients(net, copy);
    return copy;
}

static inline const float *moments_of(const struct network *net, int which)
{
    float *copy = next_copy(net);
    net_read_moments(net, which, copy);
    return copy;
}

#endif
