/* Gradients and losses against finite differences of a plain network in double precision, for every
 * kind of layer, at awkward widths and batch sizes, on every instruction set. */
#include "nn_support.h"

#define MAX_WIDTH 2048

/* Factor of (unit, column) of dropout layer `number` (from 1), as layer_dropout.c documents it. */
static double dropout_factor(struct rng_stream stream, int64_t iteration, int number, int64_t unit,
                             int32_t column, double drop)
{
    uint32_t bits[4];
    rng_block(stream, (uint64_t)iteration * 256 + (uint64_t)number - 1, bits);
    stream.seed = (uint64_t)bits[1] << 32 | bits[0];
    rng_block(stream, (uint64_t)unit << 32 | (uint64_t)(column / 8), bits);
    const uint32_t word = bits[column % 8 / 2];
    const uint32_t half = column % 2 ? word >> 16 : word & 0xffff;
    return half >= (uint32_t)lrint(drop * 65536) ? 1 / (1 - drop) : 0;
}

struct problem {
    struct net_spec spec;
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    struct net_batch batch;
    double *block;
    int64_t iteration;
    struct rng_stream dropout;
};

/* x becomes the layer's output for one column; returns its width. */
static int64_t apply_layer(const struct problem *p, const struct layer_spec *layer, int32_t column,
                           double *x, int64_t width, int numbers[LAYER_KINDS])
{
    double y[MAX_WIDTH];
    const int number = ++numbers[layer->kind];
    if (layer->kind == LAYER_RELU)
        for (int64_t i = 0; i < width; i++)
            x[i] = fmax(x[i], 0);
    if (layer->kind == LAYER_DROPOUT)
        for (int64_t i = 0; i < width; i++)
            x[i] *= dropout_factor(p->dropout, p->iteration, number, i, column, layer->drop);
    if (layer->kind != LAYER_FC)
        return width;
    const double *w = p->block + p->parameters[2 * number - 2].offset;
    const double *b = p->block + p->parameters[2 * number - 1].offset;
    for (int64_t o = 0; o < layer->outputs; o++) {
        y[o] = b[o];
        for (int64_t i = 0; i < width; i++)
            y[o] += w[o * width + i] * x[i];
    }
    memcpy(x, y, (size_t)layer->outputs * sizeof *x);
    return layer->outputs;
}

static double mean_loss(const struct problem *p)
{
    double sum = 0;
    for (int32_t column = 0; column < p->batch.examples; column++) {
        double x[MAX_WIDTH], exps = 0;
        int numbers[LAYER_KINDS] = {0};
        int64_t width = 15;
        for (int64_t i = 0; i < width; i++)
            x[i] = (double)p->batch.inputs[i * p->batch.columns + column];
        for (int32_t l = 0; l < p->spec.layer_count; l++)
            width = apply_layer(p, &p->spec.layers[l], column, x, width, numbers);
        for (int64_t i = 0; i < width; i++)
            exps += exp(x[i]);
        sum += log(exps) - x[p->batch.labels[column]];
    }
    return sum / p->batch.examples;
}

static double difference_quotient(const struct problem *p, int64_t element)
{
    const double h = 1e-6, value = p->block[element];
    p->block[element] = value + h;
    const double above = mean_loss(p);
    p->block[element] = value - h;
    const double below = mean_loss(p);
    p->block[element] = value;
    return (above - below) / (2 * h);
}

/* Compares up to `most` gradients of each parameter; weights are normal numbers times `scale`. */
static void check_gradients(const struct net_spec *spec, int32_t examples, float scale,
                            int64_t most)
{
    struct example_batch data;
    fill_batch(&data, spec, examples, padded_columns(examples), 0, (uint64_t)examples);
    struct network *net = create(spec, examples, 16);
    struct problem p = {.spec = *spec,
                        .batch = data.batch,
                        .iteration = 12345,
                        .dropout = {.seed = 99, .purpose = RNG_DROPOUT}};
    const int64_t size = net_block_size(net);
    const int count = net_spec_parameters(spec, p.parameters, NULL);
    p.block = calloc((size_t)size, sizeof *p.block);
    for (int i = 0; i < count; i++) /* biases too, so that their paths are not at 0 */
        fill_normal(net_weights(net) + p.parameters[i].offset, p.parameters[i].count,
                    (uint64_t)i + 50);
    for (int64_t i = 0; i < size; i++)
        p.block[i] = (double)(net_weights(net)[i] *= scale);
    const double loss = net_gradient(net, &data.batch, p.iteration, p.dropout);
    assert_near(loss, mean_loss(&p), 2e-6);
    for (int i = 0; i < count; i++) {
        const struct parameter_spec *parameter = &p.parameters[i];
        const int64_t apart = (parameter->count + most - 1) / most;
        for (int64_t e = parameter->offset; e < parameter->offset + parameter->count; e += apart)
            assert_near((double)net_gradients(net)[e], difference_quotient(&p, e), 2e-6);
    }
    free(p.block);
    free(data.inputs);
    net_destroy(net);
}

static void check_all_batches(const struct net_spec *spec)
{
    static const int32_t batches[] = {1, 7, 15, 16, 17, 60};
    struct error err = {0};
    for (size_t i = 0; i < ISA_COUNT; i++) {
        if (kernels_select(every_isa[i], &err) != 0)
            continue;
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
            check_gradients(spec, batches[b], 0.3f, INT32_MAX);
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

/* So many weights that OpenBLAS computes the gradient of their input. */
static void wide_layers(void **state)
{
    (void)state;
    const struct net_spec spec = small_spec("fc-2048-2048", 0);
    kernels_single_thread();
    check_gradients(&spec, 3, 0.04f, 4);
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
