/* Augmentation and standardisation: what a training batch holds instead of the bytes as they are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"

enum { COUNT = 40, BATCH = 20, COLUMNS = 32, BATCHES = COUNT / BATCH };

static struct dataset *load(const char *name, enum data_preprocessing preprocessing,
                            enum data_augment augment)
{
    struct error err = {0};
    struct dataset_request request = {.train = COUNT + 10,
                                      .test = 20,
                                      .validation = 10,
                                      .seed = 3,
                                      .preprocessing = preprocessing,
                                      .augment = augment};
    strcpy(request.name, name);
    struct dataset *dataset = dataset_load(&request, &err);
    if (!dataset)
        fail_msg("%s", err.text);
    return dataset;
}

static struct rng_stream stream_of(enum rng_purpose purpose, uint64_t seed)
{
    return (struct rng_stream){.seed = seed, .purpose = purpose};
}

static size_t features_of(const struct dataset *dataset)
{
    const struct dataset_info *info = &dataset->info;
    return (size_t)info->channels * (size_t)info->height * (size_t)info->width;
}

/* The batch of an iteration, and the positions in it. The caller frees the floats. */
struct training {
    float *inputs;
    uint8_t labels[BATCH];
    uint32_t positions[BATCH];
};

static struct training assemble(const struct dataset *dataset, int64_t iteration, uint64_t seed)
{
    struct error err = {0};
    struct training training;
    struct batch_order *order = batch_order_create(dataset, BATCH, stream_of(RNG_ORDER, 5), &err);
    assert_non_null(order);
    training.inputs = malloc(features_of(dataset) * COLUMNS * sizeof(float));
    assert_non_null(training.inputs);
    batch_order_assemble(order, iteration, stream_of(RNG_AUGMENT, seed), COLUMNS, training.inputs,
                         training.labels);
    memcpy(training.positions, batch_order_at(order, iteration), sizeof training.positions);
    batch_order_destroy(order);
    return training;
}

/* A pixel of the window at (down, right), perhaps mirrored; 0 outside of the image. */
static uint8_t seen(const struct dataset *dataset, uint32_t position, size_t feature, int down,
                    int right, bool mirrored)
{
    int width = dataset->info.width, height = dataset->info.height;
    int channel = (int)feature / (width * height), row = (int)feature / width % height;
    int column = (int)feature % width;
    row += down;
    column = (mirrored ? width - 1 - column : column) + right;
    if (row < 0 || row >= height || column < 0 || column >= width)
        return 0;
    return dataset->train_images[position * features_of(dataset) +
                                 (size_t)((channel * height + row) * width + column)];
}

struct drawn {
    int down, right;
    bool mirrored;
};

/* Which of the 162 views it is; fails when it is none of them. */
static struct drawn find_view(const struct dataset *dataset, const struct training *training,
                              size_t column)
{
    for (int view = 0; view < 162; view++) {
        struct drawn drawn = {view / 2 / 9 - 4, view / 2 % 9 - 4, view % 2};
        size_t feature = 0;
        for (; feature < features_of(dataset); feature++) {
            uint8_t byte = seen(dataset, training->positions[column], feature, drawn.down,
                                drawn.right, drawn.mirrored);
            if (training->inputs[feature * COLUMNS + column] != (float)byte / 255.0f)
                break;
        }
        if (feature == features_of(dataset))
            return drawn;
    }
    fail_msg("column %zu is no view of its example", column);
    return (struct drawn){0};
}

static void shows_each_example_through_some_window(void **state)
{
    (void)state;
    const char *const names[] = {"digits", "shapes"};
    for (int i = 0; i < 2; i++) {
        struct dataset *dataset = load(names[i], DATA_UNIT, DATA_AUGMENT_FLIP_CROP);
        int mirrored = 0, moved = 0;
        for (int64_t iteration = 0; iteration < BATCHES; iteration++) {
            struct training training = assemble(dataset, iteration, 1);
            for (size_t column = 0; column < BATCH; column++) {
                struct drawn drawn = find_view(dataset, &training, column);
                mirrored += drawn.mirrored;
                moved += drawn.down != 0 || drawn.right != 0;
                assert_int_equal(training.labels[column],
                                 dataset->train_labels[training.positions[column]]);
            }
            for (size_t feature = 0; feature < features_of(dataset); feature++)
                for (size_t column = BATCH; column < COLUMNS; column++)
                    assert_true(training.inputs[feature * COLUMNS + column] == 0.0f);
            free(training.inputs);
        }
        assert_in_range(mirrored, COUNT / 4, COUNT * 3 / 4);
        assert_true(moved > COUNT * 3 / 4);
        dataset_destroy(dataset);
    }
}

/* Frozen: which view an example has is part of what a task's key stands for. */
static void views_are_frozen(void **state)
{
    (void)state;
    const struct drawn expected[] = {{-1, 4, false}, {-4, 4, false}, {2, -4, true}, {-2, 2, true}};
    struct dataset *dataset = load("digits", DATA_UNIT, DATA_AUGMENT_FLIP_CROP);
    struct training training = assemble(dataset, BATCHES + 1, 7); /* epoch 1 */
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct drawn drawn = find_view(dataset, &training, i);
        assert_int_equal(drawn.down, expected[i].down);
        assert_int_equal(drawn.right, expected[i].right);
        assert_int_equal(drawn.mirrored, expected[i].mirrored);
    }
    free(training.inputs);
    dataset_destroy(dataset);
}

/* Whatever stands around it: a view depends on seed, epoch and position. */
static void views_depend_on_seed_epoch_and_position_alone(void **state)
{
    (void)state;
    struct dataset *dataset = load("shapes", DATA_UNIT, DATA_AUGMENT_FLIP_CROP);
    size_t floats = features_of(dataset) * COLUMNS;
    struct training first = assemble(dataset, 0, 1), again = assemble(dataset, 0, 1);
    struct training other = assemble(dataset, 0, 2);
    assert_memory_equal(first.inputs, again.inputs, floats * sizeof(float));
    assert_memory_not_equal(first.inputs, other.inputs, floats * sizeof(float));
    /* The same positions under another order and batch size. */
    struct error err = {0};
    struct batch_order *order =
        batch_order_create(dataset, BATCH / 2, stream_of(RNG_ORDER, 9), &err);
    float *inputs = malloc(floats * sizeof(float));
    assert_non_null(inputs);
    int met = 0;
    for (int64_t iteration = 0; iteration < 2 * BATCHES; iteration++) {
        uint8_t labels[BATCH];
        batch_order_assemble(order, iteration, stream_of(RNG_AUGMENT, 1), COLUMNS, inputs, labels);
        const uint32_t *positions = batch_order_at(order, iteration);
        for (size_t i = 0; i < BATCH / 2; i++)
            for (size_t j = 0; j < BATCH; j++)
                if (positions[i] == first.positions[j]) {
                    met++;
                    for (size_t f = 0; f < features_of(dataset); f++)
                        assert_true(inputs[f * COLUMNS + i] == first.inputs[f * COLUMNS + j]);
                }
    }
    assert_int_equal(met, BATCH);
    free(inputs);
    batch_order_destroy(order);
    free(first.inputs);
    free(again.inputs);
    free(other.inputs);
    dataset_destroy(dataset);
}

static void an_epoch_draws_anew(void **state)
{
    (void)state;
    struct dataset *dataset = load("digits", DATA_UNIT, DATA_AUGMENT_FLIP_CROP);
    int same = 0;
    for (int64_t iteration = 0; iteration < BATCHES; iteration++) {
        struct training first = assemble(dataset, iteration, 1);
        for (int64_t second = BATCHES; second < 2 * BATCHES; second++) {
            struct training later = assemble(dataset, second, 1);
            for (size_t i = 0; i < BATCH; i++)
                for (size_t j = 0; j < BATCH; j++) {
                    if (first.positions[i] != later.positions[j])
                        continue;
                    struct drawn a = find_view(dataset, &first, i);
                    struct drawn b = find_view(dataset, &later, j);
                    same += a.down == b.down && a.right == b.right && a.mirrored == b.mirrored;
                }
            free(later.inputs);
        }
        free(first.inputs);
    }
    assert_in_range(same, 0, 4);
    dataset_destroy(dataset);
}

static void evaluation_sees_examples_as_they_are(void **state)
{
    (void)state;
    struct dataset *plain = load("shapes", DATA_UNIT, DATA_AUGMENT_NONE);
    struct dataset *augmented = load("shapes", DATA_UNIT, DATA_AUGMENT_FLIP_CROP);
    size_t floats = features_of(plain) * COLUMNS;
    float *a = malloc(floats * sizeof(float)), *b = malloc(floats * sizeof(float));
    uint8_t labels[BATCH];
    for (enum dataset_part part = PART_TRAIN; part <= PART_TEST; part++) {
        batch_assemble_part(plain, part, 0, 10, COLUMNS, a, labels);
        batch_assemble_part(augmented, part, 0, 10, COLUMNS, b, labels);
        assert_memory_equal(a, b, floats * sizeof(float));
    }
    struct training training = assemble(plain, 0, 1);
    batch_assemble(plain, PART_TRAIN, training.positions, BATCH, COLUMNS, a, labels);
    assert_memory_equal(training.inputs, a, floats * sizeof(float));
    free(training.inputs);
    free(a);
    free(b);
    dataset_destroy(plain);
    dataset_destroy(augmented);
}

/* All training examples, those held out too, have mean 0 and deviation 1 in each channel. */
static void standardized_channels_have_no_mean_and_unit_deviation(void **state)
{
    (void)state;
    struct dataset *dataset = load("shapes", DATA_STANDARDIZE, DATA_AUGMENT_NONE);
    size_t plane = 32 * 32, columns = 64;
    uint32_t indices[COUNT + 10];
    for (uint32_t i = 0; i < COUNT + 10; i++)
        indices[i] = i;
    uint8_t labels[COUNT + 10];
    float *inputs = malloc(3 * plane * columns * sizeof *inputs);
    assert_non_null(inputs);
    batch_assemble(dataset, PART_TRAIN, indices, COUNT + 10, (int32_t)columns, inputs, labels);
    for (size_t channel = 0; channel < 3; channel++) {
        double sum = 0, squares = 0, count = (COUNT + 10) * 1024;
        for (size_t f = channel * plane; f < (channel + 1) * plane; f++)
            for (size_t i = 0; i < columns; i++) {
                double value = inputs[f * columns + i];
                if (i >= COUNT + 10)
                    assert_true(value == 0);
                sum += value;
                squares += value * value;
            }
        assert_true(fabs(sum / count) < 1e-6);
        assert_true(fabs(squares / count - 1) < 1e-6);
    }
    free(inputs);
    dataset_destroy(dataset);
}

/* Test and augmented pixels go through the scale of the training examples; black stays black. */
static void every_part_has_the_training_scale(void **state)
{
    (void)state;
    struct dataset *dataset = load("digits", DATA_STANDARDIZE, DATA_AUGMENT_FLIP_CROP);
    double factor = dataset->scales[0].factor, offset = dataset->scales[0].offset;
    float inputs[28 * 28 * 16];
    uint8_t labels[16];
    const uint32_t index = 4;
    batch_assemble(dataset, PART_TEST, &index, 1, 16, inputs, labels);
    for (size_t f = 0; f < 28 * 28; f++) {
        double expected = dataset->test_images[4 * 28 * 28 + f] / 255.0 * factor + offset;
        assert_true(fabs(inputs[f * 16] - expected) < 1e-5);
    }
    struct training training = assemble(dataset, 0, 1);
    float least = INFINITY;
    for (size_t f = 0; f < features_of(dataset); f++)
        least = fminf(least, training.inputs[f * COLUMNS]);
    assert_true(least == dataset->scales[0].offset);
    free(training.inputs);
    dataset_destroy(dataset);
}

static void the_request_of_preprocessing_is_not_content(void **state)
{
    (void)state;
    struct dataset *a = load("shapes", DATA_UNIT, DATA_AUGMENT_NONE);
    struct dataset *b = load("shapes", DATA_STANDARDIZE, DATA_AUGMENT_FLIP_CROP);
    assert_memory_equal(&a->content, &b->content, sizeof a->content);
    dataset_destroy(a);
    dataset_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_each_example_through_some_window),
        cmocka_unit_test(views_are_frozen),
        cmocka_unit_test(views_depend_on_seed_epoch_and_position_alone),
        cmocka_unit_test(an_epoch_draws_anew),
        cmocka_unit_test(evaluation_sees_examples_as_they_are),
        cmocka_unit_test(standardized_channels_have_no_mean_and_unit_deviation),
        cmocka_unit_test(every_part_has_the_training_scale),
        cmocka_unit_test(the_request_of_preprocessing_is_not_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
