/* Gradients and losses of fully connected layers against finite differences of a plain network in
 * double precision, at awkward widths and batch sizes, on every instruction set. */
#include "nn_plain.h"

static void check_all_batches(const struct net_spec *spec)
{
    static const int32_t batches[] = {1, 7, 15, 16, 17, 60};
    struct error err = {0};
    for (size_t i = 0; i < ISA_COUNT; i++) {
        if (kernels_select(every_isa[i], &err) != 0)
            continue;
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
            check_gradients(spec, (struct gradient_check){batches[b], 0.3f, INT32_MAX, 2e-6});
    }
}

static void linear_softmax(void **state)
{
    (void)state;
    struct net_spec spec = {.input = {1, 3, 5},
                            .classes = 5,
                            .layer_count = 1,
                            .layers = {{.kind = LAYER_FC, .outputs = 5, .is_output = true}}};
    check_all_batches(&spec);
}

static void hidden_layers(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-13-7", 0);
    check_all_batches(&spec);
    spec = small_spec("fc-16-17-1", 0);
    check_all_batches(&spec);
}

/* So many weights that they lie in no cache. */
static void wide_layers(void **state)
{
    (void)state;
    const struct net_spec spec = small_spec("fc-2048-2048", 0);
    kernels_use_threads(1);
    check_gradients(&spec, (struct gradient_check){3, 0.04f, 4, 2e-6});
}

static void dropout_behind_relu(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-13-7", 0.3);
    check_all_batches(&spec);
}

/* Rectifiers that no layer before computes, and layers in place at the input. */
static void layers_in_any_order(void **state)
{
    (void)state;
    struct net_spec spec = {.input = {1, 3, 5},
                            .classes = 5,
                            .layer_count = 7,
                            .layers = {{.kind = LAYER_RELU},
                                       {.kind = LAYER_FC, .outputs = 11},
                                       {.kind = LAYER_DROPOUT, .drop = 0.5},
                                       {.kind = LAYER_RELU},
                                       {.kind = LAYER_FC, .outputs = 9},
                                       {.kind = LAYER_FC, .outputs = 5, .is_output = true},
                                       {.kind = LAYER_RELU}}};
    check_all_batches(&spec);
    spec.layers[0] = (struct layer_spec){.kind = LAYER_DROPOUT, .drop = 0.25};
    check_all_batches(&spec);
}

/* Which units are dropped follows the iteration and the stream, and nothing else. */
static void dropout_is_a_function_of_iteration_and_stream(void **state)
{
    (void)state;
    struct net_spec spec = small_spec("fc-13-7", 0.5);
    struct example_batch data, wide;
    fill_batch(&data, &spec, 20, 32, 0, 3);
    fill_batch(&wide, &spec, 20, 64, 0, 3);
    struct network *net = create(&spec, 64, 16);
    const struct rng_stream stream = {.seed = 1, .purpose = RNG_DROPOUT};
    struct rng_stream other = stream;
    other.draw = 1;
    const double loss = net_gradient(net, &data.batch, 5, stream);
    assert_true(net_gradient(net, &data.batch, 6, stream) != loss);
    assert_true(net_gradient(net, &data.batch, 5, other) != loss);
    assert_true(net_gradient(net, &wide.batch, 5, stream) == loss);
    assert_true(net_gradient(net, &data.batch, 5, stream) == loss);
    free(data.inputs);
    free(wide.inputs);
    net_destroy(net);
}

static void dropout_keeps_the_share_it_should(void **state)
{
    (void)state;
    static const double drops[] = {0.1, 0.5, 0.9};
    for (size_t i = 0; i < 3; i++) {
        int kept = 0;
        for (int unit = 0; unit < 1000; unit++)
            for (int32_t column = 0; column < 64; column++)
                kept += dropout_factor((struct rng_stream){7, RNG_DROPOUT, 0}, 3, 1, unit, column,
                                       drops[i]) > 0;
        assert_near(kept / 64000.0, 1 - drops[i], 0.006);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_softmax),
        cmocka_unit_test(hidden_layers),
        cmocka_unit_test(wide_layers),
        cmocka_unit_test(dropout_behind_relu),
        cmocka_unit_test(layers_in_any_order),
        cmocka_unit_test(dropout_is_a_function_of_iteration_and_stream),
        cmocka_unit_test(dropout_keeps_the_share_it_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
