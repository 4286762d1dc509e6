/* The 3x3 convolutions: every method of every instruction set against sums in double precision, at
 * awkward sizes; what their bits depend on; and which method a shape goes through. */
#include "nn_support.h"

#include "../../src/nn/kernels/kernels.h"

#define GUARD 64 /* floats behind every buffer that is written */
#define GUARD_VALUE 1e30f

static const struct {
    struct conv_shape shape;
    int64_t columns;
} cases[] = {
    {{1, 1, 1, 1, 3, 1, 1}, 16},   {{1, 5, 7, 3, 3, 1, 1}, 16},   {{3, 64, 5, 5, 3, 1, 1}, 16},
    {{3, 5, 4, 4, 3, 1, 1}, 48},   {{16, 16, 7, 5, 3, 1, 1}, 64}, {{17, 50, 9, 3, 3, 1, 1}, 80},
    {{64, 70, 8, 8, 3, 1, 1}, 16}, {{65, 49, 2, 2, 3, 1, 1}, 64}, {{130, 7, 6, 11, 3, 1, 1}, 16},
    {{7, 97, 1, 13, 3, 1, 1}, 32}, {{49, 65, 3, 3, 3, 1, 1}, 16}, {{8, 8, 12, 4, 3, 1, 1}, 112},
};
#define CASES (sizeof cases / sizeof *cases)

/* One convolution of normal numbers: its operands, and the reference's results. */
struct example {
    struct conv_shape shape;
    int64_t columns, inputs, outputs, weights; /* floats */
    float *x, *dy, *w, *bias;
    float *y, *dx, *dw, *rectified;
};

static float *normal(int64_t count, uint64_t seed)
{
    float *values = floats(count);
    fill_normal(values, count, seed);
    return values;
}

static struct conv_data forward_of(const struct example *e, float *y, float *scratch)
{
    return (struct conv_data){
        .shape = e->shape, .columns = e->columns, .x = e->x, .w = e->w, .y = y, .scratch = scratch};
}

static struct conv_data rectified_of(const struct example *e, float *y, float *scratch)
{
    struct conv_data call = forward_of(e, y, scratch);
    call.bias = e->bias;
    call.rectify = true;
    return call;
}

static struct conv_data backward_of(const struct example *e, float *dx, float *scratch)
{
    struct conv_data call = forward_of(e, dx, scratch);
    call.backward = true;
    call.x = e->dy;
    return call;
}

static struct conv_gradient gradient_of(const struct example *e, float *dw, float *scratch)
{
    return (struct conv_gradient){.shape = e->shape,
                                  .columns = e->columns,
                                  .x = e->x,
                                  .dy = e->dy,
                                  .dw = dw,
                                  .scratch = scratch};
}

static struct example new_example(struct conv_shape shape, int64_t columns)
{
    const int64_t plane = shape.height * shape.width * columns;
    struct example e = {.shape = shape,
                        .columns = columns,
                        .inputs = shape.inputs * plane,
                        .outputs = shape.outputs * plane,
                        .weights = shape.outputs * shape.inputs * 9};
    e.x = normal(e.inputs, 1);
    e.dy = normal(e.outputs, 2);
    e.w = normal(e.weights, 3);
    e.bias = normal(shape.outputs, 4);
    e.y = floats(e.outputs);
    e.rectified = floats(e.outputs);
    e.dx = floats(e.inputs);
    e.dw = floats(e.weights);
    const struct kernels *reference = &kernels_reference;
    const struct conv_data forward = forward_of(&e, e.y, NULL),
                           rectified = rectified_of(&e, e.rectified, NULL),
                           backward = backward_of(&e, e.dx, NULL);
    const struct conv_gradient gradient = gradient_of(&e, e.dw, NULL);
    reference->conv_data[0](&forward);
    reference->conv_data[0](&rectified);
    reference->conv_data[0](&backward);
    reference->conv_gradient[0](&gradient);
    return e;
}

static void free_example(struct example *e)
{
    float *const buffers[] = {e->x, e->dy, e->w, e->bias, e->y, e->dx, e->dw, e->rectified};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        free(buffers[i]);
}

/* NaN wherever nothing has been written, and a guard behind. */
static float *guarded(int64_t count)
{
    float *values = floats(count + GUARD);
    for (int64_t i = 0; i < count + GUARD; i++)
        values[i] = i < count ? NAN : GUARD_VALUE;
    return values;
}

static void release(float *values, int64_t count)
{
    for (int64_t i = count; i < count + GUARD; i++)
        assert_true(values[i] == GUARD_VALUE);
    free(values);
}

static double tolerance_of(enum conv_method method)
{
    return method == CONV_WINOGRAD ? 1e-4 : 1e-5;
}

/* Within `tolerance` of the greatest value. */
static void assert_close(const float *actual, const float *expected, int64_t count,
                         double tolerance)
{
    double greatest = 0;
    for (int64_t i = 0; i < count; i++)
        greatest = fmax(greatest, fabs((double)expected[i]));
    for (int64_t i = 0; i < count; i++)
        assert_near((double)actual[i], (double)expected[i], tolerance * greatest);
}

static void check_data(const struct kernels *kernels, enum conv_method method,
                       struct conv_data call, const float *expected, int64_t count)
{
    const int64_t scratch_floats =
        conv_data_scratch(method, &call.shape, call.columns, call.backward);
    call.y = guarded(count);
    call.scratch = guarded(scratch_floats);
    kernels->conv_data[method](&call);
    assert_close(call.y, expected, count, tolerance_of(method));
    release(call.y, count);
    release(call.scratch, scratch_floats);
}

static void check_gradient(const struct kernels *kernels, enum conv_method method,
                           const struct example *e)
{
    const int64_t scratch_floats = conv_gradient_scratch(method, &e->shape, e->columns);
    const struct conv_gradient call = gradient_of(e, guarded(e->weights), guarded(scratch_floats));
    kernels->conv_gradient[method](&call);
    assert_close(call.dw, e->dw, e->weights, tolerance_of(method));
    release(call.dw, e->weights);
    release(call.scratch, scratch_floats);
}

static void check_example(const struct kernels *kernels, const struct example *e)
{
    for (enum conv_method method = 0; method < CONV_METHODS; method++) {
        check_data(kernels, method, forward_of(e, NULL, NULL), e->y, e->outputs);
        check_data(kernels, method, rectified_of(e, NULL, NULL), e->rectified, e->outputs);
        check_data(kernels, method, backward_of(e, NULL, NULL), e->dx, e->inputs);
        check_gradient(kernels, method, e);
    }
}

static void every_method_matches_the_reference(void **state)
{
    (void)state;
    for (size_t c = 0; c < CASES; c++) {
        struct example e = new_example(cases[c].shape, cases[c].columns);
        for (size_t i = 0; i < ISA_COUNT; i++)
            if (kernels_find(every_isa[i]))
                check_example(kernels_find(every_isa[i]), &e);
        free_example(&e);
    }
}

/* Columns from `begin` on, KERNEL_LANES of each row. */
static float *some_columns(const float *all, int64_t rows, int64_t columns, int64_t begin)
{
    float *some = floats(rows * KERNEL_LANES);
    for (int64_t r = 0; r < rows; r++)
        memcpy(some + r * KERNEL_LANES, all + r * columns + begin, KERNEL_LANES * sizeof *all);
    return some;
}

/* The same columns alone, at another place in memory, with other leavings in the scratch. */
static void check_columns(const struct kernels *kernels, enum conv_method method,
                          const struct example *e, const float *y, int64_t begin)
{
    const int64_t rows_in = e->inputs / e->columns, rows_out = e->outputs / e->columns;
    const int64_t scratch_floats = conv_data_scratch(method, &e->shape, KERNEL_LANES, false);
    float *x = some_columns(e->x, rows_in, e->columns, begin);
    float *expected = some_columns(y, rows_out, e->columns, begin);
    float *moved = floats(rows_in * KERNEL_LANES + 1), *actual = floats(rows_out * KERNEL_LANES);
    float *scratch = normal(scratch_floats, 9);
    memcpy(moved + 1, x, (size_t)(rows_in * KERNEL_LANES) * sizeof *x);
    struct conv_data call = rectified_of(e, actual, scratch);
    call.columns = KERNEL_LANES;
    call.x = moved + 1;
    kernels->conv_data[method](&call);
    assert_memory_equal(actual, expected, (size_t)(rows_out * KERNEL_LANES) * sizeof *actual);
    free(x);
    free(expected);
    free(moved);
    free(actual);
    free(scratch);
}

static void column_bits(const struct kernels *kernels, const struct example *e)
{
    for (enum conv_method method = 0; method < CONV_METHODS; method++) {
        float *y = floats(e->outputs);
        float *scratch = floats(conv_data_scratch(method, &e->shape, e->columns, false));
        const struct conv_data call = rectified_of(e, y, scratch);
        kernels->conv_data[method](&call);
        for (int64_t begin = 0; begin < e->columns; begin += KERNEL_LANES)
            check_columns(kernels, method, e, y, begin);
        free(y);
        free(scratch);
    }
}

static void a_column_does_not_depend_on_the_others(void **state)
{
    (void)state;
    struct example e = new_example((struct conv_shape){70, 50, 5, 6, 3, 1, 1}, 80);
    for (size_t i = 0; i < ISA_COUNT; i++)
        if (kernels_find(every_isa[i]))
            column_bits(kernels_find(every_isa[i]), &e);
    free_example(&e);
}

/* Makes column `column` padding: zero in dy, `value` in x. */
static void pad(struct example *e, int64_t column, float value)
{
    for (int64_t i = column; i < e->inputs; i += e->columns)
        e->x[i] = value;
    for (int64_t i = column; i < e->outputs; i += e->columns)
        e->dy[i] = 0;
}

static void padding_bits(const struct kernels *kernels, struct example *e)
{
    for (enum conv_method method = 0; method < CONV_METHODS; method++) {
        float *dw[2];
        for (int i = 0; i < 2; i++) {
            dw[i] = floats(e->weights);
            float *scratch = floats(conv_gradient_scratch(method, &e->shape, e->columns));
            for (int64_t column = 7; column < e->columns; column++)
                pad(e, column, i ? 1e6f : -3);
            const struct conv_gradient call = gradient_of(e, dw[i], scratch);
            kernels->conv_gradient[method](&call);
            free(scratch);
        }
        assert_memory_equal(dw[0], dw[1], (size_t)e->weights * sizeof *dw[0]);
        free(dw[0]);
        free(dw[1]);
    }
}

static void padding_columns_change_no_gradient(void **state)
{
    (void)state;
    struct example e = new_example((struct conv_shape){5, 20, 5, 6, 3, 1, 1}, 16);
    for (size_t i = 0; i < ISA_COUNT; i++)
        if (kernels_find(every_isa[i]))
            padding_bits(kernels_find(every_isa[i]), &e);
    free_example(&e);
}

/* Infinite inputs of one example leave the others alone, and NaN is not rectified away. */
static void broken_examples_stay_alone(void **state)
{
    (void)state;
    const struct conv_shape shape = {4, 6, 8, 8, 3, 1, 1};
    struct example e = new_example(shape, 16);
    for (int64_t i = 3; i < e.inputs; i += e.columns)
        e.x[i] = NAN;
    for (size_t i = 0; i < ISA_COUNT; i++) {
        const struct kernels *kernels = kernels_find(every_isa[i]);
        for (enum conv_method method = 0; kernels && method < CONV_METHODS; method++) {
            float *y = floats(e.outputs);
            float *scratch = floats(conv_data_scratch(method, &shape, 16, false));
            const struct conv_data call = rectified_of(&e, y, scratch);
            kernels->conv_data[method](&call);
            for (int64_t j = 0; j < e.outputs; j++)
                assert_int_equal(isnan(y[j]), j % 16 == 3);
            free(y);
            free(scratch);
        }
    }
    free_example(&e);
}

static void methods_are_chosen_by_shape(void **state)
{
    (void)state;
    static const struct {
        struct conv_shape shape;
        enum conv_method forward, backward, gradient;
    } choices[] = {
        {{3, 64, 32, 32, 3, 1, 1}, CONV_DIRECT, CONV_WINOGRAD, CONV_DIRECT},
        {{16, 16, 32, 32, 3, 1, 1}, CONV_WINOGRAD, CONV_WINOGRAD, CONV_WINOGRAD},
        {{64, 64, 32, 32, 3, 1, 1}, CONV_WINOGRAD, CONV_WINOGRAD, CONV_WINOGRAD},
        {{512, 512, 4, 4, 3, 1, 1}, CONV_WINOGRAD, CONV_WINOGRAD, CONV_WINOGRAD},
        {{512, 512, 2, 2, 3, 1, 1}, CONV_SMALL, CONV_SMALL, CONV_SMALL},
        {{64, 1, 28, 28, 3, 1, 1}, CONV_WINOGRAD, CONV_DIRECT, CONV_WINOGRAD},
    };
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        const struct conv_shape *shape = &choices[i].shape;
        assert_int_equal(conv3x3_data_method(shape, false), choices[i].forward);
        assert_int_equal(conv3x3_data_method(shape, true), choices[i].backward);
        assert_int_equal(conv3x3_gradient_method(shape), choices[i].gradient);
    }
}

/* The doors lead to the chosen methods and hand on what they are given. */
static void doors_lead_to_the_methods(void **state)
{
    (void)state;
    for (size_t c = 0; c < CASES; c++) {
        struct example e = new_example(cases[c].shape, cases[c].columns);
        const struct kernels *kernels = kernels_current(NULL);
        const int64_t scratch_floats = conv3x3_scratch_floats(&e.shape, e.columns);
        float *scratch = guarded(scratch_floats);
        float *y = guarded(e.outputs), *dx = guarded(e.inputs), *dw = guarded(e.weights);
        conv3x3_forward(kernels, &e.shape, e.columns, e.x, e.w, e.bias, true, y, scratch);
        conv3x3_backward_data(kernels, &e.shape, e.columns, e.dy, e.w, dx, scratch);
        conv3x3_backward_weights(kernels, &e.shape, e.columns, e.x, e.dy, dw, scratch);
        assert_close(y, e.rectified, e.outputs, 1e-4);
        assert_close(dx, e.dx, e.inputs, 1e-4);
        assert_close(dw, e.dw, e.weights, 1e-4);
        release(scratch, scratch_floats);
        release(y, e.outputs);
        release(dx, e.inputs);
        release(dw, e.weights);
        free_example(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_matches_the_reference),
        cmocka_unit_test(a_column_does_not_depend_on_the_others),
        cmocka_unit_test(padding_columns_change_no_gradient),
        cmocka_unit_test(broken_examples_stay_alone),
        cmocka_unit_test(methods_are_chosen_by_shape),
        cmocka_unit_test(doors_lead_to_the_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
