/* The 3x3 convolutions on surviving weights: every instruction set against sums in double
 * precision over the pattern, and over all weights with zeros among them; what their bits depend
 * on. */
#include "nn_support.h"

#include "../../src/nn/kernels/kernels.h"
#include "../../src/nn/pattern.h"

#define GUARD 64 /* floats behind every buffer that is written */
#define GUARD_VALUE 1e30f
#define ONE_WEIGHT -1.0 /* as a density */

static const struct {
    struct conv_shape shape;
    int64_t columns, band; /* in channels; 0: the one that suits */
} cases[] = {{{1, 1, 1, 1, 3, 1, 1}, 16, 0},   {{1, 5, 7, 3, 3, 1, 1}, 32, 0},
             {{3, 20, 5, 7, 3, 1, 1}, 64, 1},  {{16, 16, 8, 8, 3, 1, 1}, 128, 5},
             {{40, 33, 2, 2, 3, 1, 1}, 16, 0}, {{33, 40, 4, 4, 3, 1, 1}, 48, 7},
             {{5, 7, 16, 16, 3, 1, 1}, 16, 3}, {{4, 6, 32, 32, 3, 1, 1}, 16, 0},
             {{4, 3, 1, 37, 3, 1, 1}, 32, 2},  {{3, 4, 19, 1, 3, 1, 1}, 16, 0},
             {{70, 9, 33, 18, 3, 1, 1}, 16, 0}};
#define CASES (sizeof cases / sizeof *cases)

static const double densities[] = {0, ONE_WEIGHT, .01, .5, 1};
#define DENSITIES (sizeof densities / sizeof *densities)

/* One convolution of normal numbers: its operands, and the dense reference's results. */
struct example {
    struct conv_shape shape;
    int64_t columns, inputs, outputs, weights; /* floats */
    float *x, *dy, *w, *bias;                  /* w with zeros where nothing survives */
    float *y, *dx, *dw;                        /* y rectified */
    struct sparse_pattern pattern, turned;
    int32_t *place;
    float *values, *turned_values;
    int64_t scratch; /* floats */
};

static float *normal(int64_t count, uint64_t seed)
{
    float *values = floats(count);
    fill_normal(values, count, seed);
    return values;
}

/* Every fifth row is empty where several are there and not all weights survive. */
static uint8_t *new_mask(const struct conv_shape *shape, double density)
{
    const int64_t columns = shape->inputs * 9, count = shape->outputs * columns;
    uint8_t *mask = mem_zeroed((size_t)count, 1, NULL);
    float *draws = normal(count, 7);
    for (int64_t i = 0; i < count; i++) {
        const double uniform = .5 + .5 * erf((double)draws[i] / sqrt(2));
        const bool empty = density < 1 && i / columns % 5 == 3;
        mask[i] = density == ONE_WEIGHT ? i == count / 2 : !empty && uniform < density;
    }
    free(draws);
    return mask;
}

static void make_patterns(struct example *e, double density, int64_t band)
{
    const struct conv_shape *s = &e->shape;
    struct error err = {0};
    uint8_t *mask = new_mask(s, density);
    const int64_t forward = band ? band * 9 : sparse_conv_band(s->inputs, density);
    const int64_t backward = band ? band * 9 : sparse_conv_band(s->outputs, density);
    assert_int_equal(pattern_make(mask, s->outputs, s->inputs * 9, forward, &e->pattern, &err), 0);
    assert_int_equal(pattern_turn(&e->pattern, 9, backward, &e->turned, &e->place, &err), 0);
    for (int64_t i = 0; i < e->weights; i++)
        e->w[i] = mask[i] ? e->w[i] : 0;
    free(mask);
}

/* The weight of an entry of the pattern, or its gradient, among all. */
static int64_t *places_of_entries(const struct sparse_pattern *p)
{
    int64_t *places = mem_zeroed((size_t)p->entries + 1, sizeof *places, NULL);
    for (int64_t i = 0; i < p->bands * p->rows; i++)
        for (int32_t k = p->begin[i]; k < p->begin[i + 1]; k++)
            places[k] = i % p->rows * p->columns + p->column[k];
    return places;
}

static void gather_values(struct example *e)
{
    int64_t *places = places_of_entries(&e->pattern);
    e->values = floats(e->pattern.entries + 1);
    e->turned_values = floats(e->pattern.entries + 1);
    for (int64_t k = 0; k < e->pattern.entries; k++)
        e->values[k] = e->w[places[k]];
    for (int64_t k = 0; k < e->pattern.entries; k++)
        e->turned_values[k] = e->values[e->place[k]];
    free(places);
}

static void compute_dense(struct example *e)
{
    const struct conv_data forward = {.shape = e->shape,
                                      .columns = e->columns,
                                      .x = e->x,
                                      .w = e->w,
                                      .bias = e->bias,
                                      .rectify = true,
                                      .y = e->y};
    const struct conv_data backward = {.shape = e->shape,
                                       .columns = e->columns,
                                       .backward = true,
                                       .x = e->dy,
                                       .w = e->w,
                                       .y = e->dx};
    const struct conv_gradient gradient = {
        .shape = e->shape, .columns = e->columns, .x = e->x, .dy = e->dy, .dw = e->dw};
    kernels_reference.conv_data[0](&forward);
    kernels_reference.conv_data[0](&backward);
    kernels_reference.conv_gradient[0](&gradient);
}

static struct example new_example(struct conv_shape shape, int64_t columns, double density,
                                  int64_t band)
{
    const int64_t plane = shape.height * shape.width * columns;
    struct example e = {.shape = shape,
                        .columns = columns,
                        .inputs = shape.inputs * plane,
                        .outputs = shape.outputs * plane,
                        .weights = shape.outputs * shape.inputs * 9};
    const int64_t forward =
        sparse_conv_scratch_floats(shape.inputs, shape.outputs, shape.height, shape.width);
    const int64_t backward =
        sparse_conv_scratch_floats(shape.outputs, shape.inputs, shape.height, shape.width);
    e.scratch = forward > backward ? forward : backward;
    e.x = normal(e.inputs, 1);
    e.dy = normal(e.outputs, 2);
    e.w = normal(e.weights, 3);
    e.bias = normal(shape.outputs, 4);
    e.y = floats(e.outputs);
    e.dx = floats(e.inputs);
    e.dw = floats(e.weights);
    make_patterns(&e, density, band);
    gather_values(&e);
    compute_dense(&e);
    return e;
}

static void free_example(struct example *e)
{
    float *const buffers[] = {e->x,  e->dy, e->w,      e->bias,         e->y,
                              e->dx, e->dw, e->values, e->turned_values};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        free(buffers[i]);
    free(e->place);
    pattern_finish(&e->pattern);
    pattern_finish(&e->turned);
}

static struct sparse_conv_data forward_of(const struct example *e, float *y, float *scratch)
{
    return (struct sparse_conv_data){.pattern = &e->pattern,
                                     .values = e->values,
                                     .height = e->shape.height,
                                     .width = e->shape.width,
                                     .columns = e->columns,
                                     .x = e->x,
                                     .bias = e->bias,
                                     .rectify = true,
                                     .y = y,
                                     .scratch = scratch};
}

static struct sparse_conv_data backward_of(const struct example *e, float *dx, float *scratch)
{
    return (struct sparse_conv_data){.pattern = &e->turned,
                                     .values = e->turned_values,
                                     .height = e->shape.height,
                                     .width = e->shape.width,
                                     .columns = e->columns,
                                     .x = e->dy,
                                     .y = dx,
                                     .scratch = scratch};
}

static struct sparse_conv_gradient gradient_of(const struct example *e, float *gradient,
                                               float *scratch)
{
    return (struct sparse_conv_gradient){.pattern = &e->pattern,
                                         .height = e->shape.height,
                                         .width = e->shape.width,
                                         .columns = e->columns,
                                         .x = e->x,
                                         .dy = e->dy,
                                         .gradient = gradient,
                                         .scratch = scratch};
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

/* Within a few roundings of the greatest value. */
static void assert_close(const float *actual, const float *expected, int64_t count)
{
    double greatest = 0;
    for (int64_t i = 0; i < count; i++)
        greatest = fmax(greatest, fabs((double)expected[i]));
    for (int64_t i = 0; i < count; i++)
        assert_near((double)actual[i], (double)expected[i], 1e-5 * greatest);
}

static void check_data(const struct kernels *kernels, const struct example *e,
                       struct sparse_conv_data call, const float *dense, int64_t count)
{
    float *expected = floats(count);
    call.y = expected;
    kernels_reference.sparse_conv_data(&call);
    assert_close(expected, dense, count);
    call.y = guarded(count);
    call.scratch = guarded(e->scratch);
    kernels->sparse_conv_data(&call);
    assert_close(call.y, expected, count);
    release(call.y, count);
    release(call.scratch, e->scratch);
    free(expected);
}

static void check_gradient(const struct kernels *kernels, const struct example *e)
{
    const int64_t entries = e->pattern.entries;
    struct sparse_conv_gradient call = gradient_of(e, floats(entries + 1), NULL);
    float *expected = call.gradient, *dense = floats(entries + 1);
    int64_t *places = places_of_entries(&e->pattern);
    for (int64_t k = 0; k < entries; k++)
        dense[k] = e->dw[places[k]];
    kernels_reference.sparse_conv_gradient(&call);
    assert_close(expected, dense, entries);
    call.gradient = guarded(entries);
    call.scratch = guarded(e->scratch);
    kernels->sparse_conv_gradient(&call);
    assert_close(call.gradient, expected, entries);
    release(call.gradient, entries);
    release(call.scratch, e->scratch);
    free(expected);
    free(dense);
    free(places);
}

static void every_density_matches_the_references(void **state)
{
    (void)state;
    for (size_t c = 0; c < CASES; c++)
        for (size_t d = 0; d < DENSITIES; d++) {
            struct example e =
                new_example(cases[c].shape, cases[c].columns, densities[d], cases[c].band);
            for (size_t i = 0; i < ISA_COUNT; i++) {
                const struct kernels *kernels = kernels_find(every_isa[i]);
                if (!kernels)
                    continue;
                check_data(kernels, &e, forward_of(&e, NULL, NULL), e.y, e.outputs);
                check_data(kernels, &e, backward_of(&e, NULL, NULL), e.dx, e.inputs);
                check_gradient(kernels, &e);
            }
            free_example(&e);
        }
}

/* Columns from `begin` on, KERNEL_LANES of each row. */
static void some_columns(const float *all, int64_t rows, int64_t columns, int64_t begin, float *to)
{
    for (int64_t r = 0; r < rows; r++)
        memcpy(to + r * KERNEL_LANES, all + r * columns + begin, KERNEL_LANES * sizeof *all);
}

/* The same columns alone, at another place in memory, with other leavings in the scratch. */
static void check_columns(const struct kernels *kernels, const struct example *e, const float *y,
                          int64_t begin)
{
    const int64_t rows_in = e->inputs / e->columns, rows_out = e->outputs / e->columns;
    float *x = floats(rows_in * KERNEL_LANES + 1), *scratch = normal(e->scratch, 9);
    float *expected = floats(rows_out * KERNEL_LANES), *actual = floats(rows_out * KERNEL_LANES);
    some_columns(e->x, rows_in, e->columns, begin, x + 1);
    some_columns(y, rows_out, e->columns, begin, expected);
    struct sparse_conv_data call = forward_of(e, actual, scratch);
    call.columns = KERNEL_LANES;
    call.x = x + 1;
    kernels->sparse_conv_data(&call);
    assert_memory_equal(actual, expected, (size_t)(rows_out * KERNEL_LANES) * sizeof *actual);
    free(x);
    free(scratch);
    free(expected);
    free(actual);
}

static void a_column_does_not_depend_on_the_others(void **state)
{
    (void)state;
    struct example e = new_example((struct conv_shape){20, 15, 5, 6, 3, 1, 1}, 80, .3, 6);
    float *y = floats(e.outputs), *scratch = floats(e.scratch);
    for (size_t i = 0; i < ISA_COUNT; i++) {
        const struct kernels *kernels = kernels_find(every_isa[i]);
        if (!kernels)
            continue;
        const struct sparse_conv_data call = forward_of(&e, y, scratch);
        kernels->sparse_conv_data(&call);
        for (int64_t begin = 0; begin < e.columns; begin += KERNEL_LANES)
            check_columns(kernels, &e, y, begin);
    }
    free(y);
    free(scratch);
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

static void padding_columns_change_no_gradient(void **state)
{
    (void)state;
    struct example e = new_example((struct conv_shape){5, 20, 5, 6, 3, 1, 1}, 16, .3, 2);
    const int64_t entries = e.pattern.entries;
    float *gradient[2] = {floats(entries), floats(entries)}, *scratch = normal(e.scratch, 9);
    for (size_t i = 0; i < ISA_COUNT; i++) {
        for (int turn = 0; turn < 2 && kernels_find(every_isa[i]); turn++) {
            for (int64_t column = 7; column < e.columns; column++)
                pad(&e, column, turn ? 1e6f : -3);
            const struct sparse_conv_gradient call = gradient_of(&e, gradient[turn], scratch);
            kernels_find(every_isa[i])->sparse_conv_gradient(&call);
        }
        if (kernels_find(every_isa[i]))
            assert_memory_equal(gradient[0], gradient[1], (size_t)entries * sizeof **gradient);
    }
    free(gradient[0]);
    free(gradient[1]);
    free(scratch);
    free_example(&e);
}

/* What is not a number in one example leaves the others alone, and is not rectified away. */
static void broken_examples_stay_alone(void **state)
{
    (void)state;
    struct example e = new_example((struct conv_shape){4, 6, 8, 8, 3, 1, 1}, 16, 1, 0);
    float *y = floats(e.outputs), *scratch = floats(e.scratch);
    for (int64_t i = 3; i < e.inputs; i += e.columns)
        e.x[i] = NAN;
    for (size_t i = 0; i < ISA_COUNT; i++) {
        const struct kernels *kernels = kernels_find(every_isa[i]);
        if (!kernels)
            continue;
        const struct sparse_conv_data call = forward_of(&e, y, scratch);
        kernels->sparse_conv_data(&call);
        for (int64_t j = 0; j < e.outputs; j++)
            assert_int_equal(isnan(y[j]), j % 16 == 3);
    }
    free(y);
    free(scratch);
    free_example(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_density_matches_the_references),
        cmocka_unit_test(a_column_does_not_depend_on_the_others),
        cmocka_unit_test(padding_columns_change_no_gradient),
        cmocka_unit_test(broken_examples_stay_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
