/* Patterns from masks; every instruction set's sparse products against the plain reference and the
 * dense product. */
#include "nn_sparse.h"

#define GUARD 7.25f

struct size {
    int64_t rows, columns, band;
};

static const struct size sizes[] = {{1, 1, 1},   {2, 3, 3},      {7, 31, 31},   {10, 100, 100},
                                    {33, 17, 5}, {40, 300, 100}, {5, 2100, 700}};
static const int64_t batches[] = {16, 32, 48, 64, 80, 128, 240};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void for_each_isa(void (*check)(const struct kernels *kernels, const struct sparse_sample *s,
                                       int64_t columns),
                         const struct sparse_sample *s, int64_t columns)
{
    for (size_t i = 0; i < ISA_COUNT; i++) {
        const struct kernels *kernels = kernels_find(every_isa[i]);
        if (kernels)
            check(kernels, s, columns);
    }
}

static void for_each_sample(void (*check)(const struct kernels *kernels,
                                          const struct sparse_sample *s, int64_t columns))
{
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t d = 0; d < DENSITIES; d++) {
            struct sparse_sample s = sparse_sample(sizes[i].rows, sizes[i].columns, sizes[i].band,
                                                   every_density[d], i * 10 + d);
            for (size_t b = 0; b < COUNT(batches); b++)
                for_each_isa(check, &s, batches[b]);
            sparse_sample_finish(&s);
        }
}

/* --- patterns --- */

static void patterns_hold_each_kept_weight_once(void **state)
{
    (void)state;
    struct sparse_sample s = sparse_sample(9, 70, 16, 0.3, 1);
    uint8_t *seen = calloc(9 * 70, 1);
    assert_int_equal(s.pattern.bands, 5);
    for (int64_t k = 0; k < s.pattern.entries; k++)
        seen[entry_element(&s.pattern, k)]++;
    assert_memory_equal(seen, s.mask, 9 * 70);
    for (int64_t b = 0; b < s.pattern.bands; b++)
        for (int32_t k = s.pattern.begin[b * 9]; k < s.pattern.begin[(b + 1) * 9]; k++)
            assert_int_equal(s.pattern.column[k] / 16, b);
    free(seen);
    sparse_sample_finish(&s);
}

static void check_turned(int64_t taps)
{
    enum { OUTPUTS = 6, INPUTS = 8 };
    struct sparse_sample s = sparse_sample(OUTPUTS, INPUTS * taps, 3 * taps, 0.4, 2);
    struct sparse_pattern turned;
    int32_t *place;
    assert_int_equal(pattern_turn(&s.pattern, taps, 2 * taps, &turned, &place, NULL), 0);
    assert_int_equal(turned.rows, INPUTS);
    assert_int_equal(turned.columns, OUTPUTS * taps);
    assert_int_equal(turned.entries, s.pattern.entries);
    for (int64_t k = 0; k < turned.entries; k++) {
        const int64_t element = entry_element(&turned, k);
        const int64_t input = element / turned.columns, output = element % turned.columns / taps;
        const int64_t tap = taps - 1 - element % taps;
        assert_int_equal(entry_element(&s.pattern, place[k]),
                         (output * INPUTS + input) * taps + tap);
    }
    free(place);
    pattern_finish(&turned);
    sparse_sample_finish(&s);
}

static void turned_patterns_lead_back(void **state)
{
    (void)state;
    check_turned(1);
    check_turned(9);
}

/* --- products --- */

static void check_product(const struct kernels *kernels, const struct sparse_sample *s,
                          int64_t columns)
{
    const int64_t rows = s->pattern.rows, depth = s->pattern.columns, count = rows * columns;
    float *x = floats(depth * columns), *bias = floats(rows), *dense = floats(count);
    const int64_t wide = columns + KERNEL_LANES; /* rows of y have room to spare */
    float *y = floats(rows * wide), *expected = floats(count);
    fill_normal(x, depth * columns, 3);
    fill_normal(bias, rows, 4);
    fill_normal(expected, count, 5); /* what is added to */
    memcpy(dense, expected, (size_t)count * sizeof *dense);
    for (int64_t i = 0; i < rows * wide; i++)
        y[i] = i % wide < columns ? expected[i / wide * columns + i % wide] : GUARD;
    struct sparse_product p = {.pattern = &s->pattern,
                               .values = s->values,
                               .columns = columns,
                               .x = x,
                               .x_stride = columns,
                               .bias = columns % 32 ? bias : NULL,
                               .rectify = columns % 3 == 0,
                               .accumulate = columns % 64 == 0,
                               .y = y,
                               .y_stride = wide};
    kernels->sparse_product(&p);
    p.y = expected;
    p.y_stride = columns;
    kernels_reference.sparse_product(&p);
    kernels_reference.product(&(struct product){.rows = rows,
                                                .columns = columns,
                                                .depth = depth,
                                                .a = s->dense,
                                                .a_row = depth,
                                                .a_depth = 1,
                                                .b = x,
                                                .b_stride = columns,
                                                .c = dense,
                                                .c_stride = columns,
                                                .bias = p.bias,
                                                .rectify = p.rectify,
                                                .accumulate = p.accumulate});
    for (int64_t i = 0; i < rows * wide; i++) {
        const int64_t at = i / wide * columns + i % wide;
        if (i % wide >= columns) {
            assert_true(y[i] == GUARD);
            continue;
        }
        assert_near((double)y[i], (double)expected[at], 1e-6 * (double)(depth + 10));
        assert_near((double)y[i], (double)dense[at], 1e-5 * (double)(depth + 10));
    }
    free(x);
    free(bias);
    free(dense);
    free(y);
    free(expected);
}

static void products_match_the_reference(void **state)
{
    (void)state;
    for_each_sample(check_product);
}

static void check_gradient(const struct kernels *kernels, const struct sparse_sample *s,
                           int64_t columns)
{
    const int64_t rows = s->pattern.rows, depth = s->pattern.columns, count = s->pattern.entries;
    float *x = floats(depth * columns), *dy = floats(rows * columns);
    float *gradient = floats(count + KERNEL_LANES), *expected = floats(count + 1);
    fill_normal(x, depth * columns, 5);
    fill_normal(dy, rows * columns, 6);
    for (int64_t i = 0; i < count + KERNEL_LANES; i++)
        gradient[i] = GUARD;
    struct sparse_gradient g = {.pattern = &s->pattern,
                                .columns = columns,
                                .x = x,
                                .dy = dy,
                                .x_stride = columns,
                                .dy_stride = columns,
                                .gradient = gradient};
    for (int turn = 0; turn < 2; turn++) {
        g.accumulate = turn == 1;
        g.gradient = gradient;
        kernels->sparse_gradient(&g);
        g.gradient = expected;
        kernels_reference.sparse_gradient(&g);
    }
    for (int64_t i = 0; i < count; i++)
        assert_near((double)gradient[i], (double)expected[i], 1e-5 * (double)columns);
    for (int64_t i = count; i < count + KERNEL_LANES; i++)
        assert_true(gradient[i] == GUARD);
    free(x);
    free(dy);
    free(gradient);
    free(expected);
}

static void gradients_match_the_reference(void **state)
{
    (void)state;
    for_each_sample(check_gradient);
}

/* A column's bits do not depend on the columns beside it. */
static void check_columns(const struct kernels *kernels, const struct sparse_sample *s,
                          int64_t columns)
{
    const int64_t rows = s->pattern.rows, depth = s->pattern.columns;
    float *wide = floats(depth * columns), *x = floats(depth * KERNEL_LANES);
    float *all = floats(rows * columns), *few = floats(rows * KERNEL_LANES);
    fill_normal(wide, depth * columns, 7);
    const int64_t from = columns - KERNEL_LANES;
    for (int64_t i = 0; i < depth; i++)
        memcpy(x + i * KERNEL_LANES, wide + i * columns + from, KERNEL_LANES * sizeof *x);
    kernels->sparse_product(&(struct sparse_product){.pattern = &s->pattern,
                                                     .values = s->values,
                                                     .columns = columns,
                                                     .x = wide,
                                                     .x_stride = columns,
                                                     .y = all,
                                                     .y_stride = columns});
    kernels->sparse_product(&(struct sparse_product){.pattern = &s->pattern,
                                                     .values = s->values,
                                                     .columns = KERNEL_LANES,
                                                     .x = x,
                                                     .x_stride = KERNEL_LANES,
                                                     .y = few,
                                                     .y_stride = KERNEL_LANES});
    for (int64_t r = 0; r < rows; r++)
        assert_memory_equal(all + r * columns + from, few + r * KERNEL_LANES,
                            KERNEL_LANES * sizeof *few);
    free(wide);
    free(x);
    free(all);
    free(few);
}

static void columns_are_computed_apart(void **state)
{
    (void)state;
    for_each_sample(check_columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_hold_each_kept_weight_once),
        cmocka_unit_test(turned_patterns_lead_back),
        cmocka_unit_test(products_match_the_reference),
        cmocka_unit_test(gradients_match_the_reference),
        cmocka_unit_test(columns_are_computed_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
