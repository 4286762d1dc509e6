/* Every instruction set's kernels against the plain reference, at awkward sizes. */
#include "nn_support.h"

#include "../../src/nn/kernels/kernels.h"

static const int64_t batches[] = {1, 7, 15, 16, 17, 60, 64};
#define BATCHES (sizeof batches / sizeof *batches)

static void for_each_isa(void (*check)(const struct kernels *kernels))
{
    int tried = 0;
    for (size_t i = 0; i < ISA_COUNT; i++) {
        const struct kernels *kernels = kernels_find(every_isa[i]);
        if (!kernels)
            continue;
        assert_string_equal(kernels->isa, every_isa[i]);
        check(kernels);
        tried++;
    }
    assert_true(tried >= 1);
}

static int64_t round_up(int64_t n)
{
    return (n + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

static void assert_all_near(const float *actual, const float *expected, int64_t count,
                            double tolerance)
{
    for (int64_t i = 0; i < count; i++)
        assert_near((double)actual[i], (double)expected[i], tolerance);
}

static void assert_same_bits(const float *actual, const float *expected, int64_t count)
{
    assert_memory_equal(actual, expected, (size_t)count * sizeof *actual);
}

/* One product on both; C has a guard behind every row that must stay. */
static void check_product(const struct kernels *kernels, int64_t rows, int64_t columns,
                          int64_t depth, bool transposed, bool bias, bool rectify)
{
    const int64_t b_stride = round_up(columns), c_stride = columns + 3;
    float *a = floats(rows * depth), *b = floats(depth * b_stride), *biases = floats(rows);
    float *c = floats(rows * c_stride), *expected = floats(rows * c_stride);
    fill_normal(a, rows * depth, 1);
    fill_normal(b, depth * b_stride, 2);
    fill_normal(biases, rows, 3);
    for (int64_t i = 0; i < rows * c_stride; i++)
        c[i] = expected[i] = 1e30f;
    struct product p = {.rows = rows,
                        .columns = columns,
                        .depth = depth,
                        .a = a,
                        .a_row = transposed ? 1 : depth,
                        .a_depth = transposed ? rows : 1,
                        .b = b,
                        .b_stride = b_stride,
                        .c = c,
                        .c_stride = c_stride,
                        .bias = bias ? biases : NULL,
                        .rectify = rectify};
    kernels->product(&p);
    p.c = expected;
    kernels_reference.product(&p);
    assert_all_near(c, expected, rows * c_stride, 1e-5 * (double)depth);
    free(a);
    free(b);
    free(biases);
    free(c);
    free(expected);
}

static void products(const struct kernels *kernels)
{
    static const int64_t sizes[] = {1, 2, 5, 6, 7, 12, 13, 31};
    static const int64_t depths[] = {1, 3, 60, 511, 512, 513, 1100};
    for (size_t m = 0; m < sizeof sizes / sizeof *sizes; m++)
        for (size_t n = 0; n < BATCHES; n++)
            for (size_t k = 0; k < sizeof depths / sizeof *depths; k++) {
                check_product(kernels, sizes[m], batches[n], depths[k], m % 2 == 0, n % 2 == 0,
                              k % 2 == 0);
                check_product(kernels, sizes[m], batches[n] + 64, depths[k], m % 2 == 1, n % 2 == 0,
                              k % 2 == 1);
            }
}

/* Rows of A so long that reading across them is another way; a column's bits depend neither on the
 * way nor on how many columns there are. */
static void long_rows(const struct kernels *kernels)
{
    enum { ROWS = 1027, DEPTH = 261, STRIDE = 272 };
    static const int64_t columns[] = {16, 70, 272};
    float *a = floats(ROWS * DEPTH), *b = floats(DEPTH * STRIDE);
    float *first = floats(ROWS * STRIDE), *c = floats(ROWS * STRIDE);
    fill_normal(a, ROWS * DEPTH, 1);
    fill_normal(b, DEPTH * STRIDE, 2);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        check_product(kernels, ROWS, columns[i], DEPTH, true, true, true);
        struct product p = {.rows = ROWS,
                            .columns = columns[i],
                            .depth = DEPTH,
                            .a = a,
                            .a_row = 1,
                            .a_depth = ROWS,
                            .b = b,
                            .b_stride = STRIDE,
                            .c = i ? c : first,
                            .c_stride = STRIDE};
        kernels->product(&p);
        for (int64_t r = 0; i && r < ROWS; r++)
            assert_same_bits(c + r * STRIDE, first + r * STRIDE, columns[0]);
    }
    free(a);
    free(b);
    free(first);
    free(c);
}

static void products_match_the_reference(void **state)
{
    (void)state;
    for_each_isa(products);
    for_each_isa(long_rows);
}

/* Adding a second product to a first one is one product over both depths, bit for bit. */
static void accumulation(const struct kernels *kernels)
{
    enum { ROWS = 7, DEPTH = 300, FIRST = 120, COLUMNS = 70, STRIDE = 80 };
    float *a = floats(ROWS * DEPTH), *b = floats(DEPTH * STRIDE);
    float *whole = floats(ROWS * STRIDE), *parts = floats(ROWS * STRIDE);
    fill_normal(a, ROWS * DEPTH, 1);
    fill_normal(b, DEPTH * STRIDE, 2);
    memset(whole, 0, sizeof *whole * ROWS * STRIDE);
    memset(parts, 0, sizeof *parts * ROWS * STRIDE);
    struct product p = {.rows = ROWS,
                        .columns = COLUMNS,
                        .depth = DEPTH,
                        .a = a,
                        .a_row = DEPTH,
                        .a_depth = 1,
                        .b = b,
                        .b_stride = STRIDE,
                        .c = whole,
                        .c_stride = STRIDE};
    kernels->product(&p);
    p.c = parts;
    p.depth = FIRST;
    kernels->product(&p);
    p.a += FIRST;
    p.b += FIRST * STRIDE;
    p.depth = DEPTH - FIRST;
    p.accumulate = true;
    kernels->product(&p);
    assert_same_bits(parts, whole, ROWS * STRIDE);
    free(a);
    free(b);
    free(whole);
    free(parts);
}

static void products_add_up(void **state)
{
    (void)state;
    for_each_isa(accumulation);
    accumulation(&kernels_reference);
}

/* A column's bits do not depend on which columns stand beside it, nor on where buffers begin. */
static void same_bits(const struct kernels *kernels)
{
    enum { ROWS = 13, DEPTH = 700, WIDE = 112 };
    float *a = floats(ROWS * DEPTH + 1), *b = floats(DEPTH * WIDE),
          *moved_b = floats(DEPTH * WIDE + 1);
    float *narrow_b = floats(DEPTH * 16), *wide = floats(ROWS * WIDE), *narrow = floats(ROWS * 16);
    float *moved_c = floats(ROWS * WIDE + 3);
    fill_normal(a, ROWS * DEPTH + 1, 1);
    fill_normal(b, DEPTH * WIDE, 2);
    struct product p = {.rows = ROWS,
                        .columns = WIDE,
                        .depth = DEPTH,
                        .a = a + 1,
                        .a_row = DEPTH,
                        .a_depth = 1,
                        .b = b,
                        .b_stride = WIDE,
                        .c = wide,
                        .c_stride = WIDE};
    kernels->product(&p);
    memcpy(moved_b + 1, b, sizeof *b * DEPTH * WIDE);
    p.b = moved_b + 1;
    p.c = moved_c + 3;
    kernels->product(&p);
    assert_same_bits(moved_c + 3, wide, ROWS * WIDE);
    for (int64_t begin = 0; begin < WIDE; begin += 16) {
        for (int64_t k = 0; k < DEPTH; k++)
            memcpy(narrow_b + k * 16, b + k * WIDE + begin, 16 * sizeof *b);
        p.b = narrow_b;
        p.b_stride = p.columns = p.c_stride = 16;
        p.c = narrow;
        kernels->product(&p);
        for (int64_t r = 0; r < ROWS; r++)
            assert_same_bits(narrow + r * 16, wide + r * WIDE + begin, 16);
    }
    free(a);
    free(b);
    free(moved_b);
    free(narrow_b);
    free(wide);
    free(narrow);
    free(moved_c);
}

static void product_bits_depend_on_values_alone(void **state)
{
    (void)state;
    for_each_isa(same_bits);
}

/* And writes nothing else. */
static void transposes(const struct kernels *kernels)
{
    const float guard = 7.25f;
    for (size_t i = 0; i < BATCHES; i++)
        for (int64_t rows = 1; rows < 40; rows += 3) {
            const int64_t columns = batches[i], from_stride = round_up(columns),
                          to_stride = rows + 3;
            float *from = floats(rows * from_stride), *to = floats((columns + 1) * to_stride);
            fill_normal(from, rows * from_stride, 4);
            for (int64_t e = 0; e < (columns + 1) * to_stride; e++)
                to[e] = guard;
            kernels->transpose(from, from_stride, to, to_stride, rows, columns);
            for (int64_t c = 0; c <= columns; c++)
                for (int64_t r = 0; r < to_stride; r++)
                    assert_true(to[c * to_stride + r] ==
                                (c < columns && r < rows ? from[r * from_stride + c] : guard));
            free(from);
            free(to);
        }
}

static void transposes_are_exact(void **state)
{
    (void)state;
    for_each_isa(transposes);
}

static void elementwise(const struct kernels *kernels)
{
    enum { ROWS = 7, COLUMNS = 48, COUNT = ROWS * COLUMNS };
    float *x = floats(COUNT), *y = floats(COUNT), *expected = floats(COUNT), *other = floats(COUNT);
    float *third = floats(COUNT);
    uint8_t mask[COUNT];
    fill_normal(x, COUNT, 5);
    fill_normal(other, COUNT, 6);
    fill_normal(third, COUNT, 7);
    x[3] = 0.0f;
    x[4] = -0.0f;
    for (int i = 0; i < COUNT; i++)
        mask[i] = i % 3 != 0;
    kernels->rectify(x, y, COUNT);
    kernels_reference.rectify(x, expected, COUNT);
    assert_same_bits(y, expected, COUNT);
    for (int parts = 1; parts < 4; parts++) {
        const float *b = parts & 1 ? third : NULL, *cut = parts & 2 ? x : NULL;
        memcpy(y, other, sizeof *y * COUNT);
        kernels->add_gradients(y, b, cut, y, COUNT);
        kernels_reference.add_gradients(other, b, cut, expected, COUNT);
        assert_same_bits(y, expected, COUNT);
        kernels->add(x, other, parts & 1, y, COUNT);
        kernels_reference.add(x, other, parts & 1, expected, COUNT);
        assert_same_bits(y, expected, COUNT);
    }
    kernels->multiply(x, other, y, COUNT);
    kernels_reference.multiply(x, other, expected, COUNT);
    assert_same_bits(y, expected, COUNT);
    kernels->clear_masked(y, mask, COUNT);
    kernels_reference.clear_masked(expected, mask, COUNT);
    assert_same_bits(y, expected, COUNT);
    kernels->row_sums(x, y, ROWS, COLUMNS);
    kernels_reference.row_sums(x, expected, ROWS, COLUMNS);
    assert_all_near(y, expected, ROWS, 1e-5);
    free(x);
    free(y);
    free(expected);
    free(other);
    free(third);
}

static void elementwise_kernels_match_the_reference(void **state)
{
    (void)state;
    for_each_isa(elementwise);
}

static void rectifiers_let_nan_through(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISA_COUNT; i++) {
        const struct kernels *kernels = kernels_find(every_isa[i]);
        if (!kernels)
            continue;
        float x[16] = {NAN, -1, 2}, y[16];
        kernels->rectify(x, y, 16);
        assert_true(isnan(y[0]) && y[1] == 0 && y[2] == 2);
    }
}

static void losses_of(const struct kernels *kernels, int32_t classes, int32_t examples,
                      float spread)
{
    const int32_t columns = (int32_t)round_up(examples);
    const int64_t count = (int64_t)classes * columns;
    float *logits = floats(count), *gradient = floats(count), *expected = floats(count);
    uint8_t labels[64];
    fill_normal(logits, count, 8);
    for (int64_t i = 0; i < count; i++) {
        logits[i] *= spread;
        if (i % columns >= examples)
            logits[i] = NAN;
    }
    for (int32_t i = 0; i < examples; i++)
        labels[i] = (uint8_t)(i % classes);
    struct softmax_loss loss = {.logits = logits,
                                .gradient = gradient,
                                .labels = labels,
                                .classes = classes,
                                .examples = examples,
                                .columns = columns};
    struct softmax_loss plain = loss;
    plain.gradient = expected;
    kernels->softmax_loss(&loss);
    kernels_reference.softmax_loss(&plain);
    assert_near(loss.loss_sum, plain.loss_sum, 5e-7 * (plain.loss_sum + examples));
    assert_int_equal(loss.correct, plain.correct);
    assert_all_near(gradient, expected, count, 5e-7 / examples);
    for (int64_t i = 0; i < count; i++)
        if (i % columns >= examples)
            assert_true(gradient[i] == 0);
    const double loss_sum = loss.loss_sum;
    loss.gradient = NULL;
    loss.loss_sum = 0;
    kernels->softmax_loss(&loss);
    assert_true(loss.loss_sum == loss_sum);
    free(logits);
    free(gradient);
    free(expected);
}

static void losses(const struct kernels *kernels)
{
    static const float spreads[] = {0.001f, 1, 10, 100, 1e6f};
    for (size_t i = 0; i < BATCHES; i++)
        for (size_t s = 0; s < sizeof spreads / sizeof *spreads; s++)
            for (int32_t classes = 2; classes <= 30; classes += 4)
                losses_of(kernels, classes, (int32_t)batches[i], spreads[s]);
}

static void losses_match_the_reference(void **state)
{
    (void)state;
    for_each_isa(losses);
}

static void special_losses(const struct kernels *kernels)
{
    float logits[3 * 16] = {0};
    uint8_t labels[3] = {0, 1, 2};
    struct softmax_loss loss = {
        .logits = logits, .labels = labels, .classes = 3, .examples = 3, .columns = 16};
    kernels->softmax_loss(&loss);
    assert_int_equal(loss.correct, 1); /* equal logits: class 0 is predicted */
    assert_near(loss.loss_sum, 3 * log(3), 1e-6);
    static const float broken[] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < 3; c++) {
            memset(logits, 0, sizeof logits);
            logits[c * 16 + 1] = broken[i];
            loss.loss_sum = 0;
            kernels->softmax_loss(&loss);
            assert_true(!isfinite(loss.loss_sum));
        }
}

static void ties_and_broken_logits(void **state)
{
    (void)state;
    for_each_isa(special_losses);
}

struct moments_case {
    float *weights, *gradients, *first, *second;
};

static struct moments_case new_case(int64_t count)
{
    struct moments_case c = {floats(count), floats(count), floats(count), floats(count)};
    fill_normal(c.weights, count, 11);
    fill_normal(c.gradients, count, 12);
    fill_normal(c.first, count, 13);
    fill_normal(c.second, count, 14);
    for (int64_t i = 0; i < count; i++)
        c.second[i] *= c.second[i];
    return c;
}

static void compare_and_free(struct moments_case a, struct moments_case b, const uint8_t *mask,
                             int64_t count)
{
    float *const pairs[][2] = {{a.weights, b.weights},
                               {a.gradients, b.gradients},
                               {a.first, b.first},
                               {a.second, b.second}};
    for (int p = 0; p < 4; p++) {
        assert_all_near(pairs[p][0], pairs[p][1], count, 1e-6);
        for (int64_t i = 0; mask && p < 3 && i < count; i++)
            if (!mask[i])
                assert_memory_equal(&pairs[p][0][i], &(float){0.0f}, sizeof(float));
        free(pairs[p][0]);
        free(pairs[p][1]);
    }
}

static void updates(const struct kernels *kernels)
{
    enum { COUNT = 16 * 9 };
    uint8_t mask[COUNT];
    for (int i = 0; i < COUNT; i++)
        mask[i] = i % 5 != 0;
    for (int variant = 0; variant < 8; variant++) {
        const uint8_t *kept = variant & 1 ? mask : NULL;
        struct moments_case ours = new_case(COUNT), plain = new_case(COUNT);
        struct adam_update adam = {COUNT,
                                   ours.weights,
                                   ours.gradients,
                                   ours.first,
                                   ours.second,
                                   kept,
                                   .beta1 = 0.9f,
                                   .beta2 = 0.999f,
                                   .epsilon = 1e-3f,
                                   .weight_decay = variant & 2 ? 0.1f : 0,
                                   .step = 0.01f,
                                   .second_scale = 1.5f};
        kernels->adam(&adam);
        adam.weights = plain.weights, adam.gradients = plain.gradients;
        adam.first = plain.first, adam.second = plain.second;
        kernels_reference.adam(&adam);
        compare_and_free(ours, plain, kept, COUNT);
        ours = new_case(COUNT), plain = new_case(COUNT);
        const bool velocity = !kept || variant & 4;
        struct sgd_update sgd = {COUNT,
                                 ours.weights,
                                 ours.gradients,
                                 velocity ? ours.first : NULL,
                                 kept,
                                 .rate = 0.1f,
                                 .momentum = 0.9f,
                                 .nesterov = variant & 4,
                                 .weight_decay = variant & 2 ? 0.1f : 0};
        if (!velocity)
            kernels->clear_masked(ours.first, mask, COUNT),
                kernels->clear_masked(plain.first, mask, COUNT);
        kernels->sgd(&sgd);
        sgd.weights = plain.weights, sgd.gradients = plain.gradients;
        sgd.velocity = velocity ? plain.first : NULL;
        kernels_reference.sgd(&sgd);
        compare_and_free(ours, plain, kept, COUNT);
    }
}

static void updates_match_the_reference(void **state)
{
    (void)state;
    for_each_isa(updates);
}

static void an_instruction_set_is_chosen_by_name(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(kernels_select("sse9", &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.text, "'sse9'"));
    assert_non_null(strstr(err.text, "portable"));
    assert_int_equal(kernels_select("portable", &err), 0);
    assert_string_equal(kernels_isa(), "portable");
    setenv("SWEEPSTAKE_ISA", "fast", 1);
    assert_int_equal(kernels_select(NULL, &err), -1);
    assert_non_null(strstr(err.text, "SWEEPSTAKE_ISA"));
    assert_string_equal(kernels_isa(), "portable");
    unsetenv("SWEEPSTAKE_ISA");
    assert_int_equal(kernels_select(NULL, &err), 0);
    assert_non_null(kernels_find(kernels_isa()));
    assert_true(strlen(kernels_blas_core()) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_match_the_reference),
        cmocka_unit_test(products_add_up),
        cmocka_unit_test(product_bits_depend_on_values_alone),
        cmocka_unit_test(transposes_are_exact),
        cmocka_unit_test(elementwise_kernels_match_the_reference),
        cmocka_unit_test(rectifiers_let_nan_through),
        cmocka_unit_test(losses_match_the_reference),
        cmocka_unit_test(ties_and_broken_logits),
        cmocka_unit_test(updates_match_the_reference),
        cmocka_unit_test(an_instruction_set_is_chosen_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
