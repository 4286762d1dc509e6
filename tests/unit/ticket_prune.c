/* Which weights go: against a plain sort on hard inputs, ties, NaN, scopes, fractions, bad rules.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ticket/ticket.h"

#define MOST 4096

/* Two prunable layers, an output layer and a bias, with gaps: 100, 37, 20 and 5 elements. */
static const struct parameter_spec three_layers[] = {
    {.role = PARAMETER_CONV, .is_weight = true, .is_prunable = true, .count = 100, .offset = 0},
    {.role = PARAMETER_FC, .is_weight = true, .is_prunable = true, .count = 37, .offset = 112},
    {.role = PARAMETER_BIAS, .count = 5, .offset = 160},
    {.role = PARAMETER_OUTPUT, .is_weight = true, .is_prunable = true, .count = 20, .offset = 176},
};
enum { LAYERS = 4, BLOCK = 208 };

static const struct ticket_rule plain = {TICKET_MAGNITUDE, TICKET_LAYER, 0.2, 0.2, 0.1, 1, NAN};

static int64_t kept_in(const uint8_t *mask, int parameter)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < three_layers[parameter].count; i++)
        kept += mask[three_layers[parameter].offset + i];
    return kept;
}

static void prune(const struct ticket_rule *rule, const float *weights, const uint8_t *parent,
                  uint8_t *mask)
{
    struct error err = {0};
    memset(mask, 0xaa, BLOCK);
    if (ticket_prune(three_layers, LAYERS, rule, weights, parent, mask, &err) != 0)
        fail_msg("%s", err.text);
    for (int i = 0; i < BLOCK; i++)
        assert_true(mask[i] <= 1);
}

/* --- against a plain sort --- */

struct ranked {
    float magnitude;
    int index;
};

static int by_magnitude(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    bool a_nan = isnan(a->magnitude), b_nan = isnan(b->magnitude);
    if (a_nan != b_nan)
        return a_nan - b_nan;
    if (!a_nan && a->magnitude != b->magnitude)
        return a->magnitude < b->magnitude ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static void prune_by_sorting(const float *weights, const uint8_t *parent, int count, double rate,
                             uint8_t *mask)
{
    static struct ranked ranked[MOST];
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (parent[i])
            ranked[kept++] = (struct ranked){fabsf(weights[i]), i};
    qsort(ranked, (size_t)kept, sizeof *ranked, by_magnitude);
    memcpy(mask, parent, (size_t)count);
    for (int i = 0; i < (int)floor(rate * kept + 0.5); i++)
        mask[ranked[i].index] = 0;
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Values that selections get wrong: few distinct magnitudes, both zeros, denormals, neighbours in
 * the last bit, infinities, NaNs of both signs, and any bits at all. */
static float hard_value(int kind, uint64_t *state)
{
    static const float special[] = {0.0f, -0.0f, FLT_TRUE_MIN, -FLT_TRUE_MIN, FLT_MIN,  -FLT_MIN,
                                    1.0f, -1.0f, FLT_MAX,      -FLT_MAX,      INFINITY, -INFINITY,
                                    NAN,  -NAN,  0x1p-100f,    0.1f};
    uint32_t bits = next_random(state);
    float value;
    switch (kind) {
    case 0:
        return (float)((int)(bits % 7) - 3);
    case 1:
        return special[bits % 16];
    case 2:
        bits = 0x3f800000 + bits % 5 + (bits & 0x80000000);
        break;
    case 3:
        bits = bits % 4096;
        break;
    default:
        bits ^= next_random(state) << 1;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void test_selection_equals_sorting(void **state)
{
    (void)state;
    static float weights[MOST];
    static uint8_t parent[MOST], mask[MOST], expected[MOST];
    uint64_t random = 1;
    for (int trial = 0; trial < 600; trial++) {
        int count = 1 + (int)(next_random(&random) % (trial % 10 == 0 ? MOST : 200));
        struct parameter_spec layer = {
            .role = PARAMETER_FC, .is_weight = true, .is_prunable = true, .count = count};
        for (int i = 0; i < count; i++) {
            weights[i] = hard_value(trial % 6, &random);
            parent[i] = next_random(&random) % 4 > 0;
        }
        parent[0] = 1;
        memset(parent + count, 1, (size_t)((16 - count % 16) % 16));
        struct ticket_rule rule = plain;
        rule.rate_fc = (double)(next_random(&random) % 49) / 100;
        rule.scope = trial % 2 ? TICKET_GLOBAL : TICKET_LAYER;
        assert_int_equal(ticket_prune(&layer, 1, &rule, weights, parent, mask, NULL), 0);
        prune_by_sorting(weights, parent, count, rule.rate_fc, expected);
        assert_memory_equal(mask, expected, (size_t)count);
    }
}

/* --- ties --- */

static void test_equal_magnitudes_go_by_index(void **state)
{
    (void)state;
    float weights[BLOCK];
    uint8_t mask[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        weights[i] = i % 2 ? 0.5f : -0.5f;
    prune(&plain, weights, NULL, mask);
    for (int i = 0; i < 100; i++)
        assert_int_equal(mask[i], i >= 20);
    for (int i = 0; i < 37; i++)
        assert_int_equal(mask[112 + i], i >= 7);
    for (int i = 0; i < 20; i++)
        assert_int_equal(mask[176 + i], i >= 2);
}

static void test_global_ties_go_in_block_order(void **state)
{
    (void)state;
    float weights[BLOCK];
    uint8_t mask[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        weights[i] = 1.0f;
    struct ticket_rule rule = {TICKET_MAGNITUDE, TICKET_GLOBAL, 0.7, 0.7, 0.7, 1, NAN};
    prune(&rule, weights, NULL, mask); /* 110 of 157 */
    assert_int_equal(kept_in(mask, 0), 0);
    assert_int_equal(kept_in(mask, 1), 27);
    assert_int_equal(mask[112 + 9], 0);
    assert_int_equal(mask[112 + 10], 1);
    assert_int_equal(kept_in(mask, 3), 20);
}

static void test_zeros_of_both_signs_tie(void **state)
{
    (void)state;
    float weights[BLOCK];
    uint8_t mask[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        weights[i] = 1.0f;
    for (int i = 30; i < 70; i++)
        weights[i] = i % 3 ? 0.0f : -0.0f;
    prune(&plain, weights, NULL, mask);
    for (int i = 0; i < 100; i++)
        assert_int_equal(mask[i], i < 30 || i >= 50);
}

static void test_nan_outlives_infinity(void **state)
{
    (void)state;
    float weights[BLOCK] = {0};
    uint8_t mask[BLOCK];
    for (int i = 0; i < 20; i++)
        weights[176 + i] = i < 10 ? (i % 2 ? NAN : -NAN) : INFINITY;
    struct ticket_rule rule = plain;
    rule.rate_output = 0.6;
    prune(&rule, weights, NULL, mask);
    for (int i = 0; i < 20; i++)
        assert_int_equal(mask[176 + i], i >= 2 && i < 10);
}

/* --- scopes, rates, fractions --- */

static void ramp(float *weights)
{
    for (int i = 0; i < BLOCK; i++)
        weights[i] = (float)((i * 83) % 211 + 1) * (i % 2 ? -0.01f : 0.01f);
}

static void test_global_scope_ranks_layers_together(void **state)
{
    (void)state;
    float weights[BLOCK];
    uint8_t mask[BLOCK];
    ramp(weights);
    for (int i = 0; i < 37; i++)
        weights[112 + i] *= 0.001f;
    struct ticket_rule rule = {TICKET_MAGNITUDE, TICKET_GLOBAL, 0.2, 0.1, 0.2, 1, NAN};
    prune(&rule, weights, NULL, mask); /* the largest rate: 31 of 157 */
    assert_int_equal(kept_in(mask, 0), 100);
    assert_int_equal(kept_in(mask, 1), 37 - 31);
    assert_int_equal(kept_in(mask, 3), 20);
}

static void test_rate_zero_is_never_pruned(void **state)
{
    (void)state;
    float weights[BLOCK] = {0};
    uint8_t mask[BLOCK];
    struct ticket_rule rule = {TICKET_MAGNITUDE, TICKET_GLOBAL, 0.2, 0, 0, 1, NAN};
    for (int scope = TICKET_LAYER; scope <= TICKET_GLOBAL; scope++) {
        rule.scope = (enum ticket_scope)scope;
        prune(&rule, weights, NULL, mask);
        assert_int_equal(kept_in(mask, 0), 80);
        assert_int_equal(kept_in(mask, 1), 37);
        assert_int_equal(kept_in(mask, 3), 20);
    }
    int64_t remaining, total;
    ticket_count(three_layers, LAYERS, mask, &remaining, &total);
    assert_int_equal(remaining, 137);
    assert_int_equal(total, 157);
}

static void test_one_shot_takes_the_counts_of_the_rounds(void **state)
{
    (void)state;
    float weights[BLOCK];
    uint8_t mask[BLOCK], parent[BLOCK], next[BLOCK];
    ramp(weights);
    for (int scope = TICKET_LAYER; scope <= TICKET_GLOBAL; scope++) {
        struct ticket_rule rule = plain;
        rule.scope = (enum ticket_scope)scope;
        memset(parent, 1, sizeof parent);
        for (int32_t round = 1; round <= 8; round++) {
            prune(&rule, weights, parent, next);
            struct ticket_rule one_shot = rule;
            one_shot.rounds = round;
            prune(&one_shot, weights, NULL, mask);
            /* The same weights rank the same, so that even the places agree. */
            assert_memory_equal(mask, next, BLOCK);
            memcpy(parent, next, BLOCK);
        }
    }
}

static void test_fraction_is_shared_by_rate(void **state)
{
    (void)state;
    float weights[BLOCK];
    uint8_t mask[BLOCK], deeper[BLOCK];
    ramp(weights);
    struct ticket_rule rule = plain;
    rule.fraction = 0.5;
    prune(&rule, weights, NULL, mask);
    assert_int_equal(kept_in(mask, 0), 50);
    assert_int_equal(kept_in(mask, 1), 37 - 19);
    assert_int_equal(kept_in(mask, 3), 15);
    rule.fraction = 0.95;
    prune(&rule, weights, mask, deeper); /* of all, whatever went before */
    assert_int_equal(kept_in(deeper, 0), 5);
    assert_int_equal(kept_in(deeper, 1), 2);
    assert_int_equal(kept_in(deeper, 3), 10);
    rule.fraction = 0.125; /* less than has gone: nothing changes */
    float zeros[BLOCK] = {0};
    uint8_t same[BLOCK];
    prune(&rule, zeros, deeper, same);
    assert_memory_equal(same, deeper, BLOCK);
}

static void test_global_fraction_is_of_the_pool(void **state)
{
    (void)state;
    float weights[BLOCK];
    uint8_t mask[BLOCK];
    ramp(weights);
    struct ticket_rule rule = {TICKET_MAGNITUDE, TICKET_GLOBAL, 0.2, 0.2, 0, 1, 0.25};
    prune(&rule, weights, NULL, mask); /* 34 of 137 */
    assert_int_equal(kept_in(mask, 0) + kept_in(mask, 1), 103);
    assert_int_equal(kept_in(mask, 3), 20);
}

/* --- what is refused --- */

static void assert_refused(struct ticket_rule rule, enum error_class class, const char *words)
{
    float weights[BLOCK] = {0};
    uint8_t mask[BLOCK];
    struct error err = {0};
    assert_int_equal(ticket_prune(three_layers, LAYERS, &rule, weights, NULL, mask, &err), -1);
    assert_int_equal(err.class, class);
    if (!strstr(err.text, words))
        fail_msg("'%s' does not say '%s'", err.text, words);
}

static void test_bad_rules_are_refused(void **state)
{
    (void)state;
    struct ticket_rule rule = plain;
    rule.rate_conv = 1;
    assert_refused(rule, ERROR_USAGE, "not 1");
    rule.rate_conv = -0.1;
    assert_refused(rule, ERROR_USAGE, "not -0.1");
    rule.rate_conv = NAN;
    assert_refused(rule, ERROR_USAGE, "rate");
    rule = plain;
    rule.rounds = 0;
    assert_refused(rule, ERROR_USAGE, "round");
    rule = plain;
    rule.fraction = 1.5;
    assert_refused(rule, ERROR_USAGE, "1.5");
}

static void test_an_empty_network_is_an_error(void **state)
{
    (void)state;
    struct ticket_rule rule = {TICKET_MAGNITUDE, TICKET_GLOBAL, 0.5, 0.5, 0.5, 1, 1.0};
    assert_refused(rule, ERROR_TASK, "none of the network's 157 weights");
    struct ticket_rule layer = {TICKET_MAGNITUDE, TICKET_LAYER, 0.8, 0.8, 0, 60, NAN};
    float weights[BLOCK] = {0};
    uint8_t mask[BLOCK];
    prune(&layer, weights, NULL, mask); /* single layers may go */
    assert_int_equal(kept_in(mask, 0), 0);
    assert_int_equal(kept_in(mask, 3), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_selection_equals_sorting),
        cmocka_unit_test(test_equal_magnitudes_go_by_index),
        cmocka_unit_test(test_global_ties_go_in_block_order),
        cmocka_unit_test(test_zeros_of_both_signs_tie),
        cmocka_unit_test(test_nan_outlives_infinity),
        cmocka_unit_test(test_global_scope_ranks_layers_together),
        cmocka_unit_test(test_rate_zero_is_never_pruned),
        cmocka_unit_test(test_one_shot_takes_the_counts_of_the_rounds),
        cmocka_unit_test(test_fraction_is_shared_by_rate),
        cmocka_unit_test(test_global_fraction_is_of_the_pool),
        cmocka_unit_test(test_bad_rules_are_refused),
        cmocka_unit_test(test_an_empty_network_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
