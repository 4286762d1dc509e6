/* Training on surviving weights alone: the same as densely within rounding, through changes of the
 * mask too, and what goes in and out of a network. */
#include "nn_support.h"

#define EXAMPLES 60
#define COLUMNS 64
#define MOST_EXAMPLES 128

static const struct rng_stream dropout = {.seed = 8, .purpose = RNG_DROPOUT};

static const struct optimizer_spec adam = {
    .kind = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-3};
static const struct optimizer_spec momentum = {
    .kind = OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 1e-4, .nesterov = true};

/* How near two trainings are that round differently. Rounding decides where a relu or a pool has
 * two ways to go, and batch norm makes much of it in channels with few weights left: there even
 * dense trainings with two instruction sets part, and only the first gradients are compared. */
struct subject {
    const char *architecture;
    struct shape input;
    const struct optimizer_spec *optimizer;
    double rate;
    double gradient, weights; /* distances over sizes, at the start and after `steps` */
    int steps;
};

static const struct subject subjects[] = {
    {"fc-40-30", {1, 7, 9}, &adam, 0.01, 2e-5, 1e-4, 50},
    {"fc-40-30", {1, 7, 9}, &momentum, 0.01, 2e-5, 1e-4, 50},
    {"conv-2", {3, 4, 4}, &adam, 0.001, 2e-5, 1e-2, 10},
    {"resnet-18", {2, 8, 12}, &momentum, 0.0001, 2e-2, 0, 0},
};
#define SUBJECTS (sizeof subjects / sizeof *subjects)

static struct net_spec spec_of(const struct subject *subject)
{
    struct net_spec spec;
    struct error err = {0};
    if (net_spec_named(subject->architecture, subject->input, 5, 0, &spec, &err) != 0)
        fail_msg("%s", err.text);
    return spec;
}

/* A unit without inputs would stand exactly where its relu bends, and which way rounding goes there
 * would decide on its gradient. */
static void move_biases(struct network *net)
{
    int count;
    const struct parameter_spec *p = net_parameters(net, &count);
    float *block = floats(net_block_size(net)), *moves = floats(net_block_size(net));
    net_read_weights(net, block);
    fill_normal(moves, net_block_size(net), 9);
    for (int i = 0; i < count; i++)
        for (int64_t e = p[i].offset; p[i].rank == 1 && e < p[i].offset + p[i].count; e++)
            block[e] += p[i].role == PARAMETER_STATISTIC ? 0 : 0.1f * moves[e];
    net_write_weights(net, block);
    free(block);
    free(moves);
}

static struct network *create_with(const struct net_spec *spec, enum net_kernels kernels,
                                   const struct optimizer_spec *optimizer)
{
    struct error err = {0};
    const struct net_options options = {
        .train_batch = MOST_EXAMPLES, .evaluate_batch = 16, .kernels = kernels};
    struct network *net = net_create(spec, options, &err);
    if (!net || net_set_optimizer(net, optimizer, &err) != 0 ||
        net_initialize(net, (struct init_spec){.kind = INIT_GLOROT_NORMAL},
                       (struct rng_stream){.seed = 5, .purpose = RNG_INIT}, &err) != 0)
        fail_msg("%s", err.text);
    move_biases(net);
    return net;
}

/* Keeps `density` of each prunable tensor; at density 0 nothing. */
static uint8_t *mask_of(const struct network *net, double density, uint64_t seed)
{
    const struct rng_stream stream = {.seed = seed, .purpose = RNG_MASK};
    int count;
    const struct parameter_spec *p = net_parameters(net, &count);
    uint8_t *mask = malloc((size_t)net_block_size(net));
    memset(mask, 1, (size_t)net_block_size(net));
    for (int i = 0; i < count; i++)
        for (int64_t e = p[i].offset; p[i].is_prunable && e < p[i].offset + p[i].count; e++)
            mask[e] = (double)rng_uniform(stream, (uint64_t)e) < density;
    return mask;
}

static void set_mask(struct network *net, const uint8_t *mask)
{
    struct error err = {0};
    if (net_set_mask(net, mask, &err) != 0)
        fail_msg("%s", err.text);
}

static double norm_of(const float *values, const float *less, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        const double d = (double)values[i] - (less ? (double)less[i] : 0);
        sum += d * d;
    }
    return sqrt(sum);
}

/* Each tensor's distance over its size is below `tolerance`; biases, which begin at zero, are seen
 * beside weights of that size. */
static void assert_tensors_near(const struct network *net, const float *actual,
                                const float *expected, double tolerance)
{
    int count;
    const struct parameter_spec *p = net_parameters(net, &count);
    for (int i = 0; i < count; i++) {
        const float *a = actual + p[i].offset, *b = expected + p[i].offset;
        const double size = norm_of(b, NULL, p[i].count), distance = norm_of(a, b, p[i].count);
        if (!(distance <= tolerance * (size + 0.1)))
            fail_msg("%s: %g of %g", p[i].name, distance, size);
    }
}

static void train(const struct subject *subject, struct network *net, const struct net_batch *batch,
                  int steps)
{
    for (int step = 0; step < steps; step++)
        assert_true(isfinite(net_train_step(net, batch, subject->rate, step, dropout)));
}

static void for_each_isa_and_subject(void (*check)(const struct subject *subject))
{
    struct error err = {0};
    for (size_t i = 0; i < ISA_COUNT; i++)
        for (size_t s = 0; s < SUBJECTS && kernels_select(every_isa[i], &err) == 0; s++)
            check(&subjects[s]);
    assert_int_equal(kernels_select(NULL, &err), 0);
}

static void check_agreement(const struct subject *subject)
{
    static const double densities[] = {0.05, 0.2, 0.5, 1};
    const struct net_spec spec = spec_of(subject);
    struct example_batch data;
    fill_batch(&data, &spec, EXAMPLES, COLUMNS, 0, 3);
    for (size_t d = 0; d < sizeof densities / sizeof *densities; d++) {
        struct network *dense = create_with(&spec, NET_KERNELS_DENSE, subject->optimizer);
        struct network *sparse = create_with(&spec, NET_KERNELS_SPARSE, subject->optimizer);
        uint8_t *mask = mask_of(dense, densities[d], d);
        set_mask(dense, mask);
        set_mask(sparse, mask);
        assert_int_equal(net_sparse_layers(dense), 0);
        assert_true(net_sparse_layers(sparse) != 0);
        net_gradient(dense, &data.batch, 0, dropout);
        net_gradient(sparse, &data.batch, 0, dropout);
        assert_tensors_near(dense, gradients_of(sparse), gradients_of(dense), subject->gradient);
        train(subject, dense, &data.batch, subject->steps);
        train(subject, sparse, &data.batch, subject->steps);
        assert_tensors_near(dense, weights_of(sparse), weights_of(dense), subject->weights);
        struct net_score a = {0}, b = {0};
        data.batch.examples = data.batch.columns = 16;
        net_evaluate(dense, &data.batch, &a);
        net_evaluate(sparse, &data.batch, &b);
        data.batch.examples = EXAMPLES;
        data.batch.columns = COLUMNS;
        assert_near(a.loss_sum, b.loss_sum, 1e-3 * (1 + fabs(a.loss_sum)));
        free(mask);
        net_destroy(dense);
        net_destroy(sparse);
    }
    free(data.inputs);
}

static void sparse_training_is_dense_training(void **state)
{
    (void)state;
    for_each_isa_and_subject(check_agreement);
}

/* Whole lanes of the batch or not. */
static void check_batches(const struct subject *subject)
{
    static const int32_t batches[] = {1, 15, 16, 17, 60, 64, 128};
    const struct net_spec spec = spec_of(subject);
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        struct example_batch data;
        fill_batch(&data, &spec, batches[b], padded_columns(batches[b]), 0, 6);
        struct network *dense = create_with(&spec, NET_KERNELS_DENSE, subject->optimizer);
        struct network *sparse = create_with(&spec, NET_KERNELS_SPARSE, subject->optimizer);
        uint8_t *mask = mask_of(dense, 0.3, (uint64_t)b);
        set_mask(dense, mask);
        set_mask(sparse, mask);
        const double loss = net_gradient(dense, &data.batch, 0, dropout);
        assert_near(net_gradient(sparse, &data.batch, 0, dropout), loss, 1e-5 * (1 + loss));
        assert_tensors_near(dense, gradients_of(sparse), gradients_of(dense), subject->gradient);
        free(mask);
        free(data.inputs);
        net_destroy(dense);
        net_destroy(sparse);
    }
}

static void gradients_agree_at_any_batch(void **state)
{
    (void)state;
    for_each_isa_and_subject(check_batches);
}

/* Methods that grow and drop: the mask changes between steps, and what is kept goes on. */
static void check_changing_masks(const struct subject *subject)
{
    static const double densities[] = {0.4, 0.1, 0.6, 0.3, 0};
    const struct net_spec spec = spec_of(subject);
    struct example_batch data;
    fill_batch(&data, &spec, EXAMPLES, COLUMNS, 0, 4);
    struct network *dense = create_with(&spec, NET_KERNELS_DENSE, subject->optimizer);
    struct network *sparse = create_with(&spec, NET_KERNELS_SPARSE, subject->optimizer);
    for (size_t d = 0; d < sizeof densities / sizeof *densities; d++) {
        uint8_t *mask = mask_of(dense, densities[d], 10 + d);
        set_mask(dense, mask);
        set_mask(sparse, mask);
        train(subject, dense, &data.batch, subject->steps / 5);
        train(subject, sparse, &data.batch, subject->steps / 5);
        assert_tensors_near(dense, weights_of(sparse), weights_of(dense), 3 * subject->weights);
        for (int m = 0; m < net_moment_blocks(dense); m++)
            assert_tensors_near(dense, moments_of(sparse, m), moments_of(dense, m),
                                10 * subject->weights);
        free(mask);
    }
    free(data.inputs);
    net_destroy(dense);
    net_destroy(sparse);
}

static void masks_change_between_steps(void **state)
{
    (void)state;
    for_each_isa_and_subject(check_changing_masks);
}

/* Weights and moments taken out and put into another network continue in the same bits. */
static void check_round_trip(const struct subject *subject)
{
    const struct net_spec spec = spec_of(subject);
    const size_t bytes = (size_t)net_spec_block_size(&spec) * sizeof(float);
    struct example_batch data;
    fill_batch(&data, &spec, EXAMPLES, COLUMNS, 0, 5);
    struct network *whole = create_with(&spec, NET_KERNELS_SPARSE, subject->optimizer);
    struct network *resumed = create_with(&spec, NET_KERNELS_SPARSE, subject->optimizer);
    uint8_t *mask = mask_of(whole, 0.2, 6);
    set_mask(whole, mask);
    train(subject, whole, &data.batch, 3);
    set_mask(resumed, mask);
    net_write_weights(resumed, weights_of(whole));
    for (int m = 0; m < net_moment_blocks(whole); m++)
        net_write_moments(resumed, m, moments_of(whole, m));
    net_set_steps_taken(resumed, net_steps_taken(whole));
    train(subject, whole, &data.batch, 4);
    train(subject, resumed, &data.batch, 4);
    assert_memory_equal(weights_of(whole), weights_of(resumed), bytes);
    const float *weights = weights_of(whole), *gradients = gradients_of(whole);
    for (int64_t i = 0; i < net_block_size(whole); i++)
        assert_true(mask[i] || (weights[i] == 0 && gradients[i] == 0));
    free(mask);
    free(data.inputs);
    net_destroy(whole);
    net_destroy(resumed);
}

static void what_is_taken_out_can_be_put_in(void **state)
{
    (void)state;
    for_each_isa_and_subject(check_round_trip);
}

/* The paths change at the table's density, layer by layer. */
static void layers_choose_by_their_density(void **state)
{
    (void)state;
    const struct net_spec spec = spec_of(&subjects[0]);
    struct network *net = create_with(&spec, NET_KERNELS_AUTO, &adam);
    int count;
    const struct parameter_spec *p = net_parameters(net, &count);
    assert_int_equal(net_sparse_layers(net), 0);
    uint8_t *mask = mask_of(net, 1, 0), *few = mask_of(net, 0.05, 0);
    memcpy(mask + p[2].offset, few + p[2].offset, (size_t)p[2].count);
    assert_string_equal(p[2].name, "fc2.weight");
    set_mask(net, mask);
    assert_int_equal(net_sparse_layers(net), 2);
    set_mask(net, few);
    assert_int_equal(net_sparse_layers(net), 7);
    set_mask(net, NULL);
    assert_int_equal(net_sparse_layers(net), 0);
    free(mask);
    free(few);
    net_destroy(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sparse_training_is_dense_training),
        cmocka_unit_test(gradients_agree_at_any_batch),
        cmocka_unit_test(masks_change_between_steps),
        cmocka_unit_test(what_is_taken_out_can_be_put_in),
        cmocka_unit_test(layers_choose_by_their_density),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
