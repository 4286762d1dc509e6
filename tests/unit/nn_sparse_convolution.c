/* Every instruction set's sparse 3x3 convolutions against the plain reference and the dense one, at
 * awkward sizes. */
#include "nn_sparse.h"

#define GUARD 7.25f
#define TAPS 9

static const struct conv_shape shapes[] = {
    {1, 1, 1, 1, 3, 1, 1},    {3, 5, 5, 7, 3, 1, 1},  {2, 3, 2, 2, 3, 1, 1},
    {4, 6, 4, 4, 3, 1, 1},    {5, 4, 8, 8, 3, 1, 1},  {3, 2, 17, 16, 3, 1, 1},
    {2, 3, 9, 33, 3, 1, 1},   {70, 9, 4, 4, 3, 1, 1}, {1, 17, 3, 20, 3, 1, 1},
    {90, 2, 3, 16, 3, 1, 1},  /* a strip of four vectors is too large */
    {1, 40, 32, 32, 3, 1, 1}, /* 80 columns of the result are streamed */
};
static const int64_t batches[] = {16, 48, 80};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The work of one check; w is dense, with zeros where nothing is kept. */
struct example {
    struct conv_shape shape;
    int64_t columns, x_count, y_count;
    struct sparse_sample sample;
    struct sparse_pattern turned;
    int32_t *place;
    float *x, *dy, *bias, *y, *expected, *scratch;
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void example_begin(struct example *e, const struct conv_shape *shape, int64_t columns,
                          int64_t channels_in_band, double density)
{
    const int64_t plane = shape->height * shape->width * columns;
    *e = (struct example){.shape = *shape,
                          .columns = columns,
                          .x_count = shape->inputs * plane,
                          .y_count = shape->outputs * plane};
    const int64_t most = larger(e->x_count, e->y_count) + KERNEL_LANES;
    e->sample = sparse_sample(shape->outputs, shape->inputs * TAPS, channels_in_band * TAPS,
                              density, (uint64_t)columns + 3);
    assert_int_equal(pattern_turn(&e->sample.pattern, TAPS, channels_in_band * TAPS, &e->turned,
                                  &e->place, NULL),
                     0);
    e->x = floats(e->x_count);
    e->dy = floats(e->y_count);
    e->bias = floats(shape->outputs);
    e->y = floats(most);
    e->expected = floats(most);
    e->scratch = floats(larger(
        sparse_conv_scratch_floats(shape->inputs, shape->outputs, shape->height, shape->width),
        sparse_conv_scratch_floats(shape->outputs, shape->inputs, shape->height, shape->width)));
    fill_normal(e->x, e->x_count, 5);
    fill_normal(e->dy, e->y_count, 6);
    fill_normal(e->bias, shape->outputs, 7);
}

static void example_end(struct example *e)
{
    sparse_sample_finish(&e->sample);
    pattern_finish(&e->turned);
    free(e->place);
    free(e->x);
    free(e->dy);
    free(e->bias);
    free(e->y);
    free(e->expected);
    free(e->scratch);
}

static void set_guard(struct example *e, int64_t count)
{
    for (int64_t i = 0; i < count + KERNEL_LANES; i++)
        e->y[i] = i < count ? NAN : GUARD;
}

static void assert_result(const struct example *e, int64_t count, double tolerance)
{
    for (int64_t i = 0; i < count; i++)
        assert_near((double)e->y[i], (double)e->expected[i], tolerance);
    for (int64_t i = count; i < count + KERNEL_LANES; i++)
        assert_true(e->y[i] == GUARD);
}

static void check_forward(const struct kernels *kernels, struct example *e)
{
    struct sparse_conv_data call = {.pattern = &e->sample.pattern,
                                    .values = e->sample.values,
                                    .height = e->shape.height,
                                    .width = e->shape.width,
                                    .columns = e->columns,
                                    .x = e->x,
                                    .bias = e->columns == 16 ? NULL : e->bias,
                                    .rectify = e->columns == 48,
                                    .y = e->y,
                                    .scratch = e->scratch};
    set_guard(e, e->y_count);
    kernels->sparse_conv_data(&call);
    call.y = e->expected;
    kernels_reference.sparse_conv_data(&call);
    const double tolerance = 1e-6 * (double)(e->shape.inputs * TAPS + 10);
    assert_result(e, e->y_count, tolerance);
    kernels_reference.conv_data[0](&(struct conv_data){.shape = e->shape,
                                                       .columns = e->columns,
                                                       .x = e->x,
                                                       .w = e->sample.dense,
                                                       .bias = call.bias,
                                                       .rectify = call.rectify,
                                                       .y = e->expected});
    assert_result(e, e->y_count, tolerance);
}

static void check_backward(const struct kernels *kernels, struct example *e)
{
    float *values = floats(e->turned.entries + 1);
    kernels->gather(e->sample.values, e->place, e->turned.entries, values);
    set_guard(e, e->x_count);
    kernels->sparse_conv_data(&(struct sparse_conv_data){.pattern = &e->turned,
                                                         .values = values,
                                                         .height = e->shape.height,
                                                         .width = e->shape.width,
                                                         .columns = e->columns,
                                                         .x = e->dy,
                                                         .y = e->y,
                                                         .scratch = e->scratch});
    kernels_reference.conv_data[0](&(struct conv_data){.shape = e->shape,
                                                       .columns = e->columns,
                                                       .backward = true,
                                                       .x = e->dy,
                                                       .w = e->sample.dense,
                                                       .y = e->expected});
    assert_result(e, e->x_count, 1e-6 * (double)(e->shape.outputs * TAPS + 10));
    free(values);
}

static void check_gradient(const struct kernels *kernels, struct example *e)
{
    const int64_t count = e->sample.pattern.entries;
    const int64_t summed = e->shape.height * e->shape.width * e->columns;
    float *gradient = floats(count + KERNEL_LANES), *expected = floats(count + 1);
    float *dense = floats(e->shape.outputs * e->shape.inputs * TAPS);
    for (int64_t i = 0; i < count + KERNEL_LANES; i++)
        gradient[i] = GUARD;
    struct sparse_conv_gradient call = {.pattern = &e->sample.pattern,
                                        .height = e->shape.height,
                                        .width = e->shape.width,
                                        .columns = e->columns,
                                        .x = e->x,
                                        .dy = e->dy,
                                        .gradient = gradient,
                                        .scratch = e->scratch};
    kernels->sparse_conv_gradient(&call);
    call.gradient = expected;
    kernels_reference.sparse_conv_gradient(&call);
    kernels_reference.conv_gradient[0](&(struct conv_gradient){
        .shape = e->shape, .columns = e->columns, .x = e->x, .dy = e->dy, .dw = dense});
    for (int64_t k = 0; k < count; k++) {
        const double exact = (double)dense[entry_element(&e->sample.pattern, k)];
        assert_near((double)gradient[k], (double)expected[k], 2e-6 * (double)(summed + 100));
        assert_near((double)gradient[k], exact, 2e-6 * (double)(summed + 100));
    }
    for (int64_t i = count; i < count + KERNEL_LANES; i++)
        assert_true(gradient[i] == GUARD);
    free(gradient);
    free(expected);
    free(dense);
}

/* The last columns alone give the bits they give among all. */
static void check_columns(const struct kernels *kernels, struct example *e)
{
    const int64_t plane = e->shape.height * e->shape.width, from = e->columns - KERNEL_LANES;
    float *x = floats(e->shape.inputs * plane * KERNEL_LANES);
    float *y = floats(e->shape.outputs * plane * KERNEL_LANES);
    for (int64_t i = 0; i < e->shape.inputs * plane; i++)
        memcpy(x + i * KERNEL_LANES, e->x + i * e->columns + from, KERNEL_LANES * sizeof *x);
    struct sparse_conv_data call = {.pattern = &e->sample.pattern,
                                    .values = e->sample.values,
                                    .height = e->shape.height,
                                    .width = e->shape.width,
                                    .columns = e->columns,
                                    .x = e->x,
                                    .y = e->y,
                                    .scratch = e->scratch};
    kernels->sparse_conv_data(&call);
    call.columns = KERNEL_LANES;
    call.x = x;
    call.y = y;
    kernels->sparse_conv_data(&call);
    for (int64_t i = 0; i < e->shape.outputs * plane; i++)
        assert_memory_equal(e->y + i * e->columns + from, y + i * KERNEL_LANES,
                            KERNEL_LANES * sizeof *y);
    free(x);
    free(y);
}

static void for_each_example(void (*check)(const struct kernels *kernels, struct example *e))
{
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (size_t b = 0; b < COUNT(batches); b++)
            for (size_t d = 0; d < DENSITIES; d++) {
                struct example e;
                /* Several bands where there are channels for them. */
                const int64_t channels = b == 0 ? larger(shapes[s].inputs, shapes[s].outputs) : 3;
                example_begin(&e, &shapes[s], batches[b], channels, every_density[d]);
                for (size_t i = 0; i < ISA_COUNT; i++)
                    if (kernels_find(every_isa[i]))
                        check(kernels_find(every_isa[i]), &e);
                example_end(&e);
            }
}

static void forward_matches_the_reference(void **state)
{
    (void)state;
    for_each_example(check_forward);
}

static void backward_matches_the_dense_reference(void **state)
{
    (void)state;
    for_each_example(check_backward);
}

static void gradients_match_the_references(void **state)
{
    (void)state;
    for_each_example(check_gradient);
}

static void columns_are_computed_apart(void **state)
{
    (void)state;
    for_each_example(check_columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_matches_the_reference),
        cmocka_unit_test(backward_matches_the_dense_reference),
        cmocka_unit_test(gradients_match_the_references),
        cmocka_unit_test(columns_are_computed_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
