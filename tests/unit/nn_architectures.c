/* Convolutional networks as plain data: the paper's networks, names and shapes of parameters,
 * frozen texts and labels, shapes that do not fit, residual blocks, operations, initial values. */
#include "nn_support.h"

static const struct shape cifar = {3, 32, 32};

static struct net_spec named(const char *architecture, double dropout)
{
    struct net_spec spec;
    struct error err = {0};
    if (net_spec_named(architecture, cifar, 10, dropout, &spec, &err) != 0)
        fail_msg("%s", err.text);
    return spec;
}

static void weights_are_the_papers(void **state)
{
    (void)state;
    static const struct {
        const char *architecture;
        int64_t conv, fc, output, shortcut;
    } rows[] = {
        {"conv-2", 38592, 4259840, 2560, 0},   {"conv-4", 259776, 2162688, 2560, 0},
        {"conv-6", 1144512, 1114112, 2560, 0}, {"resnet-18", 267696, 0, 640, 2560},
        {"resnet-20", 267696, 0, 640, 2560},   {"vgg-19", 20018880, 0, 5120, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net_spec spec = named(rows[i].architecture, 0);
        struct parameter_spec p[NET_MAX_PARAMETERS];
        int64_t counts[PARAMETER_STATISTIC + 1] = {0}, weights = 0, prunable = 0;
        const int count = net_spec_parameters(&spec, p, NULL);
        for (int k = 0; k < count; k++) {
            counts[p[k].role] += p[k].count;
            weights += p[k].is_weight ? p[k].count : 0;
            prunable += p[k].is_prunable ? p[k].count : 0;
        }
        assert_int_equal(counts[PARAMETER_CONV], rows[i].conv);
        assert_int_equal(counts[PARAMETER_FC], rows[i].fc);
        assert_int_equal(counts[PARAMETER_OUTPUT], rows[i].output);
        assert_int_equal(counts[PARAMETER_SHORTCUT], rows[i].shortcut);
        assert_int_equal(prunable, rows[i].conv + rows[i].fc + rows[i].output);
        assert_int_equal(weights, prunable + rows[i].shortcut);
    }
}

static void totals_are_those_printed(void **state)
{
    (void)state;
    static const struct {
        const char *architecture;
        int64_t weights;
    } rows[] = {{"conv-2", 4300992}, {"conv-4", 2425024}, {"conv-6", 2261184}};
    for (size_t i = 0; i < 3; i++) {
        struct net_spec spec = named(rows[i].architecture, 0);
        struct parameter_spec p[NET_MAX_PARAMETERS];
        int64_t weights = 0;
        const int count = net_spec_parameters(&spec, p, NULL);
        for (int k = 0; k < count; k++)
            weights += p[k].is_weight ? p[k].count : 0;
        assert_int_equal(weights, rows[i].weights);
    }
}

/* Names with shapes, roles and places; statistics stand behind all that is trained. */
static void parameters_bear_pytorch_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum parameter_role role;
        int64_t dims[4];
    } rows[] = {
        {"conv1.weight", PARAMETER_CONV, {16, 3, 3, 3}},
        {"bn1.weight", PARAMETER_NORM, {16}},
        {"bn1.bias", PARAMETER_NORM, {16}},
        {"conv8.weight", PARAMETER_CONV, {32, 16, 3, 3}},
        {"shortcut1.weight", PARAMETER_SHORTCUT, {32, 16, 1, 1}},
        {"shortcut_bn1.bias", PARAMETER_NORM, {32}},
        {"conv14.weight", PARAMETER_CONV, {64, 32, 3, 3}},
        {"shortcut2.weight", PARAMETER_SHORTCUT, {64, 32, 1, 1}},
        {"conv19.weight", PARAMETER_CONV, {64, 64, 3, 3}},
        {"fc1.weight", PARAMETER_OUTPUT, {10, 64}},
        {"fc1.bias", PARAMETER_BIAS, {10}},
        {"bn1.running_mean", PARAMETER_STATISTIC, {16}},
        {"shortcut_bn2.running_var", PARAMETER_STATISTIC, {64}},
        {"bn19.running_var", PARAMETER_STATISTIC, {64}},
    };
    struct net_spec spec = named("resnet-18", 0);
    struct parameter_spec p[NET_MAX_PARAMETERS];
    const int count = net_spec_parameters(&spec, p, NULL);
    int at = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        while (at < count && strcmp(p[at].name, rows[i].name) != 0)
            at++; /* so the order is checked, too */
        if (at == count)
            fail_msg("%s is missing, or not in its place", rows[i].name);
        assert_int_equal(p[at].role, rows[i].role);
        assert_memory_equal(p[at].dims, rows[i].dims, sizeof rows[i].dims);
    }
    const int64_t trained = net_spec_trained_size(&spec);
    for (int i = 0; i < count; i++)
        assert_true((p[i].offset >= trained) == (p[i].role == PARAMETER_STATISTIC));
    assert_int_equal(count, 19 * 5 + 2 * 5 + 2);
}

static void texts_are_frozen(void **state)
{
    (void)state;
    struct net_spec spec = named("conv-2", 0.5);
    struct text text = {0};
    net_spec_text(&spec, &text);
    assert_string_equal(text.bytes,
                        "input 3x32x32\n"
                        "conv 64 3x3 stride 1 padding 1 bias\nrelu\n"
                        "conv 64 3x3 stride 1 padding 1 bias\nrelu\n"
                        "max-pool 2x2 stride 2\n"
                        "fc 256\nrelu\ndropout 0.5\nfc 256\nrelu\ndropout 0.5\nfc 10\n");
    text_finish(&text);
    spec = named("resnet-18", 0);
    net_spec_text(&spec, &text);
    assert_non_null(strstr(text.bytes,
                           "add\nrelu\nresidual\nconv 32 3x3 stride 2 padding 1\nbatch-norm\nrelu\n"
                           "conv 32 3x3 stride 1 padding 1\nbatch-norm\nshortcut\n"
                           "conv 32 1x1 stride 2 padding 0\nbatch-norm\nadd\nrelu\n"));
    assert_non_null(strstr(text.bytes, "add\nrelu\naverage-pool\nfc 10\n"));
    text_finish(&text);
}

static void labels_are_frozen(void **state)
{
    (void)state;
    static const struct {
        const char *architecture;
        double dropout;
        const char *label;
    } rows[] = {{"conv-2", 0, "conv-2.3x32x32.10"},
                {"conv-6", 0, "conv-6.3x32x32.10"},
                {"conv-4", 0.5, "conv-4.3x32x32.10."},
                {"resnet-20", 0, "resnet-18.3x32x32.10"},
                {"vgg-19", 0, "vgg-19.3x32x32.10"}};
    char label[NET_NAME_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net_spec spec = named(rows[i].architecture, rows[i].dropout);
        net_spec_label(&spec, label);
        assert_int_equal(strncmp(label, rows[i].label, strlen(rows[i].label)), 0);
        assert_int_equal(strlen(label), strlen(rows[i].label) + (rows[i].dropout > 0 ? 12 : 0));
    }
    struct net_spec own = named("conv-2", 0);
    own.layers[0].has_bias = false;
    net_spec_label(&own, label);
    assert_int_equal(strncmp(label, "own.3x32x32.10.", 15), 0);
    assert_int_equal(strlen(label), 27);
}

static void conv_layers(struct net_spec *spec, const struct layer_spec *layers, int count)
{
    *spec = (struct net_spec){.input = {3, 8, 8}, .classes = 5};
    for (int i = 0; i < count; i++)
        net_spec_add(spec, layers[i], NULL);
}

static void shapes_that_do_not_fit_are_told(void **state)
{
    (void)state;
    const struct layer_spec conv = {.kind = LAYER_CONV, .outputs = 4, .kernel = 3, .stride = 1};
    const struct layer_spec narrow = {.kind = LAYER_CONV, .outputs = 4, .kernel = 9, .stride = 1};
    const struct layer_spec still = {.kind = LAYER_CONV, .outputs = 4, .kernel = 3};
    const struct layer_spec none = {.kind = LAYER_CONV, .kernel = 3, .stride = 1};
    const struct layer_spec pool = {.kind = LAYER_MAX_POOL, .kernel = 16, .stride = 1};
    const struct layer_spec residual = {.kind = LAYER_RESIDUAL}, add = {.kind = LAYER_ADD};
    const struct layer_spec shortcut = {.kind = LAYER_SHORTCUT};
    const struct layer_spec fc = {.kind = LAYER_FC, .outputs = 5, .is_output = true};
    const struct {
        struct layer_spec layers[5];
        int count;
        const char *message;
    } rows[] = {
        {{conv, narrow}, 2, "layer 2 (conv): a window of 9x9 does not fit into the 6x6 image"},
        {{still}, 1, "layer 1 (conv): kernel 3, stride 0"},
        {{none}, 1, "layer 1 (conv): 0 channels"},
        {{pool}, 1, "layer 1 (max-pool): window 16"},
        {{residual, conv, add, fc}, 4, "behind layer 1: the body gives 4x6x6, the shortcut 3x8x8"},
        {{residual, add, fc}, 3, "behind layer 0: the residual block has no layers"},
        {{conv, add, fc}, 3, "behind layer 1: no residual block is open"},
        {{residual, residual}, 2, "behind layer 0: residual blocks do not nest"},
        {{shortcut}, 1, "behind layer 0: a shortcut stands once in a residual block"},
        {{residual, conv, fc}, 3, "the residual block begun behind layer 0 is not closed"},
        {{conv}, 1, "the last layer has 144 outputs for 5 classes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net_spec spec;
        struct parameter_spec p[NET_MAX_PARAMETERS];
        struct error err = {0};
        conv_layers(&spec, rows[i].layers, rows[i].count);
        assert_int_equal(net_spec_parameters(&spec, p, &err), -1);
        assert_int_equal(err.class, ERROR_USAGE);
        if (!strstr(err.text, rows[i].message))
            fail_msg("row %d gave: %s", (int)i, err.text);
    }
    struct net_spec spec;
    struct error err = {0};
    assert_int_equal(net_spec_named("vgg-19", (struct shape){1, 8, 8}, 10, 0, &spec, &err), -1);
    assert_non_null(strstr(err.text, "network 'vgg-19': layer "));
    assert_non_null(strstr(err.text, "does not fit into the 1x1 image"));
    assert_int_equal(net_spec_named("resnet-18", cifar, 10, 0.5, &spec, &err), -1);
    assert_non_null(strstr(err.text, "dropout"));
}

static void closing_a_block_puts_in_what_its_shortcut_needs(void **state)
{
    (void)state;
    const struct layer_spec wide = {
        .kind = LAYER_CONV, .outputs = 6, .kernel = 3, .stride = 2, .padding = 1};
    const struct layer_spec same = {
        .kind = LAYER_CONV, .outputs = 3, .kernel = 3, .stride = 1, .padding = 1};
    const struct layer_spec shrink = {.kind = LAYER_CONV, .outputs = 6, .kernel = 3, .stride = 1};
    const struct layer_spec residual = {.kind = LAYER_RESIDUAL}, norm = {.kind = LAYER_BATCH_NORM};
    struct net_spec spec;
    struct error err = {0};
    conv_layers(&spec, (struct layer_spec[]){residual, wide, norm}, 3);
    assert_int_equal(net_spec_close_residual(&spec, &err), 0);
    assert_int_equal(spec.layer_count, 7);
    assert_int_equal(spec.layers[3].kind, LAYER_SHORTCUT);
    assert_int_equal(spec.layers[4].kind, LAYER_CONV);
    assert_int_equal(spec.layers[4].stride, 2);
    assert_int_equal(spec.layers[4].kernel, 1);
    assert_int_equal(spec.layers[4].outputs, 6);
    assert_int_equal(spec.layers[5].kind, LAYER_BATCH_NORM);
    assert_int_equal(spec.layers[6].kind, LAYER_ADD);
    conv_layers(&spec, (struct layer_spec[]){residual, same}, 2);
    assert_int_equal(net_spec_close_residual(&spec, &err), 0);
    assert_int_equal(spec.layer_count, 3);
    assert_int_equal(net_spec_close_residual(&spec, &err), -1);
    assert_non_null(strstr(err.text, "no residual block is open"));
    conv_layers(&spec, (struct layer_spec[]){residual, shrink}, 2);
    assert_int_equal(net_spec_close_residual(&spec, &err), -1);
    assert_non_null(strstr(err.text, "no stride makes the shortcut's 8x8"));
}

static void layers_end_somewhere(void **state)
{
    (void)state;
    struct net_spec spec = {.input = cifar, .classes = 10};
    struct error err = {0};
    for (int i = 0; i < NET_MAX_LAYERS; i++)
        assert_int_equal(net_spec_add(&spec, (struct layer_spec){.kind = LAYER_RELU}, &err), 0);
    assert_int_equal(net_spec_add(&spec, (struct layer_spec){.kind = LAYER_RELU}, &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
}

static void operations_count_multiply_adds(void **state)
{
    (void)state;
    struct net_spec spec = named("conv-2", 0);
    const double first = 1024.0 * 64 * 27, rest = 1024.0 * 64 * 576 + 16384.0 * 256 + 65536 + 2560;
    assert_true(net_spec_step_operations(&spec, 60, 1) == 2 * 60 * (2 * first + 3 * rest));
    assert_true(net_spec_evaluation_operations(&spec, 7, 0.9) == 14 * (first + rest));
    spec = named("resnet-18", 0); /* shortcuts stay */
    const double shortcuts = 256.0 * 32 * 16 + 64.0 * 64 * 32;
    assert_true(net_spec_evaluation_operations(&spec, 3, 0) == 2 * 3 * shortcuts);
}

struct distribution {
    double deviation, greatest;
};

static struct distribution measure(const float *values, int64_t count)
{
    struct distribution d = {0};
    for (int64_t i = 0; i < count; i++) {
        d.deviation += (double)values[i] * (double)values[i] / (double)count;
        d.greatest = fmax(d.greatest, fabs((double)values[i]));
    }
    d.deviation = sqrt(d.deviation);
    return d;
}

static void initial_values_have_their_distributions(void **state)
{
    (void)state;
    struct net_spec spec = named("conv-2", 0);
    struct parameter_spec p[NET_MAX_PARAMETERS];
    net_spec_parameters(&spec, p, NULL);
    const int index = 2; /* conv2.weight */
    assert_string_equal(p[index].name, "conv2.weight");
    const double glorot = sqrt(2.0 / (576 + 576)), kaiming = sqrt(2.0 / 576);
    const struct {
        struct init_spec init;
        double deviation, greatest;
    } rows[] = {{{.kind = INIT_GLOROT_NORMAL}, glorot, 6 * glorot},
                {{.kind = INIT_GLOROT_TRUNCATED}, glorot, 2 * glorot / 0.87962566},
                {{.kind = INIT_KAIMING_NORMAL}, kaiming, 6 * kaiming},
                {{.kind = INIT_KAIMING_UNIFORM}, kaiming, sqrt(3.0) * kaiming},
                {{.kind = INIT_NORMAL, .sigma = 0.025}, 0.025, 6 * 0.025}};
    float *block = floats(net_spec_block_size(&spec));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        net_spec_initialize(&spec, rows[i].init, (struct rng_stream){7, RNG_INIT, 0}, block);
        const struct distribution d = measure(block + p[index].offset, p[index].count);
        assert_near(d.deviation, rows[i].deviation, 0.01 * rows[i].deviation);
        assert_true(d.greatest <= rows[i].greatest * 1.000001);
        assert_true(d.greatest > rows[i].greatest * (i == 1 || i == 3 ? 0.99 : 0.6));
    }
    free(block);
}

/* The numbers of the stream that elements come from. */
static void initial_values_are_frozen(void **state)
{
    (void)state;
    struct net_spec spec = named("conv-2", 0);
    struct parameter_spec p[NET_MAX_PARAMETERS];
    net_spec_parameters(&spec, p, NULL);
    const struct rng_stream stream = {7, RNG_INIT, 0};
    float *plain = floats(net_spec_block_size(&spec)), *cut = floats(net_spec_block_size(&spec));
    net_spec_initialize(&spec, (struct init_spec){.kind = INIT_NORMAL, .sigma = 1}, stream, plain);
    net_spec_initialize(&spec, (struct init_spec){.kind = INIT_GLOROT_TRUNCATED}, stream, cut);
    const float scale = (float)(sqrt(2.0 / 1152) / 0.87962566103423978);
    int redrawn = 0;
    for (int64_t e = 0; e < p[2].count; e++) {
        float value = plain[p[2].offset + e];
        if (fabsf(value) > 2) {
            redrawn++;
            rng_normal(stream, ((uint64_t)1 << 48) + ((uint64_t)2 << 40) + (uint64_t)e, &value, 1);
        }
        assert_true(fabsf(value) > 2 || cut[p[2].offset + e] == value * scale);
    }
    assert_near(redrawn, 0.0455 * (double)p[2].count, 200);
    net_spec_initialize(&spec, (struct init_spec){.kind = INIT_KAIMING_UNIFORM}, stream, plain);
    const float uniform = rng_uniform(stream, ((uint64_t)2 << 40) + 5);
    assert_true(plain[p[2].offset + 5] == (2 * uniform - 1) * (float)sqrt(6.0 / 576));
    free(plain);
    free(cut);
}

static void norms_start_as_the_identity(void **state)
{
    (void)state;
    struct net_spec spec = named("resnet-18", 0);
    struct parameter_spec p[NET_MAX_PARAMETERS];
    const int count = net_spec_parameters(&spec, p, NULL);
    float *block = floats(net_spec_block_size(&spec));
    net_spec_initialize(&spec, (struct init_spec){.kind = INIT_GLOROT_NORMAL},
                        (struct rng_stream){7, RNG_INIT, 0}, block);
    for (int i = 0; i < count; i++) {
        const char *tensor = strchr(p[i].name, '.') + 1;
        const bool one = strcmp(tensor, "running_var") == 0 ||
                         (p[i].role == PARAMETER_NORM && strcmp(tensor, "weight") == 0);
        for (int64_t e = 0; !p[i].is_weight && e < p[i].count; e++)
            assert_true(block[p[i].offset + e] == (one ? 1 : 0));
    }
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_the_papers),
        cmocka_unit_test(totals_are_those_printed),
        cmocka_unit_test(parameters_bear_pytorch_names),
        cmocka_unit_test(texts_are_frozen),
        cmocka_unit_test(labels_are_frozen),
        cmocka_unit_test(shapes_that_do_not_fit_are_told),
        cmocka_unit_test(closing_a_block_puts_in_what_its_shortcut_needs),
        cmocka_unit_test(layers_end_somewhere),
        cmocka_unit_test(operations_count_multiply_adds),
        cmocka_unit_test(initial_values_have_their_distributions),
        cmocka_unit_test(initial_values_are_frozen),
        cmocka_unit_test(norms_start_as_the_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
