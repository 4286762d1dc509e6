/* A small world to train in: 4 x 4 pictures of three classes that a line can tell apart, and a
 * network with one hidden layer. */
#ifndef SWEEPSTAKE_TESTS_TRAIN_SUPPORT_H
#define SWEEPSTAKE_TESTS_TRAIN_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nn_blocks.h"
#include "train/train.h"

#include "../../src/data/evaluation.h"

enum { FEATURES = 16, CLASSES = 3, TRAIN = 600, VALIDATION = 150, TEST = 300 };
enum { EVALUATE_BATCH = 128 };

struct world {
    uint8_t train_images[(TRAIN + VALIDATION) * FEATURES], train_labels[TRAIN + VALIDATION];
    uint8_t test_images[TEST * FEATURES], test_labels[TEST];
    uint32_t train_index[TRAIN], validation_index[VALIDATION];
    struct dataset dataset;
    struct network *net;
    int64_t size;   /* of the parameter block */
    float *initial; /* the weights runs start from */
};

/* A bright row tells the class; the others are dim, and all are noisy. */
static inline void make_examples(uint32_t draw, int count, uint8_t *images, uint8_t *labels)
{
    struct rng_stream stream = {.seed = 5, .purpose = RNG_GENERATOR, .draw = draw};
    for (int i = 0; i < count; i++) {
        labels[i] = (uint8_t)rng_below(stream, (uint64_t)i * (FEATURES + 1), CLASSES);
        for (int f = 0; f < FEATURES; f++) {
            uint64_t noise = rng_below(stream, (uint64_t)i * (FEATURES + 1) + 1 + (uint64_t)f, 120);
            images[i * FEATURES + f] = (uint8_t)(noise + (f / 4 == labels[i] ? 90 : 0));
        }
    }
}

static inline void world_begin(struct world *world, double dropout)
{
    memset(world, 0, sizeof *world);
    make_examples(0, TRAIN + VALIDATION, world->train_images, world->train_labels);
    make_examples(1, TEST, world->test_images, world->test_labels);
    uint32_t kept = 0, held_out = 0;
    for (uint32_t i = 0; i < TRAIN + VALIDATION; i++) {
        if (i % 5 == 2)
            world->validation_index[held_out++] = i;
        else
            world->train_index[kept++] = i;
    }
    world->dataset = (struct dataset){.info = {.channels = 1,
                                               .height = 4,
                                               .width = 4,
                                               .classes = CLASSES,
                                               .train = TRAIN,
                                               .validation = VALIDATION,
                                               .test = TEST},
                                      .train_images = world->train_images,
                                      .train_labels = world->train_labels,
                                      .test_images = world->test_images,
                                      .test_labels = world->test_labels,
                                      .train_index = world->train_index,
                                      .validation_index = world->validation_index};
    assert_int_equal(evaluation_prepare(&world->dataset, NULL), 0);
    struct shape input = {1, 4, 4};
    struct net_options options = {.train_batch = 20, .evaluate_batch = EVALUATE_BATCH};
    struct net_spec spec;
    assert_int_equal(net_spec_named("fc-24", input, CLASSES, dropout, &spec, NULL), 0);
    world->net = net_create(&spec, options, NULL);
    assert_non_null(world->net);
    world->size = net_block_size(world->net);
    struct rng_stream stream = {.seed = 3, .purpose = RNG_INIT};
    net_initialize(world->net, (struct init_spec){INIT_GLOROT_NORMAL, 0}, stream, NULL);
    world->initial = malloc((size_t)world->size * sizeof(float));
    net_read_weights(world->net, world->initial);
}

static inline void world_end(struct world *world)
{
    net_destroy(world->net);
    free(world->initial);
    evaluation_finish(&world->dataset);
}

static inline struct train_spec plain_sgd(int64_t iterations)
{
    return (struct train_spec){
        .optimizer = {.kind = OPTIMIZER_SGD},
        .schedule = {.base = 0.3, .kind = SCHEDULE_CONSTANT, .iterations = iterations},
        .fixed_rate = NAN,
        .batch = 20,
        .evaluate_batch = EVALUATE_BATCH,
        .iterations = iterations,
        .evaluate_every = 10,
        .order = {.seed = 1, .purpose = RNG_ORDER},
        .dropout = {.seed = 1, .purpose = RNG_DROPOUT}};
}

static inline struct train_spec adam(int64_t iterations)
{
    struct train_spec spec = plain_sgd(iterations);
    spec.optimizer = (struct optimizer_spec){
        .kind = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    spec.schedule.base = 0.01;
    return spec;
}

/* The weights that the capture hook got. */
struct captured {
    int64_t size;
    int calls;
    int32_t which[TRAIN_MAX_CAPTURES];
    float *weights[TRAIN_MAX_CAPTURES];
};

static inline int keep_capture(void *user, int32_t which, const struct network *net,
                               struct error *err)
{
    (void)err;
    struct captured *captured = user;
    captured->which[captured->calls] = which;
    captured->weights[captured->calls] = malloc((size_t)captured->size * sizeof(float));
    net_read_weights(net, captured->weights[captured->calls++]);
    return 0;
}

static inline void captured_end(struct captured *captured)
{
    for (int i = 0; i < captured->calls; i++)
        free(captured->weights[i]);
}

/* Runs from `weights` (NULL = the world's initial ones) and expects it to work. */
static inline struct train_result run_from(struct world *world, const struct train_spec *spec,
                                           const float *weights, const struct train_hooks *hooks)
{
    struct train_result result;
    struct error err = {0};
    net_write_weights(world->net, weights ? weights : world->initial);
    if (train_run(spec, world->net, &world->dataset, hooks, &result, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(result.curve_count, train_curve_length(spec));
    return result;
}

static inline void assert_same_weights(const struct world *world, const float *a, const float *b)
{
    assert_memory_equal(a, b, (size_t)world->size * sizeof *a);
}

/* Bit for bit, NaN equal to NaN. */
static inline void assert_same(double a, double b)
{
    if (!(a == b || (isnan(a) && isnan(b))))
        fail_msg("%.17g is not %.17g", a, b);
}

static inline void assert_same_point(const struct train_point *a, const struct train_point *b)
{
    assert_int_equal(a->iteration, b->iteration);
    assert_same(a->train_loss, b->train_loss);
    assert_same(a->validation_loss, b->validation_loss);
    assert_same(a->validation_accuracy, b->validation_accuracy);
    assert_same(a->test_loss, b->test_loss);
    assert_same(a->test_accuracy, b->test_accuracy);
}

static inline void assert_same_score(struct train_score a, struct train_score b)
{
    assert_same(a.loss, b.loss);
    assert_same(a.accuracy, b.accuracy);
}

/* The three scores of a moment are those of these weights. */
static inline void assert_scores_of(struct world *world, const struct train_result *result,
                                    int when, const float *weights)
{
    net_write_weights(world->net, weights);
    for (int part = PART_TRAIN; part <= PART_TEST; part++) {
        struct train_score score;
        assert_int_equal(train_evaluate(world->net, &world->dataset, (enum dataset_part)part,
                                        EVALUATE_BATCH, &score, NULL),
                         0);
        assert_true(!isnan(score.loss));
        assert_same_score(result->scores[part][when], score);
    }
}

static inline void assert_no_scores(const struct train_result *result, int when)
{
    for (int part = PART_TRAIN; part <= PART_TEST; part++) {
        assert_true(isnan(result->scores[part][when].loss));
        assert_true(isnan(result->scores[part][when].accuracy));
    }
}

#endif
