/* Convolutional networks in memory: padding, evaluation, running statistics, independence of what
 * ran before, memory. */
#include <malloc.h>

#include "nn_plain.h"

static const struct optimizer_spec sgd = {
    .kind = OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 1e-3};

/* A small residual network with every kind of layer: 3 channels, odd sides. */
static struct net_spec every_layer(void)
{
    static const struct layer_spec wide = {.kind = LAYER_CONV,
                                           .outputs = 18,
                                           .kernel = 3,
                                           .stride = 1,
                                           .padding = 1},
                                   half = {.kind = LAYER_CONV,
                                           .outputs = 20,
                                           .kernel = 3,
                                           .stride = 2,
                                           .padding = 1,
                                           .has_bias = true},
                                   pool = {.kind = LAYER_MAX_POOL, .kernel = 2, .stride = 2},
                                   norm = {.kind = LAYER_BATCH_NORM}, relu = {.kind = LAYER_RELU},
                                   dropout = {.kind = LAYER_DROPOUT, .drop = 0.2},
                                   residual = {.kind = LAYER_RESIDUAL},
                                   average = {.kind = LAYER_AVERAGE_POOL},
                                   output = {.kind = LAYER_FC, .outputs = 4, .is_output = true};
    const struct layer_spec first[] = {wide, norm, relu, pool, residual, wide, norm, relu};
    const struct layer_spec second[] = {relu, residual, half, relu, dropout};
    struct net_spec spec = {.input = {3, 11, 8}, .classes = 4};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        net_spec_add(&spec, first[i], NULL);
    net_spec_close_residual(&spec, NULL);
    for (size_t i = 0; i < sizeof second / sizeof *second; i++)
        net_spec_add(&spec, second[i], NULL);
    net_spec_close_residual(&spec, NULL);
    net_spec_add(&spec, average, NULL);
    net_spec_add(&spec, output, NULL);
    return spec;
}

static const struct rng_stream dropout = {.seed = 1, .purpose = RNG_DROPOUT};

static struct network *trained(const struct net_spec *spec, const struct example_batch *data,
                               int steps)
{
    struct network *net = create(spec, data->batch.columns, 64);
    struct error err = {0};
    assert_int_equal(net_set_optimizer(net, &sgd, &err), 0);
    for (int step = 0; step < steps; step++)
        assert_true(isfinite(net_train_step(net, &data->batch, 0.05, step, dropout)));
    return net;
}

static void assert_same_weights(struct network *a, struct network *b)
{
    assert_memory_equal(weights_of(a), weights_of(b), (size_t)net_block_size(a) * sizeof(float));
}

static void padding_has_no_influence(void **state)
{
    (void)state;
    static const float paddings[] = {-5, 3};
    static const int32_t batches[] = {1, 7, 60, 61};
    const struct net_spec spec = every_layer();
    struct error err = {0};
    for (size_t i = 0; i < ISA_COUNT; i++)
        for (size_t b = 0; kernels_select(every_isa[i], &err) == 0 && b < 4; b++) {
            const int32_t examples = batches[b], columns = padded_columns(examples);
            struct example_batch data;
            fill_batch(&data, &spec, examples, columns, 0, 2);
            struct network *plain = trained(&spec, &data, 5);
            free(data.inputs);
            for (size_t k = 0; k < sizeof paddings / sizeof *paddings; k++) {
                fill_batch(&data, &spec, examples, columns, paddings[k], 2);
                struct network *net = trained(&spec, &data, 5);
                assert_same_weights(net, plain);
                free(data.inputs);
                net_destroy(net);
            }
            net_destroy(plain);
        }
}

static struct net_score score_in_batches(struct network *net, const struct net_spec *spec,
                                         const struct example_batch *all, int32_t size)
{
    struct net_score score = {0};
    const int64_t features = features_of(spec->input);
    for (int32_t begin = 0; begin < all->batch.examples; begin += size) {
        const int32_t left = all->batch.examples - begin, examples = left < size ? left : size;
        const int32_t columns = padded_columns(examples);
        float *input = net_evaluate_input(net);
        for (int64_t i = 0; i < features * columns; i++)
            input[i] = NAN;
        for (int64_t f = 0; f < features; f++)
            memcpy(input + f * columns, all->inputs + f * all->batch.columns + begin,
                   (size_t)examples * sizeof *input);
        net_evaluate(net, &(struct net_batch){input, all->labels + begin, examples, columns},
                     &score);
    }
    return score;
}

static void evaluation_does_not_depend_on_batches(void **state)
{
    (void)state;
    static const int32_t sizes[] = {1, 7, 16, 33, 64, 100};
    const struct net_spec spec = every_layer();
    struct error err = {0};
    for (size_t i = 0; i < ISA_COUNT; i++) {
        if (kernels_select(every_isa[i], &err) != 0)
            continue;
        struct example_batch data, all;
        fill_batch(&data, &spec, 60, 64, 0, 2);
        fill_batch(&all, &spec, 150, 160, 0, 3);
        struct network *net = create(&spec, 64, 150);
        assert_int_equal(net_set_optimizer(net, &sgd, &err), 0);
        for (int step = 0; step < 5; step++)
            net_train_step(net, &data.batch, 0.05, step, dropout);
        const struct net_score whole = score_in_batches(net, &spec, &all, 150);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            const struct net_score score = score_in_batches(net, &spec, &all, sizes[s]);
            assert_int_equal(score.correct, whole.correct);
            assert_true(score.loss_sum == whole.loss_sum);
        }
        free(data.inputs);
        free(all.inputs);
        net_destroy(net);
    }
}

/* Evaluation goes by the running statistics, and these follow PyTorch's rule. */
static void running_statistics_follow_the_batches(void **state)
{
    (void)state;
    const struct net_spec spec = every_layer();
    struct example_batch data;
    struct error err = {0};
    fill_batch(&data, &spec, 60, 64, 0, 2);
    struct network *net = create(&spec, 60, 64);
    const struct optimizer_spec plain_sgd = {.kind = OPTIMIZER_SGD};
    assert_int_equal(net_set_optimizer(net, &plain_sgd, &err), 0);
    draw_parameters(net, 0.3f);
    struct plain p;
    plain_init(&p, net, &spec, data.batch);
    p.iteration = 0;
    p.dropout = dropout;
    plain_loss(&p);
    net_train_step(net, &data.batch, 0, 0, dropout);
    for (int i = 0; i < p.parameter_count; i++)
        for (int64_t e = p.parameters[i].offset; p.parameters[i].role == PARAMETER_STATISTIC &&
                                                 e < p.parameters[i].offset + p.parameters[i].count;
             e++)
            assert_near((double)weights_of(net)[e], 0.9 * p.block[e] + 0.1 * p.statistics[e],
                        1e-5);
    for (int64_t i = 0; i < net_block_size(net); i++)
        p.block[i] = (double)weights_of(net)[i];
    p.evaluating = true;
    struct net_score score = {0};
    net_evaluate(net, &data.batch, &score);
    assert_near(score.loss_sum / 60, plain_loss(&p), 1e-4);
    plain_finish(&p);
    free(data.inputs);
    net_destroy(net);
}

static void only_training_steps_touch_statistics(void **state)
{
    (void)state;
    const struct net_spec spec = every_layer();
    const int64_t trained_size = net_spec_trained_size(&spec);
    struct example_batch data;
    fill_batch(&data, &spec, 20, 32, 0, 2);
    struct network *net = trained(&spec, &data, 3);
    const int64_t count = net_block_size(net) - trained_size;
    assert_true(count > 100);
    const float *before = weights_of(net) + trained_size;
    struct net_score score = {0};
    net_evaluate(net, &data.batch, &score);
    net_gradient(net, &data.batch, 7, dropout);
    assert_memory_equal(weights_of(net) + trained_size, before, (size_t)count * sizeof *before);
    net_train_step(net, &data.batch, 0.05, 3, dropout);
    assert_memory_not_equal(weights_of(net) + trained_size, before, (size_t)count * sizeof *before);
    const float *gradients = gradients_of(net), *moments = moments_of(net, 0);
    for (int64_t i = 0; i < count; i++) {
        assert_true(gradients[trained_size + i] == 0);
        assert_true(moments[trained_size + i] == 0);
    }
    free(data.inputs);
    net_destroy(net);
}

/* Weight decay reaches scales and offsets of batch norms, as in PyTorch. */
static void weight_decay_reaches_what_is_trained(void **state)
{
    (void)state;
    const struct net_spec spec = every_layer();
    const struct optimizer_spec plain = {.kind = OPTIMIZER_SGD},
                                decaying = {.kind = OPTIMIZER_SGD, .weight_decay = 0.5};
    struct example_batch data;
    struct error err = {0};
    fill_batch(&data, &spec, 20, 32, 0, 2);
    struct network *nets[2];
    for (int i = 0; i < 2; i++) {
        nets[i] = create(&spec, 20, 64);
        assert_int_equal(net_set_optimizer(nets[i], i ? &decaying : &plain, &err), 0);
        net_train_step(nets[i], &data.batch, 0.1, 0, dropout);
    }
    struct network *start = create(&spec, 20, 64);
    const float *plainly = weights_of(nets[0]), *decayed = weights_of(nets[1]);
    const float *first = weights_of(start);
    for (int64_t i = 0; i < net_spec_trained_size(&spec); i++)
        assert_near((double)(plainly[i] - decayed[i]), 0.1 * 0.5 * (double)first[i], 1e-6);
    const size_t statistics =
        (size_t)(net_block_size(start) - net_spec_trained_size(&spec)) * sizeof(float);
    assert_memory_equal(weights_of(nets[0]) + net_spec_trained_size(&spec),
                        weights_of(nets[1]) + net_spec_trained_size(&spec), statistics);
    net_destroy(start);
    net_destroy(nets[0]);
    net_destroy(nets[1]);
    free(data.inputs);
}

static void steps_do_not_depend_on_what_ran_before(void **state)
{
    (void)state;
    const struct net_spec spec = every_layer();
    struct example_batch data, other;
    struct error err = {0};
    fill_batch(&data, &spec, 60, 64, 0, 1);
    fill_batch(&other, &spec, 33, 48, 7, 9);
    struct network *plain = create(&spec, 60, 96), *busy = create(&spec, 128, 0);
    assert_int_equal(net_set_optimizer(plain, &sgd, &err), 0);
    assert_int_equal(net_set_optimizer(busy, &sgd, &err), 0);
    for (int step = 0; step < 6; step++) {
        const double loss = net_train_step(plain, &data.batch, 0.05, step, dropout);
        struct net_score score = {0};
        net_evaluate(busy, &other.batch, &score);
        net_gradient(busy, &other.batch, step, dropout);
        assert_true(net_train_step(busy, &data.batch, 0.05, step, dropout) == loss);
    }
    assert_same_weights(plain, busy);
    free(data.inputs);
    free(other.inputs);
    net_destroy(plain);
    net_destroy(busy);
}

/* Shortcuts, norms and statistics cannot be masked; a masked convolution stays zero. */
static void masks_hold(void **state)
{
    (void)state;
    const struct net_spec spec = every_layer();
    struct example_batch data;
    struct error err = {0};
    fill_batch(&data, &spec, 20, 32, 0, 2);
    struct network *net = trained(&spec, &data, 2);
    uint8_t *mask = malloc((size_t)net_block_size(net));
    int count;
    const struct parameter_spec *p = net_parameters(net, &count);
    memset(mask, 1, (size_t)net_block_size(net));
    for (int i = 0; i < count; i++) {
        if (p[i].is_prunable) {
            memset(mask + p[i].offset, 0, (size_t)p[i].count / 2);
            continue;
        }
        mask[p[i].offset] = 0;
        assert_int_equal(net_set_mask(net, mask, &err), -1);
        mask[p[i].offset] = 1;
    }
    assert_int_equal(net_set_mask(net, mask, &err), 0);
    for (int step = 2; step < 6; step++)
        net_train_step(net, &data.batch, 0.05, step, dropout);
    const float *weights = weights_of(net), *gradients = gradients_of(net);
    for (int64_t i = 0; i < net_block_size(net); i++)
        assert_true(mask[i] || (weights[i] == 0 && gradients[i] == 0));
    free(mask);
    free(data.inputs);
    net_destroy(net);
}

static void training_learns(void **state)
{
    (void)state;
    const struct net_spec spec = every_layer();
    struct example_batch data;
    fill_batch(&data, &spec, 60, 64, 0, 1);
    struct network *net = trained(&spec, &data, 150);
    struct net_score score = {0};
    net_evaluate(net, &data.batch, &score);
    assert_true(score.correct >= 58);
    free(data.inputs);
    net_destroy(net);
}

/* What is told is what malloc gives, within a tenth; vgg-19 stays in its bound. */
static void memory_is_told_before_it_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *architecture;
        int32_t batch;
        double most;
    } rows[] = {{"lenet-300-100", 60, 40e6}, {"conv-2", 60, 300e6},  {"conv-6", 60, 300e6},
                {"resnet-18", 128, 400e6},   {"vgg-19", 64, 1000e6}, {"vgg-19", 1, 1000e6}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net_spec spec;
        struct error err = {0};
        const struct net_options options = {.train_batch = rows[i].batch};
        assert_int_equal(
            net_spec_named(rows[i].architecture, (struct shape){3, 32, 32}, 10, 0, &spec, &err), 0);
        const double told = (double)net_memory_bytes(&spec, options);
        const struct mallinfo2 before = mallinfo2();
        struct network *net = net_create(&spec, options, &err);
        const struct mallinfo2 after = mallinfo2();
        assert_non_null(net);
        const double taken =
            (double)(after.uordblks - before.uordblks) + (double)(after.hblkhd - before.hblkhd);
        if (taken > 0) /* a sanitizer's allocator does not count */
            assert_near(told / taken, 1, 0.1);
        assert_true(told < rows[i].most);
        net_destroy(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_has_no_influence),
        cmocka_unit_test(evaluation_does_not_depend_on_batches),
        cmocka_unit_test(running_statistics_follow_the_batches),
        cmocka_unit_test(only_training_steps_touch_statistics),
        cmocka_unit_test(weight_decay_reaches_what_is_trained),
        cmocka_unit_test(steps_do_not_depend_on_what_ran_before),
        cmocka_unit_test(masks_hold),
        cmocka_unit_test(training_learns),
        cmocka_unit_test(memory_is_told_before_it_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
