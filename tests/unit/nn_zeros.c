/* Inputs that are zero in a whole batch are passed over, and no bit tells: the kernels that find
 * them and do without them, and networks. */
#include "nn_sparse.h"

#define GUARD 7.25f

static void for_each_isa(void (*check)(const struct kernels *kernels))
{
    for (size_t i = 0; i < ISA_COUNT; i++)
        if (kernels_find(every_isa[i]))
            check(kernels_find(every_isa[i]));
}

/* Clears each row of x with that probability; returns the list of the others. */
static int32_t *clear_rows(float *x, int64_t rows, int64_t columns, double blank, int64_t *count)
{
    const struct rng_stream stream = {.seed = 11, .purpose = RNG_GENERATOR, .draw = 3};
    int32_t *list = malloc((size_t)(rows + 1) * sizeof *list);
    *count = 0;
    for (int64_t r = 0; r < rows; r++)
        if ((double)rng_uniform(stream, (uint64_t)r) < blank)
            memset(x + r * columns, 0, (size_t)columns * sizeof *x);
        else
            list[(*count)++] = (int32_t)r;
    return list;
}

/* --- kernels --- */

static void check_nonzero_rows(const struct kernels *kernels)
{
    enum { ROWS = 6, COLUMNS = 80 };
    float *x = floats(ROWS * COLUMNS);
    int32_t list[ROWS];
    memset(x, 0, ROWS * COLUMNS * sizeof *x);
    x[0] = 1e-40f; /* row 0: however small */
    x[1 * COLUMNS + 3] = -0.0f;
    x[2 * COLUMNS + COLUMNS - 1] = -1;
    x[4 * COLUMNS + 17] = NAN;
    assert_int_equal(kernels->nonzero_rows(x, ROWS, COLUMNS, list), 3);
    assert_memory_equal(list, ((int32_t[]){0, 2, 4}), 3 * sizeof *list);
    free(x);
}

/* As the reference lists them, behind some entries of a band before; what lies beyond `columns`
 * does not count. */
static void check_entries(const struct kernels *kernels, int64_t columns)
{
    enum { ROWS = 7, STRIDE = 144, FIRST = 50, BEFORE = 3 };
    const int64_t room = BEFORE + ROWS * columns + SELECTION_BLOCK;
    float *x = floats(ROWS * STRIDE), *values = floats(room), *expected_values = floats(room);
    int32_t begin[ROWS + 1], expected_begin[ROWS + 1];
    int32_t *column = calloc((size_t)room, sizeof *column);
    int32_t *expected_column = calloc((size_t)room, sizeof *column);
    fill_normal(x, ROWS * STRIDE, 4);
    for (int64_t i = 0; i < ROWS * STRIDE; i++)
        x[i] = i / STRIDE == 2 || x[i] < 0.5f ? (i % 2 ? -0.0f : 0.0f) : x[i];
    struct nonzeros band = {.rows = ROWS,
                            .columns = columns,
                            .x = x,
                            .stride = STRIDE,
                            .first = FIRST,
                            .entries = BEFORE,
                            .begin = expected_begin,
                            .column = expected_column,
                            .values = expected_values};
    const int32_t entries = kernels_reference.nonzero_entries(&band);
    band.begin = begin;
    band.column = column;
    band.values = values;
    values[0] = GUARD;
    assert_int_equal(kernels->nonzero_entries(&band), entries);
    assert_memory_equal(begin, expected_begin, sizeof begin);
    assert_memory_equal(column + BEFORE, expected_column + BEFORE,
                        (size_t)(entries - BEFORE) * sizeof *column);
    assert_memory_equal(values + BEFORE, expected_values + BEFORE,
                        (size_t)(entries - BEFORE) * sizeof *values);
    assert_true(values[0] == GUARD);
    free(x);
    free(values);
    free(expected_values);
    free(column);
    free(expected_column);
}

static void check_all_entries(const struct kernels *kernels)
{
    static const int64_t columns[] = {5, 16, 60, 64, 65, 130};
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        check_entries(kernels, columns[c]);
}

static void kernels_find_zeros(void **state)
{
    (void)state;
    for_each_isa(check_nonzero_rows);
    for_each_isa(check_all_entries);
}

static void product_of(const struct kernels *kernels, struct sparse_weights weights, const float *x,
                       int64_t columns, float *y)
{
    kernels->sparse_product(&(struct sparse_product){.pattern = weights.pattern,
                                                     .values = weights.values,
                                                     .columns = columns,
                                                     .x = x,
                                                     .x_stride = columns,
                                                     .y = y,
                                                     .y_stride = columns});
}

static void gradient_of(const struct kernels *kernels, const struct sparse_pattern *pattern,
                        const float *x, const float *dy, int64_t columns, float *gradient)
{
    kernels->sparse_gradient(&(struct sparse_gradient){.pattern = pattern,
                                                       .columns = columns,
                                                       .x = x,
                                                       .x_stride = columns,
                                                       .dy = dy,
                                                       .dy_stride = columns,
                                                       .gradient = gradient});
}

/* Product and gradient of the selected entries are those of all, with the reference's selection
 * between. */
static void check_selection(const struct kernels *kernels, const struct sparse_sample *s,
                            int64_t columns, double blank)
{
    const int64_t rows = s->pattern.rows, inputs = s->pattern.columns;
    const size_t entries = (size_t)s->pattern.entries;
    const struct sparse_weights all = {&s->pattern, s->values};
    struct sparse_selection selection, expected;
    float *x = floats(inputs * columns), *dy = floats(rows * columns);
    float *y = floats(rows * columns), *few = floats(rows * columns);
    float *gradient = floats(s->pattern.entries + 1), *spread = floats(s->pattern.entries + 1);
    int64_t count;
    fill_normal(x, inputs * columns, 6);
    fill_normal(dy, rows * columns, 7);
    int32_t *places = clear_rows(x, inputs, columns, blank, &count);
    assert_int_equal(selection_make(&s->pattern, &selection, NULL), 0);
    assert_int_equal(selection_make(&s->pattern, &expected, NULL), 0);
    kernels->sparse_select(&all, places, count, &selection);
    kernels_reference.sparse_select(&all, places, count, &expected);
    const size_t selected = (size_t)expected.pattern.entries;
    assert_int_equal(selection.pattern.entries, expected.pattern.entries);
    assert_memory_equal(selection.begin, expected.begin,
                        (size_t)(s->pattern.bands * rows + 1) * sizeof *expected.begin);
    assert_memory_equal(selection.column, expected.column, selected * sizeof *expected.column);
    assert_memory_equal(selection.values, expected.values, selected * sizeof *expected.values);
    product_of(kernels, all, x, columns, y);
    product_of(kernels, (struct sparse_weights){&selection.pattern, selection.values}, x, columns,
               few);
    assert_memory_equal(y, few, (size_t)(rows * columns) * sizeof *y);
    gradient_of(kernels, &s->pattern, x, dy, columns, gradient);
    gradient_of(kernels, &selection.pattern, x, dy, columns, selection.gradient);
    spread[entries] = GUARD;
    kernels->sparse_spread(&selection, &s->pattern, spread);
    assert_memory_equal(gradient, spread, entries * sizeof *spread);
    assert_true(spread[entries] == GUARD);
    memcpy(expected.gradient, selection.gradient, selected * sizeof *spread);
    kernels_reference.sparse_spread(&expected, &s->pattern, spread);
    assert_memory_equal(gradient, spread, entries * sizeof *spread);
    selection_finish(&selection);
    selection_finish(&expected);
    free(x);
    free(dy);
    free(y);
    free(few);
    free(gradient);
    free(spread);
    free(places);
}

static void check_selections(const struct kernels *kernels)
{
    static const struct {
        int64_t rows, inputs, band;
    } sizes[] = {{1, 1, 1}, {3, 16, 16}, {7, 100, 33}, {40, 784, 196}, {5, 2100, 1024}};
    static const double blanks[] = {0, 0.4, 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t d = 0; d < DENSITIES; d++) {
            struct sparse_sample s =
                sparse_sample(sizes[i].rows, sizes[i].inputs, sizes[i].band, every_density[d], 9);
            for (size_t b = 0; b < sizeof blanks / sizeof *blanks; b++)
                check_selection(kernels, &s, i % 2 ? 64 : 80, blanks[b]);
            sparse_sample_finish(&s);
        }
}

static void survivors_pass_over_zeros(void **state)
{
    (void)state;
    for_each_isa(check_selections);
}

/* --- networks --- */

#define EXAMPLES 60
#define COLUMNS 64
#define BLANK 37 /* this input, and every second or third */

static const struct optimizer_spec adam = {
    .kind = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};

static struct network *create_masked(const struct net_spec *spec, enum net_kernels kernels,
                                     double density)
{
    struct error err = {0};
    const struct net_options options = {.train_batch = EXAMPLES, .kernels = kernels};
    struct network *net = net_create(spec, options, &err);
    assert_non_null(net);
    assert_int_equal(net_set_optimizer(net, &adam, &err), 0);
    const struct init_spec init = {.kind = INIT_GLOROT_NORMAL};
    assert_int_equal(net_initialize(net, init, (struct rng_stream){.seed = 5}, &err), 0);
    uint8_t *mask = malloc((size_t)net_block_size(net));
    memset(mask, 1, (size_t)net_block_size(net));
    const int64_t weights = net_parameters(net, &(int){0})[0].count;
    for (int64_t e = 0; e < weights; e++)
        mask[e] = (double)rng_uniform((struct rng_stream){.seed = 2}, (uint64_t)e) < density ||
                  e == BLANK;
    assert_int_equal(net_set_mask(net, mask, &err), 0);
    free(mask);
    return net;
}

/* A batch with one in `every` inputs blank, but for what is in the padding columns. */
static void fill_blank_batch(struct example_batch *data, const struct net_spec *spec, int every,
                             float padding)
{
    fill_batch(data, spec, EXAMPLES, COLUMNS, padding, 3);
    const int64_t inputs = spec->input.height * spec->input.width;
    for (int64_t i = 0; i < inputs; i++)
        for (int64_t c = 0; c < EXAMPLES && (i % every == 0 || i == BLANK); c++)
            data->inputs[i * COLUMNS + c] = 0;
}

static double evaluate(struct network *net, const struct net_batch *batch)
{
    struct net_score score = {0};
    net_evaluate(net, batch, &score);
    return score.loss_sum;
}

/* With something in the padding columns no input is blank in the whole batch: the same bits in all
 * examples. */
static void check_network(const struct net_spec *spec, enum net_kernels kernels, double density,
                          int every)
{
    struct network *skips = create_masked(spec, kernels, density);
    struct network *computes = create_masked(spec, kernels, density);
    struct example_batch blank, padded;
    fill_blank_batch(&blank, spec, every, 0);
    fill_blank_batch(&padded, spec, every, 1);
    const size_t bytes = (size_t)net_block_size(skips) * sizeof(float);
    const struct rng_stream dropout = {.seed = 8, .purpose = RNG_DROPOUT};
    for (int step = 0; step < 3; step++) {
        const double loss = net_train_step(skips, &blank.batch, 0.01, step, dropout);
        assert_true(loss == net_train_step(computes, &padded.batch, 0.01, step, dropout));
        assert_memory_equal(gradients_of(skips), gradients_of(computes), bytes);
        assert_memory_equal(weights_of(skips), weights_of(computes), bytes);
        assert_true(evaluate(skips, &blank.batch) == evaluate(computes, &padded.batch));
    }
    free(blank.inputs);
    free(padded.inputs);
    net_destroy(skips);
    net_destroy(computes);
}

/* As --kernels dense computes with everything: with so many percent of the examples' numbers zero,
 * at random, in the first half of the inputs, and none in the others. */
static void check_gradients(const struct net_spec *spec, int zero_percent)
{
    struct network *skips = create_masked(spec, NET_KERNELS_AUTO, 1);
    struct network *computes = create_masked(spec, NET_KERNELS_DENSE, 1);
    struct example_batch data;
    fill_batch(&data, spec, EXAMPLES, COLUMNS, 1, 3);
    const int64_t inputs = spec->input.height * spec->input.width;
    for (int64_t i = 0; i < inputs / 2 * COLUMNS; i++)
        if ((int)rng_below((struct rng_stream){.seed = 6}, (uint64_t)i, 100) < zero_percent)
            data.inputs[i] = 0;
    for (int step = 0; step < 2; step++) {
        net_train_step(skips, &data.batch, 0.01, step, (struct rng_stream){0});
        net_train_step(computes, &data.batch, 0.01, step, (struct rng_stream){0});
        assert_memory_equal(gradients_of(skips), gradients_of(computes),
                            (size_t)net_block_size(skips) * sizeof(float));
    }
    free(data.inputs);
    net_destroy(skips);
    net_destroy(computes);
}

/* Infinite weights of a blank input show whether it was computed with: where it is blank in the
 * whole batch, and where only in the examples. */
static void check_what_is_skipped(const struct net_spec *spec, enum net_kernels kernels,
                                  double density, int every, bool in_batch, bool in_examples)
{
    struct network *net = create_masked(spec, kernels, density);
    struct example_batch blank, padded;
    fill_blank_batch(&blank, spec, every, 0);
    fill_blank_batch(&padded, spec, every, 1);
    float *weights = next_copy(net);
    net_read_weights(net, weights);
    weights[BLANK] = INFINITY;
    net_write_weights(net, weights);
    assert_int_equal(isfinite(evaluate(net, &blank.batch)) != 0, in_batch);
    assert_int_equal(isfinite(evaluate(net, &padded.batch)) != 0, in_examples);
    free(blank.inputs);
    free(padded.inputs);
    net_destroy(net);
}

static void networks_pass_over_zeros(void **state)
{
    static const double densities[] = {1, 0.5, 0.2, 0.01};
    static const int zero_percents[] = {0, 20, 60, 100};
    struct net_spec spec, wide;
    struct error err = {0};
    (void)state;
    assert_int_equal(net_spec_named("fc-40-30", (struct shape){1, 16, 9}, 5, 0, &spec, &err), 0);
    assert_int_equal(net_spec_named("fc-205-30", (struct shape){1, 25, 27}, 5, 0, &wide, &err), 0);
    for (size_t i = 0; i < ISA_COUNT; i++) {
        if (kernels_select(every_isa[i], &err) != 0)
            continue;
        for (size_t d = 0; d < sizeof densities / sizeof *densities; d++)
            for (int kernels = 0; kernels < NET_KERNELS; kernels++)
                for (int every = 2; every <= 3; every++)
                    check_network(&spec, (enum net_kernels)kernels, densities[d], every);
        for (size_t z = 0; z < sizeof zero_percents / sizeof *zero_percents; z++)
            check_gradients(&wide, zero_percents[z]);
        check_what_is_skipped(&spec, NET_KERNELS_DENSE, 1, 2, false, false);
        check_what_is_skipped(&spec, NET_KERNELS_SPARSE, 0.2, 3, true, false);
        check_what_is_skipped(&spec, NET_KERNELS_AUTO, 1, 3, false, false);
        check_what_is_skipped(&spec, NET_KERNELS_AUTO, 1, 2, true, true);
    }
    assert_int_equal(kernels_select(NULL, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_find_zeros),
        cmocka_unit_test(survivors_pass_over_zeros),
        cmocka_unit_test(networks_pass_over_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
