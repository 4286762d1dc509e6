/* Networks as plain data: names, parameters, canonical text, labels, counts, schedules, initial
 * values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "nn/network.h"
#include "nn/spec.h"

static const struct shape mnist = {1, 28, 28};

static void assert_near(double actual, double expected, double tolerance)
{
    if (!(fabs(actual - expected) <= tolerance))
        fail_msg("%.17g is not within %g of %.17g", actual, tolerance, expected);
}

static struct net_spec named(const char *architecture, double dropout)
{
    struct net_spec spec;
    struct error err = {0};
    if (net_spec_named(architecture, mnist, 10, dropout, &spec, &err) != 0)
        fail_msg("%s", err.text);
    return spec;
}

static void lenet_has_pytorch_names_and_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum parameter_role role;
        int64_t rows, columns, offset;
    } expected[] = {
        {"fc1.weight", PARAMETER_FC, 300, 784, 0},
        {"fc1.bias", PARAMETER_BIAS, 300, 0, 235200},
        {"fc2.weight", PARAMETER_FC, 100, 300, 235504},
        {"fc2.bias", PARAMETER_BIAS, 100, 0, 265504},
        {"fc3.weight", PARAMETER_OUTPUT, 10, 100, 265616},
        {"fc3.bias", PARAMETER_BIAS, 10, 0, 266624},
    };
    struct net_spec spec = named("lenet-300-100", 0);
    struct parameter_spec p[NET_MAX_PARAMETERS];
    assert_int_equal(net_spec_parameters(&spec, p, NULL), 6);
    int64_t weights = 0;
    for (int i = 0; i < 6; i++) {
        assert_string_equal(p[i].name, expected[i].name);
        assert_int_equal(p[i].role, expected[i].role);
        assert_int_equal(p[i].rank, expected[i].columns ? 2 : 1);
        assert_int_equal(p[i].dims[0], expected[i].rows);
        assert_int_equal(p[i].dims[1], expected[i].columns);
        assert_int_equal(p[i].offset, expected[i].offset);
        assert_int_equal(p[i].is_weight, p[i].rank == 2);
        assert_int_equal(p[i].is_prunable, p[i].rank == 2);
        weights += p[i].is_weight ? p[i].count : 0;
    }
    assert_int_equal(weights, 266200);
    assert_int_equal(net_spec_block_size(&spec), 266640);
}

static void canonical_text_is_frozen(void **state)
{
    (void)state;
    static const struct {
        const char *architecture;
        double dropout;
        const char *text, *label;
    } rows[] = {
        {"lenet-300-100", 0, "input 1x28x28\nfc 300\nrelu\nfc 100\nrelu\nfc 10\n",
         "lenet-300-100.1x28x28.10"},
        {"fc-300-100", 0, "input 1x28x28\nfc 300\nrelu\nfc 100\nrelu\nfc 10\n",
         "lenet-300-100.1x28x28.10"},
        {"fc-7", 0.5, "input 1x28x28\nfc 7\nrelu\ndropout 0.5\nfc 10\n",
         "lenet-7.1x28x28.10.da5b0371ebab"},
        {"fc-7", 0.1, "input 1x28x28\nfc 7\nrelu\ndropout 0.1\nfc 10\n",
         "lenet-7.1x28x28.10.b9770696ed6a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net_spec spec = named(rows[i].architecture, rows[i].dropout);
        struct text text = {0};
        char label[NET_NAME_SIZE];
        net_spec_text(&spec, &text);
        net_spec_label(&spec, label);
        assert_string_equal(text.bytes, rows[i].text);
        assert_string_equal(label, rows[i].label);
        text_finish(&text);
    }
}

static void long_labels_differ_and_fit(void **state)
{
    (void)state;
    struct net_spec a = named("fc-1000000-1000000-1000000-1000000-1000000-1000000-1000001", 0);
    struct net_spec b = named("fc-1000000-1000000-1000000-1000000-1000000-1000000-1000002", 0);
    char label_a[NET_NAME_SIZE], label_b[NET_NAME_SIZE];
    net_spec_label(&a, label_a);
    net_spec_label(&b, label_b);
    assert_string_not_equal(label_a, label_b);
    assert_true(strlen(label_a) < NET_NAME_SIZE);
}

static void wrong_names_are_usage_errors(void **state)
{
    (void)state;
    static const struct {
        const char *architecture, *message;
    } rows[] = {
        {"lenet-300-10O", "whole numbers"},
        {"lenet-300", "at least 2 widths"},
        {"lenet-", "at least 2 widths"},
        {"fc-", "at least 1 width"},
        {"lenet-0-100", "whole numbers"},
        {"lenet-300--100", "whole numbers"},
        {"lenet-300-100-", "whole numbers"},
        {"fc-1048577", "whole numbers"},
        {"fc-007", "whole numbers"},
        {"fc-+7", "whole numbers"},
        {"fc-99999999999999999999", "whole numbers"},
        {"lenet300-100", "did you mean lenet-300-100?"},
        {"vgg-18", "did you mean vgg-19?"},
        {"transformer",
         "known are lenet-300-100, conv-2, conv-4, conv-6, resnet-18, vgg-19, lenet-A"},
        {"", "unknown network"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net_spec spec;
        struct error err = {0};
        assert_int_equal(net_spec_named(rows[i].architecture, mnist, 10, 0, &spec, &err), -1);
        assert_int_equal(err.class, ERROR_USAGE);
        if (!strstr(err.text, rows[i].message))
            fail_msg("'%s' gave: %s", rows[i].architecture, err.text);
    }
}

static void values_out_of_range_are_usage_errors(void **state)
{
    (void)state;
    struct net_spec spec;
    struct error err = {0};
    assert_int_equal(net_spec_named("fc-7", mnist, 1, 0, &spec, &err), -1);
    assert_int_equal(net_spec_named("fc-7", mnist, 257, 0, &spec, &err), -1);
    assert_int_equal(net_spec_named("fc-7", mnist, 10, 1, &spec, &err), -1);
    assert_int_equal(net_spec_named("fc-7", mnist, 10, -0.1, &spec, &err), -1);
    assert_int_equal(net_spec_named("fc-7", mnist, 10, NAN, &spec, &err), -1);
    assert_int_equal(net_spec_named("fc-7", (struct shape){0, 28, 28}, 10, 0, &spec, &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    spec = named("fc-7", 0);
    spec.classes = 11;
    struct parameter_spec p[NET_MAX_PARAMETERS];
    assert_int_equal(net_spec_parameters(&spec, p, &err), -1);
    assert_non_null(strstr(err.text, "10 outputs for 11 classes"));
}

static void as_many_layers_as_fit(void **state)
{
    (void)state;
    char architecture[512] = "fc";
    for (int i = 0; i < 47; i++)
        strcat(architecture, "-3");
    struct net_spec spec = named(architecture, 0);
    assert_int_equal(spec.layer_count, 95);
    struct error err = {0};
    strcat(architecture, "-3");
    assert_int_equal(net_spec_named(architecture, mnist, 10, 0, &spec, &err), -1);
    assert_non_null(strstr(err.text, "more than 47 hidden layers"));
}

static void operations_of_lenet(void **state)
{
    (void)state;
    struct net_spec spec = named("lenet-300-100", 0);
    assert_true(net_spec_step_operations(&spec, 60, 1) == 2.0 * 60 * (2 * 235200 + 3 * 31000));
    /* Dense down to the density at which the survivors alone are as fast, then in proportion. */
    assert_true(net_spec_step_operations(&spec, 60, 0.9) == 2.0 * 60 * (2 * 235200 + 3 * 31000));
    const double fewer = net_spec_step_operations(&spec, 60, 0.2);
    assert_true(fewer < 1.0 * 60 * (2 * 235200 + 3 * 31000));
    assert_near(net_spec_step_operations(&spec, 60, 0.02), fewer / 10, 1e-6 * fewer);
    assert_true(net_spec_evaluation_operations(&spec, 5000, 1) == 2.0 * 5000 * 266200);
}

static void schedules_follow_their_formulas(void **state)
{
    (void)state;
    struct schedule_spec step = {.base = 0.1,
                                 .warmup = 10,
                                 .kind = SCHEDULE_STEP,
                                 .drop_count = 2,
                                 .drops = {20, 30},
                                 .factor = 0.1};
    static const struct {
        int64_t iteration;
        double rate;
    } rows[] = {{0, 0},     {1, 0.01},  {9, 0.09},   {10, 0.1},    {19, 0.1},
                {20, 0.01}, {29, 0.01}, {30, 0.001}, {1000, 0.001}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_near(schedule_rate(&step, rows[i].iteration), rows[i].rate, 1e-15);
    struct schedule_spec cosine = {.base = 2, .kind = SCHEDULE_COSINE, .iterations = 100};
    assert_near(schedule_rate(&cosine, 0), 2, 0);
    assert_near(schedule_rate(&cosine, 50), 1, 1e-15);
    assert_near(schedule_rate(&cosine, 25), 1 + sqrt(0.5), 1e-15);
    assert_near(schedule_rate(&cosine, 100), 0, 1e-15);
    struct schedule_spec constant = {.base = 1.2e-3, .kind = SCHEDULE_CONSTANT};
    assert_true(schedule_rate(&constant, 0) == 1.2e-3);
    assert_true(schedule_rate(&constant, 49999) == 1.2e-3);
}

static void initial_values_are_glorot_from_the_stream(void **state)
{
    (void)state;
    struct net_spec spec = named("lenet-300-100", 0);
    struct parameter_spec p[NET_MAX_PARAMETERS];
    int count = net_spec_parameters(&spec, p, NULL);
    struct rng_stream stream = {.seed = 7, .purpose = RNG_INIT};
    float *block = malloc((size_t)net_spec_block_size(&spec) * sizeof *block);
    net_spec_initialize(&spec, (struct init_spec){.kind = INIT_GLOROT_NORMAL}, stream, block);
    for (int i = 0; i < count; i++) {
        double sigma = sqrt(2.0 / (double)(p[i].fan_in + p[i].fan_out)), squares = 0;
        for (int64_t e = 0; e < p[i].count; e++)
            squares += (double)block[p[i].offset + e] * (double)block[p[i].offset + e];
        double deviation = sqrt(squares / (double)p[i].count);
        if (p[i].is_weight)
            assert_near(deviation, sigma, 0.08 * sigma);
        else
            assert_near(deviation, 0, 0);
    }
    float one;
    rng_normal(stream, ((uint64_t)2 << 40) + 5, &one, 1);
    assert_true(block[p[2].offset + 5] == one * (float)sqrt(2.0 / 400));
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lenet_has_pytorch_names_and_shapes),
        cmocka_unit_test(canonical_text_is_frozen),
        cmocka_unit_test(long_labels_differ_and_fit),
        cmocka_unit_test(wrong_names_are_usage_errors),
        cmocka_unit_test(values_out_of_range_are_usage_errors),
        cmocka_unit_test(as_many_layers_as_fit),
        cmocka_unit_test(operations_of_lenet),
        cmocka_unit_test(schedules_follow_their_formulas),
        cmocka_unit_test(initial_values_are_glorot_from_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
