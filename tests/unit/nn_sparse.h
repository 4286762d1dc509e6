/* Random sparse matrices for tests of sparse kernels: a pattern, its values, and the same dense. */
#ifndef SWEEPSTAKE_TESTS_NN_SPARSE_H
#define SWEEPSTAKE_TESTS_NN_SPARSE_H

#include "nn_support.h"

#include "../../src/nn/kernels/kernels.h"
#include "../../src/nn/pattern.h"

#define ONE_WEIGHT (-1.0) /* instead of a density */

static const double every_density[] = {0, ONE_WEIGHT, 0.01, 0.5, 1};
#define DENSITIES (sizeof every_density / sizeof *every_density)

struct sparse_sample {
    struct sparse_pattern pattern;
    uint8_t *mask; /* [rows][columns] */
    float *dense;  /* likewise, 0 where nothing is */
    float *values; /* [entries] */
};

/* Element of the dense matrix that an entry is. */
static inline int64_t entry_element(const struct sparse_pattern *pattern, int64_t entry)
{
    int64_t place = 0;
    while (pattern->begin[place + 1] <= entry)
        place++;
    return place % pattern->rows * pattern->columns + pattern->column[entry];
}

/* At every density but 1, row 1 is empty. */
static inline struct sparse_sample sparse_sample(int64_t rows, int64_t columns, int64_t band,
                                                 double density, uint64_t seed)
{
    const struct rng_stream stream = {.seed = seed, .purpose = RNG_GENERATOR, .draw = 1};
    const int64_t count = rows * columns;
    struct sparse_sample s = {.mask = malloc((size_t)count), .dense = floats(count)};
    fill_normal(s.dense, count, seed);
    for (int64_t i = 0; i < count; i++) {
        s.mask[i] = density == ONE_WEIGHT ? i == count - 1
                                          : (double)rng_uniform(stream, (uint64_t)i) < density;
        if (i / columns == 1 && density < 1)
            s.mask[i] = 0;
        s.dense[i] = s.mask[i] ? s.dense[i] : 0;
    }
    assert_int_equal(pattern_make(s.mask, rows, columns, band, &s.pattern, NULL), 0);
    s.values = floats(s.pattern.entries + 1);
    for (int64_t k = 0; k < s.pattern.entries; k++)
        s.values[k] = s.dense[entry_element(&s.pattern, k)];
    return s;
}

static inline void sparse_sample_finish(struct sparse_sample *s)
{
    pattern_finish(&s->pattern);
    free(s->mask);
    free(s->dense);
    free(s->values);
}

#endif
