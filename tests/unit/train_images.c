/* Runs on images: augmentation, batch norm and dropout together are functions of the iteration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/train.h"

enum { BATCH = 20, SPLIT = 23, LAST = 45 };

static struct dataset *load(enum data_augment augment)
{
    struct error err = {0};
    struct dataset_request request = {.name = "shapes",
                                      .train = 150,
                                      .test = 30,
                                      .validation = 30,
                                      .preprocessing = DATA_STANDARDIZE,
                                      .augment = augment};
    struct dataset *dataset = dataset_load(&request, &err);
    if (!dataset)
        fail_msg("%s", err.text);
    return dataset;
}

/* conv, batch norm, relu, pools, dropout: everything that has a state or a stream. */
static struct network *make_network(void)
{
    const struct layer_spec layers[] = {
        {.kind = LAYER_CONV, .outputs = 8, .kernel = 3, .stride = 2, .padding = 1},
        {.kind = LAYER_BATCH_NORM},
        {.kind = LAYER_RELU},
        {.kind = LAYER_MAX_POOL, .kernel = 4, .stride = 4},
        {.kind = LAYER_DROPOUT, .drop = 0.25},
        {.kind = LAYER_FC, .outputs = 10, .is_output = true},
    };
    struct error err = {0};
    struct net_spec spec = {.input = {3, 32, 32}, .classes = 10};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        assert_int_equal(net_spec_add(&spec, layers[i], &err), 0);
    struct network *net = net_create(&spec, (struct net_options){.train_batch = BATCH}, &err);
    if (!net)
        fail_msg("%s", err.text);
    return net;
}

static struct train_spec spec_of(int64_t start, int64_t iterations, uint64_t augment_seed)
{
    return (struct train_spec){.optimizer = {.kind = OPTIMIZER_SGD},
                               .schedule = {.base = 0.05, .iterations = iterations},
                               .fixed_rate = NAN,
                               .batch = BATCH,
                               .evaluate_batch = 48,
                               .start = start,
                               .iterations = iterations,
                               .evaluate_every = 5,
                               .order = {.seed = 1, .purpose = RNG_ORDER},
                               .augment = {.seed = augment_seed, .purpose = RNG_AUGMENT},
                               .dropout = {.seed = 1, .purpose = RNG_DROPOUT}};
}

/* Trains from `from`, or from initial values where it is NULL. Returns the last weights, which the
 * caller frees. */
static float *train(const struct dataset *dataset, const float *from, const struct train_spec *spec,
                    struct train_result *result)
{
    struct error err = {0};
    struct network *net = make_network();
    size_t bytes = (size_t)net_block_size(net) * sizeof(float);
    float *last = malloc(bytes);
    assert_non_null(last);
    struct rng_stream stream = {.seed = 2, .purpose = RNG_INIT};
    net_initialize(net, (struct init_spec){.kind = INIT_KAIMING_NORMAL}, stream, NULL);
    if (from)
        net_write_weights(net, from);
    assert_int_equal(net_set_mask(net, NULL, &err), 0);
    if (train_run(spec, net, dataset, NULL, result, &err) != 0)
        fail_msg("%s", err.text);
    net_read_weights(net, last);
    net_destroy(net);
    return last;
}

static size_t block_bytes(void)
{
    struct network *net = make_network();
    size_t bytes = (size_t)net_block_size(net) * sizeof(float);
    net_destroy(net);
    return bytes;
}

static float *train_once(const struct dataset *dataset, const float *from,
                         const struct train_spec *spec)
{
    struct train_result result;
    float *last = train(dataset, from, spec, &result);
    train_result_finish(&result);
    return last;
}

/* Running statistics are part of the weights, and views of their epoch: what is trained from the
 * weights of iteration k is what would have been. */
static void a_run_from_k_continues_the_first(void **state)
{
    (void)state;
    struct dataset *dataset = load(DATA_AUGMENT_FLIP_CROP);
    const struct train_spec whole = spec_of(0, LAST, 1), first = spec_of(0, SPLIT, 1);
    const struct train_spec rest = spec_of(SPLIT, LAST, 1);
    float *middle = train_once(dataset, NULL, &first);
    struct train_result expected, result;
    float *a = train(dataset, NULL, &whole, &expected), *b = train(dataset, middle, &rest, &result);
    assert_memory_equal(a, b, block_bytes());
    for (int part = PART_TRAIN; part <= PART_TEST; part++)
        assert_true(expected.scores[part][TRAIN_AT_END].loss ==
                    result.scores[part][TRAIN_AT_END].loss);
    train_result_finish(&expected);
    train_result_finish(&result);
    free(middle);
    free(a);
    free(b);
    dataset_destroy(dataset);
}

static void the_augmentation_stream_counts_where_there_is_augmentation(void **state)
{
    (void)state;
    const struct train_spec one = spec_of(0, 8, 1), two = spec_of(0, 8, 2);
    const enum data_augment augments[] = {DATA_AUGMENT_NONE, DATA_AUGMENT_FLIP_CROP};
    for (int i = 0; i < 2; i++) {
        struct dataset *dataset = load(augments[i]);
        float *a = train_once(dataset, NULL, &one), *b = train_once(dataset, NULL, &two);
        bool same = memcmp(a, b, block_bytes()) == 0;
        assert_int_equal(same, augments[i] == DATA_AUGMENT_NONE);
        free(a);
        free(b);
        dataset_destroy(dataset);
    }
}

/* The same weights have the same scores, on training examples too. */
static void evaluation_is_not_augmented(void **state)
{
    (void)state;
    struct dataset *plain = load(DATA_AUGMENT_NONE), *augmented = load(DATA_AUGMENT_FLIP_CROP);
    const struct train_spec nothing = spec_of(10, 10, 1);
    struct train_result a, b;
    free(train(plain, NULL, &nothing, &a));
    free(train(augmented, NULL, &nothing, &b));
    for (int part = PART_TRAIN; part <= PART_TEST; part++) {
        assert_true(!isnan(a.scores[part][TRAIN_AT_END].loss));
        assert_true(a.scores[part][TRAIN_AT_END].loss == b.scores[part][TRAIN_AT_END].loss);
    }
    train_result_finish(&a);
    train_result_finish(&b);
    dataset_destroy(plain);
    dataset_destroy(augmented);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_from_k_continues_the_first),
        cmocka_unit_test(the_augmentation_stream_counts_where_there_is_augmentation),
        cmocka_unit_test(evaluation_is_not_augmented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
