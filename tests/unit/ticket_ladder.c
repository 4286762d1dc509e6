/* The counts of the paper: which percentage of the weights each network of Frankle & Carbin 2019
 * has left after a round, by pruning networks of exactly those layers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ticket/ticket.h"

/* Layers that come several times in a row have `times` > 1. */
struct row {
    enum parameter_role role;
    int64_t count;
    int times;
    bool never; /* not prunable */
};

#define CONV(in, out, times)                                                                       \
    {                                                                                              \
        PARAMETER_CONV, INT64_C(9) * (in) * (out), times, false                                    \
    }
#define SHORTCUT(in, out)                                                                          \
    {                                                                                              \
        PARAMETER_CONV, INT64_C(1) * (in) * (out), 1, true                                         \
    }
#define FC(in, out)                                                                                \
    {                                                                                              \
        PARAMETER_FC, INT64_C(1) * (in) * (out), 1, false                                          \
    }
#define OUTPUT(in, out)                                                                            \
    {                                                                                              \
        PARAMETER_OUTPUT, INT64_C(1) * (in) * (out), 1, false                                      \
    }

struct model {
    const char *name;
    struct row rows[16];
    int64_t weights;
    struct ticket_rule rule;
    struct {
        int32_t round;
        double percent;
    } ladder[8];
};

#define LAYERS(conv, fc, output)                                                                   \
    {                                                                                              \
        TICKET_MAGNITUDE, TICKET_LAYER, conv, fc, output, 1, NAN                                   \
    }
#define GLOBAL(conv)                                                                               \
    {                                                                                              \
        TICKET_MAGNITUDE, TICKET_GLOBAL, conv, 0, 0, 1, NAN                                        \
    }

static const struct model lenet = {
    "lenet-300-100",
    {FC(784, 300), FC(300, 100), OUTPUT(100, 10)},
    266200,
    LAYERS(0, 0.2, 0.1),
    {{3, 51.28}, {7, 21.07}, {9, 13.52}, {12, 6.95}, {15, 3.58}, {18, 1.85}}};
static const struct model conv_2 = {
    "conv-2",
    {CONV(3, 64, 1), CONV(64, 64, 1), FC(16384, 256), FC(256, 256), OUTPUT(256, 10)},
    4300992,
    LAYERS(0.1, 0.2, 0.1),
    {{11, 8.81}, {14, 4.57}}};
static const struct model conv_4 = {"conv-4",
                                    {CONV(3, 64, 1), CONV(64, 64, 1), CONV(64, 128, 1),
                                     CONV(128, 128, 1), FC(8192, 256), FC(256, 256),
                                     OUTPUT(256, 10)},
                                    2425024,
                                    LAYERS(0.1, 0.2, 0.1),
                                    {{11, 11.06}, {12, 9.18}}};
static const struct model conv_6 = {"conv-6",
                                    {CONV(3, 64, 1), CONV(64, 64, 1), CONV(64, 128, 1),
                                     CONV(128, 128, 1), CONV(128, 256, 1), CONV(256, 256, 1),
                                     FC(4096, 256), FC(256, 256), OUTPUT(256, 10)},
                                    2261184,
                                    LAYERS(0.15, 0.2, 0.1),
                                    {{7, 26.61}, {10, 15.29}}};
static const struct model resnet_18 = {"resnet-18",
                                       {CONV(3, 16, 1), CONV(16, 16, 6), CONV(16, 32, 1),
                                        CONV(32, 32, 5), SHORTCUT(16, 32), CONV(32, 64, 1),
                                        CONV(64, 64, 5), SHORTCUT(32, 64), OUTPUT(64, 10)},
                                       267696 + 3200,
                                       GLOBAL(0.2),
                                       {{4, 41.66}, {6, 27.09}, {7, 21.91}, {10, 11.79}}};
static const struct model vgg_19 = {"vgg-19",
                                    {CONV(3, 64, 1), CONV(64, 64, 1), CONV(64, 128, 1),
                                     CONV(128, 128, 1), CONV(128, 256, 1), CONV(256, 256, 3),
                                     CONV(256, 512, 1), CONV(512, 512, 7), OUTPUT(512, 10)},
                                    20018880 + 5120,
                                    GLOBAL(0.2),
                                    {{12, 6.90}, {15, 3.54}, {19, 1.47}}};

/* A network's parameters as a block: each layer's weights and a small bias. */
struct block {
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    int count;
    int64_t size;
    float *weights;
    uint8_t *mask, *next;
};

static void add_parameter(struct block *block, enum parameter_role role, int64_t count,
                          bool prunable)
{
    block->parameters[block->count++] = (struct parameter_spec){.role = role,
                                                                .is_weight = role != PARAMETER_BIAS,
                                                                .is_prunable = prunable,
                                                                .count = count,
                                                                .offset = block->size};
    block->size += (count + 15) / 16 * 16;
}

static void block_begin(struct block *block, const struct model *model)
{
    *block = (struct block){.count = 0};
    for (const struct row *row = model->rows; row->count > 0; row++) {
        for (int i = 0; i < row->times; i++) {
            add_parameter(block, row->role, row->count, !row->never);
            add_parameter(block, PARAMETER_BIAS, 10, false);
        }
    }
    block->weights = malloc((size_t)block->size * sizeof(float));
    block->mask = malloc((size_t)block->size);
    block->next = malloc((size_t)block->size);
    memset(block->mask, 1, (size_t)block->size);
    for (int64_t i = 0; i < block->size; i++) {
        uint64_t hash = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);
        block->weights[i] = (float)(int32_t)(hash >> 32) * 0x1p-31f;
    }
}

static void block_end(struct block *block)
{
    free(block->weights);
    free(block->mask);
    free(block->next);
}

static double percent(const struct block *block, const uint8_t *mask)
{
    int64_t remaining, total;
    ticket_count(block->parameters, block->count, mask, &remaining, &total);
    return 100.0 * (double)remaining / (double)total;
}

static void assert_percent(const struct model *model, int32_t round, double printed, double found)
{
    if (!(fabs(found - printed) <= 0.005))
        fail_msg("%s round %d: %.4f%% remain, the paper has %.2f%%", model->name, round, found,
                 printed);
}

static void check_one_shot(const struct model *model)
{
    struct block block;
    block_begin(&block, model);
    int64_t remaining, total;
    ticket_count(block.parameters, block.count, NULL, &remaining, &total);
    assert_int_equal(total, model->weights);
    for (int i = 0; i < 8 && model->ladder[i].round; i++) {
        struct ticket_rule rule = model->rule;
        rule.rounds = model->ladder[i].round;
        assert_int_equal(ticket_prune(block.parameters, block.count, &rule, block.weights, NULL,
                                      block.next, NULL),
                         0);
        assert_percent(model, rule.rounds, model->ladder[i].percent, percent(&block, block.next));
    }
    block_end(&block);
}

/* Round after round: the ladder, the counts of the one-shot rule, and nesting. */
static void check_iterative(const struct model *model)
{
    struct block block;
    block_begin(&block, model);
    int at = 0;
    for (int32_t round = 1; at < 8 && model->ladder[at].round; round++) {
        assert_int_equal(ticket_prune(block.parameters, block.count, &model->rule, block.weights,
                                      block.mask, block.next, NULL),
                         0);
        for (int64_t i = 0; i < block.size; i++)
            assert_true(block.next[i] <= block.mask[i]);
        uint8_t *other = block.mask;
        block.mask = block.next;
        block.next = other;
        if (model->ladder[at].round == round)
            assert_percent(model, round, model->ladder[at++].percent, percent(&block, block.mask));
    }
    block_end(&block);
}

static void test_small_networks_round_by_round(void **state)
{
    (void)state;
    check_iterative(&lenet);
    check_iterative(&resnet_18);
}

static void test_all_networks_at_once(void **state)
{
    (void)state;
    check_one_shot(&lenet);
    check_one_shot(&conv_2);
    check_one_shot(&conv_4);
    check_one_shot(&conv_6);
    check_one_shot(&resnet_18);
    check_one_shot(&vgg_19);
}

static void test_named_lenet_has_the_ladder(void **state)
{
    (void)state;
    struct net_spec spec;
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    struct shape input = {1, 28, 28};
    assert_int_equal(net_spec_named("lenet-300-100", input, 10, 0, &spec, NULL), 0);
    int count = net_spec_parameters(&spec, parameters, NULL);
    size_t size = (size_t)net_spec_block_size(&spec);
    float *weights = malloc(size * sizeof *weights);
    uint8_t *mask = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        weights[i] = (float)(i % 1009) - 504.0f;
    for (int i = 0; lenet.ladder[i].round; i++) {
        struct ticket_rule rule = lenet.rule;
        rule.rounds = lenet.ladder[i].round;
        memset(mask, 0xaa, size + 1);
        assert_int_equal(ticket_prune(parameters, count, &rule, weights, NULL, mask, NULL), 0);
        assert_int_equal(mask[size], 0xaa);
        for (size_t e = 0; e < size; e++)
            assert_true(mask[e] <= 1);
        int64_t remaining, total;
        ticket_count(parameters, count, mask, &remaining, &total);
        assert_percent(&lenet, rule.rounds, lenet.ladder[i].percent,
                       100.0 * (double)remaining / (double)total);
    }
    free(weights);
    free(mask);
}

static void test_one_round_rounds_half_up(void **state)
{
    (void)state;
    assert_int_equal(ticket_remaining(1000, 0.1, 1), 900);
    assert_int_equal(ticket_remaining(5, 0.1, 1), 4);   /* 0.5 is one weight */
    assert_int_equal(ticket_remaining(4, 0.1, 1), 4);   /* 0.4 is none */
    assert_int_equal(ticket_remaining(10, 0.25, 1), 7); /* 2.5 is three */
    assert_int_equal(ticket_remaining(1, 0.2, 100), 1);
    assert_int_equal(ticket_remaining(1, 0.8, 1), 0);
    assert_int_equal(ticket_remaining(235200, 0.2, 0), 235200);
    assert_int_equal(ticket_remaining(1000, 0.1, 3), 729);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_round_rounds_half_up),
        cmocka_unit_test(test_named_lenet_has_the_ladder),
        cmocka_unit_test(test_small_networks_round_by_round),
        cmocka_unit_test(test_all_networks_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
