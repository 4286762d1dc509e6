/* What the tests of the network engine share: values to compute with, and networks to compute on.
 */
#ifndef SWEEPSTAKE_TESTS_NN_SUPPORT_H
#define SWEEPSTAKE_TESTS_NN_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"
#include "nn/network.h"
#include "nn_blocks.h"

static const char *const every_isa[] = {"avx512", "avx2", "portable"};
#define ISA_COUNT (sizeof every_isa / sizeof *every_isa)

static inline void assert_near(double actual, double expected, double tolerance)
{
    if (!(fabs(actual - expected) <= tolerance))
        fail_msg("%.9g is not within %.3g of %.9g", actual, tolerance, expected);
}

static inline float *floats(int64_t count)
{
    float *values = mem_aligned((size_t)count, sizeof *values, NULL);
    assert_non_null(values);
    return values;
}

/* Normal numbers of a stream that nothing else uses. */
static inline void fill_normal(float *values, int64_t count, uint64_t seed)
{
    rng_normal((struct rng_stream){.seed = seed, .purpose = RNG_GENERATOR}, 0, values,
               (size_t)count);
}

static inline struct net_spec small_spec(const char *architecture, double dropout)
{
    struct net_spec spec;
    struct error err = {0};
    if (net_spec_named(architecture, (struct shape){1, 3, 5}, 5, dropout, &spec, &err) != 0)
        fail_msg("%s", err.text);
    return spec;
}

static inline struct network *create(const struct net_spec *spec, int32_t train, int32_t evaluate)
{
    struct error err = {0};
    struct network *net = net_create(spec, (struct net_options){.train_batch = train, .evaluate_batch = evaluate}, &err);
    if (!net)
        fail_msg("%s", err.text);
    net_initialize(net, (struct init_spec){.kind = INIT_GLOROT_NORMAL},
                   (struct rng_stream){.seed = 5, .purpose = RNG_INIT}, NULL);
    return net;
}

/* A batch of normal inputs and changing labels; padding columns hold `padding`. */
struct example_batch {
    struct net_batch batch;
    float *inputs;
    uint8_t labels[512];
};

static inline void fill_batch(struct example_batch *b, const struct net_spec *spec,
                              int32_t examples, int32_t columns, float padding, uint64_t seed)
{
    int64_t features = (int64_t)spec->input.channels * spec->input.height * spec->input.width;
    float *example = floats(features);
    b->inputs = floats(features * columns);
    for (int64_t i = 0; i < features * columns; i++)
        b->inputs[i] = padding;
    for (int32_t c = 0; c < examples; c++) {
        fill_normal(example, features, seed * 1000 + (uint64_t)c);
        for (int64_t f = 0; f < features; f++)
            b->inputs[f * columns + c] = example[f];
        b->labels[c] = (uint8_t)((c * 7 + (int32_t)seed) % spec->classes);
    }
    b->batch = (struct net_batch){b->inputs, b->labels, examples, columns};
    free(example);
}

static inline int32_t padded_columns(int32_t examples)
{
    return (examples + NET_LANES - 1) / NET_LANES * NET_LANES;
}

#endif
