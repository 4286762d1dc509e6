/* Optimisers over tens of steps of real training against the textbook in double precision, fed with
 * the gradients the network computed. */
#include "nn_support.h"

enum { STEPS = 60, EXAMPLES = 17, COLUMNS = 32 };

static const struct rng_stream no_dropout = {.seed = 1, .purpose = RNG_DROPOUT};

static const struct optimizer_spec adam = {
    .kind = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};

/* Weight and moments of every element, in double precision. */
struct textbook {
    struct optimizer_spec optimizer;
    double *w, *m, *v;
};

static void sgd_step(struct textbook *t, int64_t i, double g, double rate)
{
    const struct optimizer_spec *o = &t->optimizer;
    g += o->weight_decay * t->w[i];
    t->m[i] = o->momentum * t->m[i] + g;
    t->w[i] -= rate * (o->nesterov ? g + o->momentum * t->m[i] : t->m[i]);
}

static void adam_step(struct textbook *t, int64_t i, double g, double rate, int step)
{
    const struct optimizer_spec *o = &t->optimizer;
    g += o->weight_decay * t->w[i];
    t->m[i] = o->beta1 * t->m[i] + (1 - o->beta1) * g;
    t->v[i] = o->beta2 * t->v[i] + (1 - o->beta2) * g * g;
    const double m = t->m[i] / (1 - pow(o->beta1, step)), v = t->v[i] / (1 - pow(o->beta2, step));
    t->w[i] -= rate * m / (sqrt(v) + o->epsilon);
}

static void check_trajectory(struct optimizer_spec optimizer, double rate, double tolerance)
{
    struct net_spec spec = small_spec("fc-13-7", 0);
    struct network *net = create(&spec, EXAMPLES, 16);
    struct example_batch data;
    struct error err = {0};
    fill_batch(&data, &spec, EXAMPLES, COLUMNS, 0, 1);
    assert_int_equal(net_set_optimizer(net, &optimizer, &err), 0);
    const int64_t size = net_block_size(net);
    double *memory = calloc(3 * (size_t)size, sizeof *memory);
    struct textbook t = {optimizer, memory, memory + size, memory + 2 * size};
    for (int64_t i = 0; i < size; i++)
        t.w[i] = (double)weights_of(net)[i];
    for (int step = 1; step <= STEPS; step++) {
        net_train_step(net, &data.batch, rate / step, step, no_dropout);
        for (int64_t i = 0; i < size; i++) {
            const double g = (double)gradients_of(net)[i];
            if (optimizer.kind == OPTIMIZER_ADAM)
                adam_step(&t, i, g, rate / step, step);
            else
                sgd_step(&t, i, g, rate / step);
        }
    }
    assert_int_equal(net_steps_taken(net), STEPS);
    double moved = 0;
    for (int64_t i = 0; i < size; i++) {
        assert_near((double)weights_of(net)[i], t.w[i], tolerance);
        moved = fmax(moved, fabs(t.w[i]));
    }
    assert_true(moved > 0.1);
    free(memory);
    free(data.inputs);
    net_destroy(net);
}

static void sgd_follows_the_textbook(void **state)
{
    (void)state;
    struct error err = {0};
    for (size_t i = 0; i < ISA_COUNT; i++) {
        if (kernels_select(every_isa[i], &err) != 0)
            continue;
        struct optimizer_spec o = {.kind = OPTIMIZER_SGD};
        check_trajectory(o, 0.5, 2e-6);
        o.weight_decay = 0.01;
        check_trajectory(o, 0.5, 2e-6);
        o.momentum = 0.9;
        check_trajectory(o, 0.2, 2e-6);
        o.nesterov = true;
        check_trajectory(o, 0.2, 2e-6);
        o.weight_decay = 0;
        check_trajectory(o, 0.2, 2e-6);
    }
}

static void adam_follows_the_textbook(void **state)
{
    (void)state;
    struct error err = {0};
    for (size_t i = 0; i < ISA_COUNT; i++) {
        if (kernels_select(every_isa[i], &err) != 0)
            continue;
        struct optimizer_spec o = adam;
        check_trajectory(o, 0.05, 3e-6);
        o.weight_decay = 0.1;
        check_trajectory(o, 0.05, 3e-6);
        o.epsilon = 0.1;
        check_trajectory(o, 0.05, 3e-6);
    }
}

static void the_number_of_moments(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-3", 0);
    struct network *net = create(&spec, 1, 16);
    struct error err = {0};
    struct optimizer_spec sgd = {.kind = OPTIMIZER_SGD};
    assert_int_equal(net_moment_blocks(net), 0);
    assert_int_equal(net_set_optimizer(net, &sgd, &err), 0);
    assert_int_equal(net_moment_blocks(net), 0);
    sgd.momentum = 0.5;
    assert_int_equal(net_set_optimizer(net, &sgd, &err), 0);
    assert_int_equal(net_moment_blocks(net), 1);
    assert_int_equal(net_set_optimizer(net, &adam, &err), 0);
    assert_int_equal(net_moment_blocks(net), 2);
    net_destroy(net);
}

static void run_steps(struct network *net, struct example_batch *data, int from, int to)
{
    for (int step = from; step < to; step++)
        net_train_step(net, &data->batch, 0.01, step, no_dropout);
}

/* Weights, moments and the step count are all there is: copied into another network, training goes
 * on with the same bits. */
static void a_copied_state_continues_bit_for_bit(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-13-7", 0.2);
    struct network *straight = create(&spec, EXAMPLES, 16), *resumed = create(&spec, EXAMPLES, 16);
    struct example_batch data;
    struct error err = {0};
    fill_batch(&data, &spec, EXAMPLES, COLUMNS, 0, 1);
    const size_t bytes = (size_t)net_block_size(straight) * sizeof(float);
    assert_int_equal(net_set_optimizer(straight, &adam, &err), 0);
    assert_int_equal(net_set_optimizer(resumed, &adam, &err), 0);
    run_steps(straight, &data, 0, 20);
    net_write_weights(resumed, weights_of(straight));
    for (int i = 0; i < 2; i++)
        net_write_moments(resumed, i, moments_of(straight, i));
    net_set_steps_taken(resumed, net_steps_taken(straight));
    run_steps(straight, &data, 20, 40);
    run_steps(resumed, &data, 20, 40);
    assert_memory_equal(weights_of(resumed), weights_of(straight), bytes);
    free(data.inputs);
    net_destroy(straight);
    net_destroy(resumed);
}

static void wrong_settings_are_usage_errors(void **state)
{
    (void)state;
    static const struct optimizer_spec wrong[] = {
        {.kind = OPTIMIZER_SGD, .momentum = 1},
        {.kind = OPTIMIZER_SGD, .momentum = -0.1},
        {.kind = OPTIMIZER_SGD, .nesterov = true},
        {.kind = OPTIMIZER_SGD, .weight_decay = -1},
        {.kind = OPTIMIZER_SGD, .weight_decay = NAN},
        {.kind = OPTIMIZER_ADAM, .beta1 = 1, .beta2 = 0.9, .epsilon = 1},
        {.kind = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = -1, .epsilon = 1},
        {.kind = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 0},
    };
    struct net_spec spec = small_spec("fc-3", 0);
    struct network *net = create(&spec, 1, 16);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err = {0};
        assert_int_equal(net_set_optimizer(net, &wrong[i], &err), -1);
        assert_int_equal(err.class, ERROR_USAGE);
    }
    net_destroy(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_follows_the_textbook),
        cmocka_unit_test(adam_follows_the_textbook),
        cmocka_unit_test(the_number_of_moments),
        cmocka_unit_test(a_copied_state_continues_bit_for_bit),
        cmocka_unit_test(wrong_settings_are_usage_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
