/* The random numbers are part of the format: what is frozen here may never change. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

static const struct rng_stream example = {.seed = 42, .purpose = RNG_INIT, .draw = 0};

/* Random123's kat_vectors, philox4x32 with 10 rounds. */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        struct rng_stream stream;
        uint64_t index;
        uint32_t expected[4];
    } cases[] = {
        {{0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{UINT64_MAX, UINT32_MAX, UINT32_MAX},
         UINT64_MAX,
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x299f31d0a4093822, 0x13198a2e, 0x03707344},
         0x85a308d3243f6a88,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t words[4];
        rng_block(cases[i].stream, cases[i].index, words);
        assert_memory_equal(words, cases[i].expected, sizeof words);
        assert_int_equal(rng_u32(cases[i].stream, cases[i].index), cases[i].expected[0]);
    }
}

static void test_streams_are_separate(void **state)
{
    (void)state;
    struct rng_stream streams[4] = {example, example, example, example};
    streams[1].seed = 43;
    streams[2].purpose = RNG_ORDER;
    streams[3].draw = 1;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            assert_int_not_equal(rng_u32(streams[i], 0), rng_u32(streams[j], 0));
}

static void test_uniform(void **state)
{
    (void)state;
    static const float frozen[4] = {0x1.499b8p-7f, 0x1.07fc88p-3f, 0x1.b3cap-3f, 0x1.e8dc7p-4f};
    double sum = 0;
    for (uint64_t i = 0; i < 4; i++)
        assert_true(rng_uniform(example, i) == frozen[i]);
    for (uint64_t i = 0; i < 100000; i++) {
        float x = rng_uniform(example, i);
        assert_true(x >= 0 && x < 1);
        sum += (double)x;
    }
    assert_true(fabs(sum / 100000 - 0.5) < 0.005);
}

static void test_below(void **state)
{
    (void)state;
    static const uint64_t frozen[4] = {126, 991, 122, 680};
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(rng_below(example, i, 1000), frozen[i]);
    assert_int_equal(rng_below(example, 7, 1), 0);
    assert_true(rng_below(example, 7, UINT64_MAX) > UINT32_MAX);
    int counts[6] = {0};
    for (uint64_t i = 0; i < 60000; i++)
        counts[rng_below(example, i, 6)]++;
    for (int face = 0; face < 6; face++)
        assert_in_range(counts[face], 9600, 10400); /* four standard deviations */
}

static void test_normal_is_frozen(void **state)
{
    (void)state;
    static const float frozen[5] = {-0x1.f19ddap-2f, -0x1.f9be3ep+0f, 0x1.45fafap-6f,
                                    0x1.08ad9cp-3f, -0x1.1797c4p+0f};
    float got[5];
    rng_normal(example, 0, got, 5);
    assert_memory_equal(got, frozen, sizeof got);
}

/* The first `count` numbers do not depend on where a range starts or how it is cut. */
static void test_normal_ranges(void **state)
{
    (void)state;
    enum { COUNT = 64 };
    float whole[COUNT], part[COUNT];
    rng_normal(example, 0, whole, COUNT);
    for (size_t first = 0; first <= COUNT; first++)
        for (size_t count = 0; first + count <= COUNT; count++) {
            part[count % COUNT] = -99;
            rng_normal(example, first, part, count);
            assert_memory_equal(part, whole + first, count * sizeof part[0]);
            if (count < COUNT) /* nothing is written behind the range */
                assert_true(part[count] == -99);
        }
}

/* Against Box-Muller as libm computes it. */
static void test_normal_against_libm(void **state)
{
    (void)state;
    enum { BLOCKS = 50000 };
    double sum[4] = {0};
    for (uint64_t block = 0; block < BLOCKS; block++) {
        uint32_t words[4];
        float pair[2];
        rng_block(example, block, words);
        rng_normal(example, 2 * block, pair, 2);
        uint64_t first = (uint64_t)words[1] << 32 | words[0];
        uint64_t second = (uint64_t)words[3] << 32 | words[2];
        double radius = sqrt(-2 * log((double)((first >> 11) + 1) * 0x1p-53));
        double angle = 2 * acos(-1.0) * 0x1p-64 * (double)second;
        assert_true(fabs((double)pair[0] - radius * cos(angle)) < 3e-7);
        assert_true(fabs((double)pair[1] - radius * sin(angle)) < 3e-7);
        for (int moment = 0; moment < 4; moment++)
            sum[moment] += pow((double)pair[0], moment + 1) + pow((double)pair[1], moment + 1);
    }
    static const double expected[4] = {0, 1, 0, 3};
    for (int moment = 0; moment < 4; moment++)
        assert_true(fabs(sum[moment] / (2 * BLOCKS) - expected[moment]) < 0.05);
}

static void test_permutation_is_frozen(void **state)
{
    (void)state;
    static const uint32_t frozen[2][8] = {{6, 1, 0, 4, 7, 5, 3, 2}, {6, 3, 5, 7, 2, 0, 1, 4}};
    uint32_t got[8];
    for (uint32_t salt = 0; salt < 2; salt++) {
        rng_permutation(example, salt, got, 8);
        assert_memory_equal(got, frozen[salt], sizeof got);
    }
    rng_permutation(example, 0, got, 0);
    rng_permutation(example, 0, got, 1);
    assert_int_equal(got[0], 0);
}

static void test_permutation_is_complete(void **state)
{
    (void)state;
    enum { COUNT = 55000 };
    uint32_t *order = malloc(COUNT * sizeof *order);
    unsigned char *seen = calloc(COUNT, 1);
    assert_non_null(order);
    assert_non_null(seen);
    rng_permutation(example, 9, order, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(order[i] < COUNT && !seen[order[i]]);
        seen[order[i]] = 1;
    }
    free(order);
    free(seen);
}

/* Each of the 24 orders of four things comes up equally often. */
static void test_permutation_is_fair(void **state)
{
    (void)state;
    enum { DRAWS = 24000 };
    int counts[256] = {0}, orders = 0;
    for (uint32_t salt = 0; salt < DRAWS; salt++) {
        uint32_t order[4];
        rng_permutation(example, salt, order, 4);
        counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
    }
    for (int i = 0; i < 256; i++)
        if (counts[i] > 0) {
            orders++;
            assert_in_range(counts[i], 860, 1140);
        }
    assert_int_equal(orders, 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_streams_are_separate),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_normal_is_frozen),
        cmocka_unit_test(test_normal_ranges),
        cmocka_unit_test(test_normal_against_libm),
        cmocka_unit_test(test_permutation_is_frozen),
        cmocka_unit_test(test_permutation_is_complete),
        cmocka_unit_test(test_permutation_is_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
