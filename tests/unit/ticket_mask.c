/* Random masks, counting and applying. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "ticket/ticket.h"

enum { FIRST = 1000, SECOND = 90, BLOCK = 1008 + 16 + 96 };
static const struct parameter_spec two_layers[] = {
    {.role = PARAMETER_FC, .is_weight = true, .is_prunable = true, .count = FIRST, .offset = 0},
    {.role = PARAMETER_BIAS, .count = 9, .offset = 1008},
    {.role = PARAMETER_OUTPUT,
     .is_weight = true,
     .is_prunable = true,
     .count = SECOND,
     .offset = 1024},
};

static const struct rng_stream stream = {.seed = 7, .purpose = RNG_MASK, .draw = 1};

/* The mask at a level of iterative pruning of weights that shrink towards the end. */
static void mask_at_level(int32_t level, uint8_t *mask)
{
    float weights[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        weights[i] = (float)(BLOCK - i);
    struct ticket_rule rule = {TICKET_MAGNITUDE, TICKET_LAYER, 0, 0.2, 0.1, level, NAN};
    assert_int_equal(ticket_prune(two_layers, 3, &rule, weights, NULL, mask, NULL), 0);
}

static void draw(const uint8_t *mask, struct rng_stream from, uint8_t *random_mask)
{
    memset(random_mask, 0xaa, BLOCK);
    assert_int_equal(ticket_random_mask(two_layers, 3, mask, from, random_mask, NULL), 0);
}

static int64_t sum(const uint8_t *mask, int64_t count)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++)
        kept += mask[i];
    return kept;
}

static void test_random_mask_has_the_counts(void **state)
{
    (void)state;
    uint8_t mask[BLOCK], random[BLOCK];
    for (int32_t level = 1; level <= 12; level++) {
        mask_at_level(level, mask);
        draw(mask, stream, random);
        assert_int_equal(sum(random, FIRST), sum(mask, FIRST));
        assert_int_equal(sum(random + 1024, SECOND), sum(mask + 1024, SECOND));
        assert_int_equal(sum(random + FIRST, 1024 - FIRST), 1024 - FIRST);
        assert_memory_not_equal(random, mask, BLOCK);
    }
}

static void test_random_masks_nest(void **state)
{
    (void)state;
    uint8_t mask[BLOCK], above[BLOCK], random[BLOCK];
    memset(above, 1, sizeof above);
    for (int32_t level = 1; level <= 15; level++) {
        mask_at_level(level, mask);
        draw(mask, stream, random);
        for (int i = 0; i < BLOCK; i++)
            assert_true(random[i] <= above[i]);
        memcpy(above, random, sizeof above);
    }
}

static void test_draws_and_layers_differ(void **state)
{
    (void)state;
    uint8_t mask[BLOCK], random[BLOCK], other[BLOCK];
    mask_at_level(3, mask);
    draw(mask, stream, random);
    struct rng_stream second = stream;
    second.draw = 2;
    draw(mask, second, other);
    assert_memory_not_equal(random, other, FIRST);
    draw(mask, stream, other);
    assert_memory_equal(random, other, BLOCK);

    /* Two layers of one shape get different places. */
    struct parameter_spec twins[2] = {two_layers[0], two_layers[0]};
    twins[1].offset = 1008;
    static uint8_t half[2016], drawn[2016];
    memset(half, 1, sizeof half);
    memset(half, 0, 500);
    memset(half + 1008, 0, 500);
    assert_int_equal(ticket_random_mask(twins, 2, half, stream, drawn, NULL), 0);
    assert_memory_not_equal(drawn, drawn + 1008, FIRST);
}

static void test_every_place_is_drawn_alike(void **state)
{
    (void)state;
    enum { DRAWS = 2000, COUNT = 50 };
    struct parameter_spec layer = two_layers[0];
    layer.count = COUNT;
    uint8_t mask[64], random[64];
    memset(mask, 1, sizeof mask);
    memset(mask, 0, COUNT / 2);
    int times[COUNT] = {0};
    for (uint32_t d = 0; d < DRAWS; d++) {
        struct rng_stream from = {.seed = 1, .purpose = RNG_MASK, .draw = d};
        assert_int_equal(ticket_random_mask(&layer, 1, mask, from, random, NULL), 0);
        for (int i = 0; i < COUNT; i++)
            times[i] += random[i];
    }
    for (int i = 0; i < COUNT; i++) /* 1000 +- 22: six sigma */
        assert_in_range(times[i], 1000 - 134, 1000 + 134);
}

/* Part of what a result means: a change of these bits changes every random-mask control. */
static void test_random_mask_is_frozen(void **state)
{
    (void)state;
    uint8_t mask[BLOCK], random[BLOCK];
    mask_at_level(5, mask);
    draw(mask, stream, random);
    char hex[HASH_HEX_SIZE];
    hash128_hex(hash128_of(random, sizeof random), hex);
    assert_string_equal(hex, "4ebeeb59511ad2cea54505375c3e0931");
}

static void test_counting_leaves_biases_out(void **state)
{
    (void)state;
    uint8_t mask[BLOCK];
    int64_t remaining, total;
    ticket_count(two_layers, 3, NULL, &remaining, &total);
    assert_int_equal(remaining, FIRST + SECOND);
    assert_int_equal(total, FIRST + SECOND);
    mask_at_level(1, mask);
    ticket_count(two_layers, 3, mask, &remaining, &total);
    assert_int_equal(remaining, 800 + 81);
    assert_int_equal(total, FIRST + SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_mask_has_the_counts),
        cmocka_unit_test(test_random_masks_nest),
        cmocka_unit_test(test_draws_and_layers_differ),
        cmocka_unit_test(test_every_place_is_drawn_alike),
        cmocka_unit_test(test_random_mask_is_frozen),
        cmocka_unit_test(test_counting_leaves_biases_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
