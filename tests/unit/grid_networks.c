/* Networks that a grid defines itself: what is taken, what is filled in, and what is refused where.
 */
#include "grid_helpers.h"

/* "conv 64 3 1 1 bias; relu; ..." */
static void describe_layers(const struct grid_network *network, struct text *text)
{
    static const char *const words[] = {
        [GRID_LAYER_FC] = "fc",
        [GRID_LAYER_CONV] = "conv",
        [GRID_LAYER_RELU] = "relu",
        [GRID_LAYER_BATCH_NORM] = "batch-norm",
        [GRID_LAYER_DROPOUT] = "dropout",
        [GRID_LAYER_MAX_POOL] = "max-pool",
        [GRID_LAYER_AVERAGE_POOL] = "average-pool",
        [GRID_LAYER_RESIDUAL] = "residual",
        [GRID_LAYER_END] = "end",
    };
    for (int32_t i = 0; i < network->layer_count; i++) {
        const struct grid_layer *layer = &network->layers[i];
        text_add(text, "%s%s", i > 0 ? "; " : "", words[layer->kind]);
        if (layer->outputs > 0)
            text_add(text, " %lld", (long long)layer->outputs);
        if (layer->kernel > 0)
            text_add(text, " %lld %lld %lld", (long long)layer->kernel, (long long)layer->stride,
                     (long long)layer->padding);
        if (layer->bias)
            text_add(text, " bias");
        if (layer->drop > 0)
            text_add(text, " %g", layer->drop);
    }
}

static void expect_layers(const char *yaml, const char *expected)
{
    struct grid *grid = parse(yaml);
    struct text text = {0};
    assert_int_equal(grid->network_count, 1);
    describe_layers(&grid->networks[0], &text);
    assert_string_equal(text.bytes, expected);
    text_finish(&text);
    grid_destroy(grid);
}

static void test_layers(void **state)
{
    (void)state;
    expect_layers("networks: {mine: [{conv: 64}, relu, max-pool, {fc: 256}, {dropout: 0.5}]}\n",
                  "conv 64 3 1 1 bias; relu; max-pool 2 2 0; fc 256; dropout 0.5");
    expect_layers("networks:\n"
                  "  mine:\n"
                  "  - {conv: {outputs: 16, kernel: 5, stride: 2, padding: 0, bias: false}}\n"
                  "  - conv: {outputs: 8, kernel: 1}\n"
                  "  - batch-norm\n"
                  "  - {max-pool: 3}\n"
                  "  - {max-pool: {kernel: 3, stride: 2}}\n"
                  "  - {fc: {outputs: 7}}\n"
                  "  - {dropout: {drop: 0.25}}\n"
                  "  - average-pool\n",
                  "conv 16 5 2 0; conv 8 1 1 0 bias; batch-norm; max-pool 3 3 0; max-pool 3 2 0; "
                  "fc 7; dropout 0.25; average-pool");
    expect_layers("networks: {mine: [residual: [{conv: 8}, relu, {conv: 8}], relu]}\n",
                  "residual; conv 8 3 1 1 bias; relu; conv 8 3 1 1 bias; end; relu");
}

static void test_anchors_repeat_layers(void **state)
{
    (void)state;
    expect_layers("networks:\n"
                  "  mine:\n"
                  "  - &block {residual: [{conv: 8}, relu]}\n"
                  "  - *block\n",
                  "residual; conv 8 3 1 1 bias; relu; end; residual; conv 8 3 1 1 bias; relu; end");
}

static void test_names(void **state)
{
    (void)state;
    struct grid *grid = parse("networks: {small: [relu], large: [{fc: 5}]}\n"
                              "axes: {architecture: [small, large, lenet-300-100]}\n");
    assert_int_equal(grid->network_count, 2);
    assert_int_equal(grid->experiment_count, 3);
    assert_ptr_equal(grid_network_find(grid, "large"), &grid->networks[1]);
    assert_null(grid_network_find(grid, "lenet-300-100"));
    struct error err = {0};
    const struct grid_network *large = &grid->networks[1];
    assert_int_equal(grid_network_error(&err, grid, large, large->mark, "does not %s", "fit"), -1);
    assert_string_equal(err.text, "folder/g.yaml:1:27: networks.large: does not fit");
    grid_destroy(grid);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *start, *part;
    } refusals[] = {
        {"networks: [relu]\n", "g.yaml:1:11: networks: a list", "a map of names"},
        {"networks: {m: relu}\n", "g.yaml:1:15: networks.m: a single value", "a list of layers"},
        {"networks: {m: []}\n", "g.yaml:1:15: networks.m: an empty list", "a list of layers"},
        {"networks: {m: [convolution]}\n", "g.yaml:1:16: networks.m: there is no layer convolution",
         "layers are fc, conv, relu"},
        {"networks: {m: [maxpool]}\n", "g.yaml:1:16: networks.m: there is no layer maxpool",
         "did you mean max-pool?"},
        {"networks: {m: [conv]}\n", "g.yaml:1:16: networks.m: conv without outputs", "{conv: 64}"},
        {"networks: {m: [{conv: {kernel: 3}}]}\n", "g.yaml:1:17: networks.m: conv without", ""},
        {"networks: {m: [dropout]}\n", "g.yaml:1:16: networks.m: dropout without", "0.5"},
        {"networks: {m: [{dropout: 1}]}\n", "g.yaml:1:26: networks.m: dropout.drop", "below 1"},
        {"networks: {m: [{conv: 0}]}\n", "g.yaml:1:23: networks.m: conv.outputs: 0 is out of", ""},
        {"networks: {m: [{conv: {outputs: 3, strid: 2}}]}\n",
         "g.yaml:1:36: networks.m: unknown key", "did you mean stride?"},
        {"networks: {m: [{conv: {outputs: 3, bias: 1}}]}\n", "g.yaml:1:42: networks.m: conv.bias",
         "true or false"},
        {"networks: {m: [{relu: 3}]}\n", "g.yaml:1:17: networks.m: relu has no options", ""},
        {"networks: {m: [{fc: 3, relu: 1}]}\n", "g.yaml:1:16: networks.m: a map of several", ""},
        {"networks: {m: [residual]}\n", "g.yaml:1:16: networks.m: residual without layers", ""},
        {"networks: {m: [{residual: [{residual: [relu]}]}]}\n",
         "g.yaml:1:29: networks.m: a residual block inside", "do not nest"},
        {"networks: {m: [relu], m: [relu]}\n", "g.yaml:1:23: ", "duplicate key"},
        {"experiments: [{networks: {m: [relu]}}]\n", "g.yaml:1:16: networks: unknown key", ""},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        expect_refusal(refusals[i].yaml, refusals[i].start, refusals[i].part);
}

static void test_too_many_layers(void **state)
{
    (void)state;
    struct text text = {0};
    text_add(&text, "networks:\n  m:\n");
    for (int i = 0; i <= GRID_MAX_NETWORK_LAYERS; i++)
        text_add(&text, "  - relu\n");
    expect_refusal(text.bytes, "g.yaml:131:5: networks.m: more than 128 layers", "");
    text_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),          cmocka_unit_test(test_anchors_repeat_layers),
        cmocka_unit_test(test_names),           cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_too_many_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
