/* Kernels of pooling and batch norm on every instruction set against the plain reference, and
 * products with patches against sums over windows, at awkward sizes. */
#include "nn_support.h"

#include "../../src/nn/kernels/kernels.h"
#include "../../src/nn/patches.h"

static void for_each_isa(void (*check)(const struct kernels *kernels))
{
    for (size_t i = 0; i < ISA_COUNT; i++)
        if (kernels_find(every_isa[i]))
            check(kernels_find(every_isa[i]));
}

static void assert_all_near(const float *actual, const float *expected, int64_t count,
                            double tolerance)
{
    for (int64_t i = 0; i < count; i++)
        assert_near((double)actual[i], (double)expected[i],
                    tolerance * (1 + fabs((double)expected[i])));
}

static void check_pool(const struct kernels *kernels, const struct max_pool *pool)
{
    const int64_t rows = (pool->height - pool->kernel) / pool->stride + 1;
    const int64_t across = (pool->width - pool->kernel) / pool->stride + 1;
    const int64_t inputs = pool->channels * pool->height * pool->width * pool->columns;
    const int64_t outputs = pool->channels * rows * across * pool->columns;
    float *x = floats(inputs), *y = floats(outputs), *expected = floats(outputs);
    float *dy = floats(outputs), *dx = floats(inputs), *expected_dx = floats(inputs);
    uint8_t *winners = malloc((size_t)outputs), *expected_winners = malloc((size_t)outputs);
    fill_normal(x, inputs, 1);
    fill_normal(dy, outputs, 2);
    for (int64_t i = 0; i < inputs; i += 5) /* ties */
        x[i] = roundf(x[i]);
    kernels->max_pool(pool, x, y, winners);
    kernels_reference.max_pool(pool, x, expected, expected_winners);
    assert_memory_equal(y, expected, (size_t)outputs * sizeof *y);
    assert_memory_equal(winners, expected_winners, (size_t)outputs);
    memset(y, 0, (size_t)outputs * sizeof *y);
    kernels->max_pool(pool, x, y, NULL);
    assert_memory_equal(y, expected, (size_t)outputs * sizeof *y);
    fill_normal(dx, inputs, 3); /* what was there does not matter */
    kernels->max_pool_gradient(pool, dy, winners, dx);
    kernels_reference.max_pool_gradient(pool, dy, winners, expected_dx);
    assert_all_near(dx, expected_dx, inputs, 1e-6);
    free(x), free(y), free(expected), free(dy), free(dx), free(expected_dx);
    free(winners), free(expected_winners);
}

static void pools_of(const struct kernels *kernels)
{
    static const struct max_pool pools[] = {{1, 4, 6, 2, 2, 16, false},   {3, 5, 7, 2, 2, 64, true},
                                            {2, 5, 5, 3, 2, 48, false},   {2, 7, 4, 3, 1, 16, true},
                                            {1, 9, 8, 2, 3, 32, false},   {2, 3, 3, 1, 1, 16, true},
                                            {1, 15, 15, 15, 4, 16, false}};
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        check_pool(kernels, &pools[i]);
}

static void pools_match_the_reference(void **state)
{
    (void)state;
    for_each_isa(pools_of);
}

static void pools_let_nan_through(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISA_COUNT; i++)
        for (int at = 0; kernels_find(every_isa[i]) && at < 4; at++) {
            float x[4 * 16] = {0}, y[16];
            x[at * 16] = NAN;
            const struct max_pool pool = {1, 2, 2, 2, 2, 16, true};
            kernels_find(every_isa[i])->max_pool(&pool, x, y, NULL);
            assert_true(isnan(y[0]) && y[1] == 0);
        }
}

static void check_norm(const struct kernels *kernels, const struct norm *norm, bool rectify)
{
    const int64_t count = norm->pixels * norm->columns;
    float *x = floats(count), *dy = floats(count), *y = floats(count), *expected = floats(count);
    struct moments moments, expected_moments;
    struct norm_sums sums, expected_sums;
    fill_normal(x, count, 1);
    fill_normal(dy, count, 2);
    for (int64_t i = 0; i < count; i++) {
        x[i] = i % norm->columns < norm->examples ? 3 * x[i] + 100 : 1e6f;
        dy[i] = i % norm->columns < norm->examples ? dy[i] : 0;
    }
    kernels->moments(norm, x, &moments);
    kernels_reference.moments(norm, x, &expected_moments);
    assert_near((double)moments.mean, (double)expected_moments.mean, 1e-4);
    assert_near((double)moments.variance, (double)expected_moments.variance, 1e-4);
    const struct affine affine = {
        .mean = 100, .inverse = 0.3f, .scale = -0.45f, .shift = 45.2f, .rectify = rectify};
    kernels->normalize(norm, &affine, x, y);
    kernels_reference.normalize(norm, &affine, x, expected);
    assert_all_near(y, expected, count, 2e-5);
    kernels->norm_gradient_sums(norm, &affine, x, dy, &sums);
    kernels_reference.norm_gradient_sums(norm, &affine, x, dy, &expected_sums);
    const double most = 1e-5 * (double)(norm->pixels * norm->examples);
    assert_near((double)sums.dy, (double)expected_sums.dy, most);
    assert_near((double)sums.dy_x, (double)expected_sums.dy_x, most);
    kernels->norm_gradient(norm, &affine, &sums, x, dy, y);
    kernels_reference.norm_gradient(norm, &affine, &sums, x, dy, expected);
    assert_all_near(y, expected, count, 1e-5);
    kernels->norm_gradient(norm, &affine, &sums, x, dy, dy); /* in place */
    assert_memory_equal(dy, y, (size_t)count * sizeof *y);
    free(x), free(dy), free(y), free(expected);
}

static void norms_of(const struct kernels *kernels)
{
    static const int64_t batches[] = {1, 7, 15, 16, 17, 60, 61, 64, 128};
    static const int64_t pixels[] = {1, 4, 35, 1024};
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
        for (size_t p = 0; p < sizeof pixels / sizeof *pixels; p++)
            for (int rectify = 0; rectify < 2; rectify++) {
                struct norm norm = {pixels[p], batches[b], padded_columns((int32_t)batches[b])};
                check_norm(kernels, &norm, rectify);
                norm.columns += 32;
                check_norm(kernels, &norm, rectify);
            }
}

static void norms_match_the_reference(void **state)
{
    (void)state;
    for_each_isa(norms_of);
}

static void averages_of(const struct kernels *kernels)
{
    enum { ROWS = 49, COLUMNS = 48, COUNT = ROWS * COLUMNS };
    float *x = floats(COUNT), *y = floats(COLUMNS), *expected = floats(COUNT), *dx = floats(COUNT);
    fill_normal(x, COUNT, 4);
    kernels->mean_of_rows(x, y, ROWS, COLUMNS);
    kernels_reference.mean_of_rows(x, expected, ROWS, COLUMNS);
    assert_all_near(y, expected, COLUMNS, 1e-6);
    kernels->spread_over_rows(x, dx, ROWS, COLUMNS);
    kernels_reference.spread_over_rows(x, expected, ROWS, COLUMNS);
    assert_all_near(dx, expected, COUNT, 1e-6);
    free(x), free(y), free(expected), free(dx);
}

static void averages_match_the_reference(void **state)
{
    (void)state;
    for_each_isa(averages_of);
}

/* The output pixel (o, r, c) of one column. */
static double window_sum(const struct conv_shape *shape, const float *x, const float *w, int64_t r,
                         int64_t c, int64_t columns)
{
    double sum = 0;
    for (int64_t i = 0; i < shape->inputs; i++)
        for (int64_t k = 0; k < (int64_t)shape->kernel * shape->kernel; k++) {
            const int64_t y = r * shape->stride + k / shape->kernel - shape->padding;
            const int64_t z = c * shape->stride + k % shape->kernel - shape->padding;
            if (y >= 0 && y < shape->height && z >= 0 && z < shape->width)
                sum += (double)w[i * shape->kernel * shape->kernel + k] *
                       (double)x[((i * shape->height + y) * shape->width + z) * columns];
        }
    return sum;
}

static double dot(const float *a, const float *b, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Forward against sums over windows; backward by the adjoints: <dy, conv(x, w)> = <dx, x> = <dw,
 * w>. */
static void check_patches(const struct kernels *kernels, const struct conv_shape *shape,
                          int64_t columns)
{
    const int64_t rows = (shape->height + 2 * shape->padding - shape->kernel) / shape->stride + 1;
    const int64_t across = (shape->width + 2 * shape->padding - shape->kernel) / shape->stride + 1;
    const int64_t inputs = shape->inputs * shape->height * shape->width * columns;
    const int64_t outputs = shape->outputs * rows * across * columns;
    const int64_t depth = shape->inputs * shape->kernel * shape->kernel;
    float *x = floats(inputs), *dx = floats(inputs), *y = floats(outputs), *dy = floats(outputs);
    float *w = floats(shape->outputs * depth), *dw = floats(shape->outputs * depth);
    float *bias = floats(shape->outputs), *scratch = floats(patches_scratch_floats(shape, columns));
    fill_normal(x, inputs, 1);
    fill_normal(w, shape->outputs * depth, 2);
    fill_normal(dy, outputs, 3);
    fill_normal(bias, shape->outputs, 4);
    patches_forward(kernels, shape, columns, x, w, bias, true, y, scratch);
    for (int64_t i = 0; i < outputs; i++) {
        const int64_t pixel = i / columns, o = pixel / (rows * across);
        const double sum = window_sum(shape, x + i % columns, w + o * depth, pixel / across % rows,
                                      pixel % across, columns);
        assert_near((double)y[i], fmax(0, sum + (double)bias[o]), 1e-5 * (double)depth);
    }
    patches_forward(kernels, shape, columns, x, w, NULL, false, y, scratch);
    patches_backward_data(kernels, shape, columns, dy, w, dx, scratch);
    patches_backward_weights(kernels, shape, columns, x, dy, dw, scratch);
    const double expected = dot(dy, y, outputs), size = sqrt((double)(outputs * depth));
    assert_near(dot(dx, x, inputs), expected, 1e-4 * size);
    assert_near(dot(dw, w, shape->outputs * depth), expected, 1e-4 * size);
    free(x), free(dx), free(y), free(dy), free(w), free(dw), free(bias), free(scratch);
}

static void patches_of(const struct kernels *kernels)
{
    static const struct conv_shape shapes[] = {
        {1, 1, 1, 1, 1, 1, 0}, {3, 7, 9, 5, 3, 2, 1},    {16, 32, 32, 32, 3, 2, 1},
        {5, 6, 8, 8, 1, 1, 0}, {5, 13, 7, 6, 1, 2, 0},   {2, 3, 6, 11, 5, 1, 2},
        {1, 2, 4, 4, 4, 3, 3}, {70, 20, 10, 10, 3, 1, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        check_patches(kernels, &shapes[i], 16);
        check_patches(kernels, &shapes[i], 64);
    }
}

static void patches_match_sums_over_windows(void **state)
{
    (void)state;
    for_each_isa(patches_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_match_the_reference),
        cmocka_unit_test(pools_let_nan_through),
        cmocka_unit_test(norms_match_the_reference),
        cmocka_unit_test(averages_match_the_reference),
        cmocka_unit_test(patches_match_sums_over_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
