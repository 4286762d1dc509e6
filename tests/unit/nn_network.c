/* Networks in memory: masks, padding, evaluation, divergence, independence of what ran before. */
#include "nn_support.h"

#include <fenv.h>

static const struct rng_stream dropout = {.seed = 1, .purpose = RNG_DROPOUT};

static const struct optimizer_spec optimizers[] = {
    {.kind = OPTIMIZER_SGD},
    {.kind = OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 1e-3},
    {.kind = OPTIMIZER_SGD, .momentum = 0.9, .nesterov = true},
    {.kind = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
    {.kind = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 1e-2},
};
#define OPTIMIZERS (sizeof optimizers / sizeof *optimizers)

static void set_optimizer(struct network *net, const struct optimizer_spec *optimizer)
{
    struct error err = {0};
    if (net_set_optimizer(net, optimizer, &err) != 0)
        fail_msg("%s", err.text);
}

/* Keeps every third weight or so. */
static uint8_t *sparse_mask(struct network *net)
{
    int count;
    const struct parameter_spec *p = net_parameters(net, &count);
    uint8_t *mask = malloc((size_t)net_block_size(net));
    memset(mask, 1, (size_t)net_block_size(net));
    for (int i = 0; i < count; i++)
        for (int64_t e = 0; p[i].is_prunable && e < p[i].count; e++)
            mask[p[i].offset + e] =
                rng_below((struct rng_stream){3, RNG_MASK, 0}, (uint64_t)(p[i].offset + e), 3) == 0;
    return mask;
}

static void assert_zero_where_masked(const float *block, const uint8_t *mask, int64_t count)
{
    const float zero = 0.0f;
    for (int64_t i = 0; i < count; i++)
        if (!mask[i] && memcmp(&block[i], &zero, sizeof zero) != 0)
            fail_msg("element %lld is %g (or -0)", (long long)i, (double)block[i]);
}

static void assert_masked(struct network *net, const uint8_t *mask)
{
    assert_zero_where_masked(weights_of(net), mask, net_block_size(net));
    assert_zero_where_masked(gradients_of(net), mask, net_block_size(net));
    for (int i = 0; i < net_moment_blocks(net); i++)
        assert_zero_where_masked(moments_of(net, i), mask, net_block_size(net));
}

static void train_masked(const struct optimizer_spec *optimizer, struct example_batch *data)
{
    struct net_spec spec = small_spec("fc-13-7", 0.2);
    struct network *net = create(&spec, 60, 16);
    struct error err = {0};
    set_optimizer(net, optimizer);
    for (int step = 0; step < 5; step++) /* dense first, so that there is something to clear */
        net_train_step(net, &data->batch, 0.05, step, dropout);
    uint8_t *mask = sparse_mask(net);
    assert_int_equal(net_set_mask(net, mask, &err), 0);
    assert_masked(net, mask);
    float *before = floats(net_block_size(net));
    net_read_weights(net, before);
    for (int step = 5; step < 30; step++) {
        net_train_step(net, &data->batch, 0.05, step, dropout);
        assert_masked(net, mask);
    }
    int64_t moved = 0, kept = 0;
    const float *now = weights_of(net);
    for (int64_t i = 0; i < net_block_size(net); i++) {
        kept += mask[i];
        moved += before[i] != now[i];
    }
    assert_true(moved > kept / 2 && moved <= kept);
    net_gradient(net, &data->batch, 30, dropout);
    assert_masked(net, mask);
    net_initialize(net, (struct init_spec){.kind = INIT_GLOROT_NORMAL},
                   (struct rng_stream){6, RNG_INIT, 0}, NULL);
    assert_masked(net, mask);
    free(before);
    free(mask);
    net_destroy(net);
}

static void masked_weights_are_zero_at_every_step(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-13-7", 0);
    struct example_batch data;
    struct error err = {0};
    fill_batch(&data, &spec, 60, 64, 0, 1);
    for (size_t i = 0; i < ISA_COUNT; i++) {
        if (kernels_select(every_isa[i], &err) != 0)
            continue;
        for (size_t o = 0; o < OPTIMIZERS; o++)
            train_masked(&optimizers[o], &data);
    }
    free(data.inputs);
}

static void a_diverged_network_says_so_and_stays_masked(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-13-7", 0);
    struct example_batch data;
    struct error err = {0};
    fill_batch(&data, &spec, 60, 64, 0, 1);
    for (size_t o = 0; o < OPTIMIZERS; o++) {
        struct network *net = create(&spec, 60, 16);
        set_optimizer(net, &optimizers[o]);
        uint8_t *mask = sparse_mask(net);
        assert_int_equal(net_set_mask(net, mask, &err), 0);
        double loss = 0;
        for (int step = 0; step < 20; step++)
            loss = net_train_step(net, &data.batch, 1e30, step, dropout);
        assert_true(!isfinite(loss));
        assert_masked(net, mask);
        free(mask);
        net_destroy(net);
    }
    free(data.inputs);
}

static void wrong_masks_are_refused(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-13-7", 0);
    struct network *net = create(&spec, 60, 16);
    struct error err = {0};
    int count;
    const struct parameter_spec *p = net_parameters(net, &count);
    uint8_t *mask = malloc((size_t)net_block_size(net));
    memset(mask, 1, (size_t)net_block_size(net));
    mask[p[1].offset] = 0;
    assert_int_equal(net_set_mask(net, mask, &err), -1);
    mask[p[1].offset] = 1;
    mask[p[0].offset + 3] = 2;
    assert_int_equal(net_set_mask(net, mask, &err), -1);
    assert_non_null(strstr(err.text, "fc1.weight"));
    mask[p[0].offset + 3] = 1;
    mask[net_block_size(net) - 1] = 0; /* the gap behind the last bias */
    assert_int_equal(net_set_mask(net, mask, &err), -1);
    free(mask);
    net_destroy(net);
}

/* Weights after some steps on a batch stored with `columns` columns and `padding` behind the
 * examples. */
static float *train_padded(int32_t examples, int32_t columns, float padding)
{
    struct net_spec spec = small_spec("fc-13-7", 0.3);
    struct network *net = create(&spec, 128, 16);
    struct example_batch data;
    fill_batch(&data, &spec, examples, columns, padding, 2);
    set_optimizer(net, &optimizers[3]);
    for (int step = 0; step < 20; step++)
        assert_true(isfinite(net_train_step(net, &data.batch, 0.01, step, dropout)));
    float *weights = floats(net_block_size(net));
    net_read_weights(net, weights);
    free(data.inputs);
    net_destroy(net);
    return weights;
}

static void padding_has_no_influence(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-13-7", 0.3);
    const size_t bytes = (size_t)net_spec_block_size(&spec) * sizeof(float);
    struct error err = {0};
    static const struct {
        int32_t columns;
        float padding;
    } rows[] = {{64, 0}, {64, 3}, {80, 0}, {128, -5}};
    for (size_t i = 0; i < ISA_COUNT; i++) {
        if (kernels_select(every_isa[i], &err) != 0)
            continue;
        float *expected = train_padded(60, 64, 0);
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            float *weights = train_padded(60, rows[r].columns, rows[r].padding);
            assert_memory_equal(weights, expected, bytes);
            free(weights);
        }
        free(expected);
    }
}

/* Scores `count` examples in batches of `size`. */
static struct net_score score_in_batches(struct network *net, const struct net_spec *spec,
                                         const struct example_batch *all, int32_t size)
{
    struct net_score score = {0};
    const int64_t features = (int64_t)spec->input.height * spec->input.width;
    for (int32_t begin = 0; begin < all->batch.examples; begin += size) {
        const int32_t left = all->batch.examples - begin, examples = left < size ? left : size;
        const int32_t columns = padded_columns(examples);
        float *input = net_evaluate_input(net);
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
    static const int32_t sizes[] = {1, 7, 16, 17, 64, 100, 199};
    struct net_spec spec = small_spec("fc-13-7", 0.5);
    struct example_batch all;
    struct error err = {0};
    fill_batch(&all, &spec, 200, 208, 0, 4);
    for (size_t i = 0; i < ISA_COUNT; i++) {
        if (kernels_select(every_isa[i], &err) != 0)
            continue;
        struct network *net = create(&spec, 16, 200);
        const struct net_score whole = score_in_batches(net, &spec, &all, 200);
        assert_int_equal(whole.examples, 200);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            const struct net_score score = score_in_batches(net, &spec, &all, sizes[s]);
            assert_int_equal(score.correct, whole.correct);
            assert_true(score.loss_sum == whole.loss_sum);
            assert_int_equal(score.examples, 200);
        }
        net_destroy(net);
    }
    free(all.inputs);
}

#ifdef __x86_64__
#define CALLERS_ROUNDING FE_UPWARD
#else
#define CALLERS_ROUNDING FE_TONEAREST /* elsewhere the mode is the caller's business */
#endif

/* A step gives the same bits whatever the network evaluated before and whatever mode the caller's
 * floating-point unit is in, and it leaves that mode alone. */
static void steps_do_not_depend_on_what_ran_before(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-13-7", 0.3);
    struct example_batch data, other;
    fill_batch(&data, &spec, 60, 64, 0, 1);
    fill_batch(&other, &spec, 33, 48, 7, 9);
    struct network *plain = create(&spec, 60, 96), *busy = create(&spec, 200, 0);
    set_optimizer(plain, &optimizers[3]);
    set_optimizer(busy, &optimizers[3]);
    for (int step = 0; step < 20; step++) {
        const double loss = net_train_step(plain, &data.batch, 0.01, step, dropout);
        struct net_score score = {0};
        net_evaluate(busy, &other.batch, &score);
        net_gradient(busy, &other.batch, step, dropout);
        fesetround(CALLERS_ROUNDING);
        const double busy_loss = net_train_step(busy, &data.batch, 0.01, step, dropout);
        assert_int_equal(fegetround(), CALLERS_ROUNDING);
        fesetround(FE_TONEAREST);
        assert_true(busy_loss == loss);
    }
    assert_memory_equal(weights_of(plain), weights_of(busy),
                        (size_t)net_block_size(plain) * sizeof(float));
    free(data.inputs);
    free(other.inputs);
    net_destroy(plain);
    net_destroy(busy);
}

static void training_learns(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-13-7", 0);
    struct example_batch data;
    fill_batch(&data, &spec, 60, 64, 0, 1);
    for (size_t o = 0; o < OPTIMIZERS; o++) {
        struct network *net = create(&spec, 60, 60);
        set_optimizer(net, &optimizers[o]);
        double loss = 0;
        for (int step = 0; step < 600; step++)
            loss = net_train_step(net, &data.batch, o == 0 ? 0.5 : 0.02, step, dropout);
        struct net_score score = {0};
        net_evaluate(net, &data.batch, &score);
        assert_true(loss < 0.1);
        assert_int_equal(score.correct, 60);
        net_destroy(net);
    }
    free(data.inputs);
}

static void memory_is_told_before_it_is_taken(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-1000-1000", 0);
    const int64_t floats_held = 5 * net_spec_block_size(&spec);
    const int64_t bytes = net_memory_bytes(&spec, (struct net_options){.train_batch = 64, .evaluate_batch = 64});
    assert_true(bytes > floats_held * 4 - net_spec_block_size(&spec) * 3);
    assert_true(bytes < floats_held * 4 + 4000000);
    assert_true(net_memory_bytes(&spec, (struct net_options){.train_batch = 64, .evaluate_batch = 640}) > bytes);
    struct error err = {0};
    assert_null(net_create(&spec, (struct net_options){.evaluate_batch = 64}, &err));
    assert_int_equal(err.class, ERROR_INTERNAL);
    net_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masked_weights_are_zero_at_every_step),
        cmocka_unit_test(a_diverged_network_says_so_and_stays_masked),
        cmocka_unit_test(wrong_masks_are_refused),
        cmocka_unit_test(padding_has_no_influence),
        cmocka_unit_test(evaluation_does_not_depend_on_batches),
        cmocka_unit_test(steps_do_not_depend_on_what_ran_before),
        cmocka_unit_test(training_learns),
        cmocka_unit_test(memory_is_told_before_it_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
