/* The order of training and the assembly of batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"

#include "../../src/data/alike.h"
#include "../../src/data/evaluation.h"

/* A dataset in memory whose pixels and labels are functions of their position. */
static struct dataset *make_dataset(int32_t train, int32_t validation, int32_t height,
                                    int32_t width)
{
    struct dataset *dataset = calloc(1, sizeof *dataset);
    assert_non_null(dataset);
    dataset->info = (struct dataset_info){.channels = 1,
                                          .height = height,
                                          .width = width,
                                          .classes = 10,
                                          .train = train,
                                          .validation = validation,
                                          .test = 70};
    uint32_t training = (uint32_t)(train + validation), pixels = (uint32_t)(height * width);
    size_t images = (size_t)training * pixels, test_images = (size_t)70 * pixels;
    uint8_t *bytes = malloc(images + training + test_images + 70);
    dataset->examples = (struct shared_block){bytes, images + training + test_images + 70, -1};
    dataset->train_images = bytes;
    dataset->train_labels = bytes + images;
    dataset->test_images = dataset->train_labels + training;
    dataset->test_labels = dataset->test_images + test_images;
    dataset->train_index = calloc((size_t)train, sizeof(uint32_t));
    dataset->validation_index = calloc((size_t)validation, sizeof(uint32_t));
    for (uint32_t i = 0; i < training * pixels; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 24);
    for (uint32_t i = 0; i < 70 * pixels; i++)
        bytes[images + training + i] = (uint8_t)(i * 40503u >> 8);
    for (uint32_t i = 0; i < training; i++)
        bytes[images + i] = (uint8_t)(i % 7);
    for (uint32_t i = 0; i < 70; i++)
        bytes[images + training + test_images + i] = (uint8_t)(i % 9);
    for (uint32_t i = 0; i < training; i++) { /* the last ones are validation examples */
        if (i < (uint32_t)train)
            dataset->train_index[i] = i;
        else
            dataset->validation_index[i - (uint32_t)train] = i;
    }
    return dataset;
}

static void check_batch(const struct dataset *dataset, enum dataset_part part, int32_t count,
                        int32_t columns)
{
    size_t pixels = (size_t)dataset->info.height * (size_t)dataset->info.width;
    const uint8_t *images = part == PART_TEST ? dataset->test_images : dataset->train_images;
    const uint8_t *classes = part == PART_TEST ? dataset->test_labels : dataset->train_labels;
    uint32_t indices[64] = {0};
    for (int32_t i = 0; i < count; i++)
        indices[i] = (uint32_t)((i * 37 + 5) % 70);
    /* Exactly as large as it must be, so that the sanitizer sees any write beyond. */
    float *inputs = malloc(pixels * (size_t)columns * sizeof *inputs);
    uint8_t labels[64];
    assert_non_null(inputs);
    memset(inputs, 0xff, pixels * (size_t)columns * sizeof *inputs);
    batch_assemble(dataset, part, indices, count, columns, inputs, labels);
    for (size_t f = 0; f < pixels; f++)
        for (int32_t i = 0; i < columns; i++) {
            float expected = i < count ? (float)images[indices[i] * pixels + f] / 255.0f : 0.0f;
            if (memcmp(&inputs[f * (size_t)columns + (size_t)i], &expected, sizeof expected) != 0)
                fail_msg("count %d, columns %d, feature %zu, column %d", count, columns, f, i);
        }
    for (int32_t i = 0; i < count; i++)
        assert_int_equal(labels[i], classes[indices[i]]);
    free(inputs);
}

static void assembles_as_the_naive_reference(void **state)
{
    (void)state;
    const int32_t counts[] = {1, 7, 15, 16, 17, 60, 64},
                  sides[][2] = {{1, 1}, {3, 5}, {4, 4}, {5, 7}, {28, 28}};
    for (size_t side = 0; side < sizeof sides / sizeof *sides; side++) {
        struct dataset *dataset = make_dataset(60, 10, sides[side][0], sides[side][1]);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            int32_t count = counts[i], padded = (count + 15) / 16 * 16;
            check_batch(dataset, PART_TRAIN, count, padded);
            check_batch(dataset, PART_VALIDATION, count, padded + 16);
            check_batch(dataset, PART_TEST, count, count);
            check_batch(dataset, PART_TEST, count, count + 3);
        }
        dataset_destroy(dataset);
    }
}

static void every_byte_is_divided_correctly(void **state)
{
    (void)state;
    struct dataset *dataset = make_dataset(16, 0, 16, 17); /* tiles and an edge */
    for (int byte = 0; byte < 256; byte++) {
        uint8_t labels[16];
        float inputs[16 * 17 * 16], expected = (float)byte / 255.0f;
        memset((void *)(uintptr_t)dataset->train_images, byte, 16 * 16 * 17);
        batch_assemble(dataset, PART_TRAIN, dataset->train_index, 16, 16, inputs, labels);
        for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
            assert_memory_equal(&inputs[i], &expected, sizeof expected);
    }
    dataset_destroy(dataset);
}

static struct rng_stream order_stream(uint64_t seed)
{
    return (struct rng_stream){.seed = seed, .purpose = RNG_ORDER};
}

static void an_epoch_sees_each_example_once(void **state)
{
    (void)state;
    enum { COUNT = 61, BATCH = 7, BATCHES = COUNT / BATCH };
    struct error err = {0};
    struct dataset *dataset = make_dataset(COUNT, 10, 2, 2);
    struct batch_order *order = batch_order_create(dataset, BATCH, order_stream(3), &err);
    assert_non_null(order);
    for (int epoch = 0; epoch < 5; epoch++) {
        int seen[COUNT] = {0}, total = 0;
        for (int batch = 0; batch < BATCHES; batch++) {
            const uint32_t *examples = batch_order_at(order, epoch * BATCHES + batch);
            for (int i = 0; i < BATCH; i++) {
                assert_true(examples[i] < COUNT);
                assert_int_equal(seen[examples[i]]++, 0);
                total++;
            }
        }
        assert_int_equal(total, BATCHES * BATCH);
    }
    batch_order_destroy(order);
    dataset_destroy(dataset);
}

/* 64 examples: the chance of two equal permutations is nil. */
static void orders_differ_by_epoch_and_seed_only(void **state)
{
    (void)state;
    enum { COUNT = 64 };
    struct error err = {0};
    uint32_t first[COUNT], second[COUNT];
    struct dataset *dataset = make_dataset(COUNT, 0, 1, 1);
    struct batch_order *order = batch_order_create(dataset, COUNT, order_stream(3), &err);
    struct batch_order *same = batch_order_create(dataset, COUNT, order_stream(3), &err);
    struct batch_order *other = batch_order_create(dataset, COUNT, order_stream(4), &err);
    memcpy(first, batch_order_at(order, 0), sizeof first);
    memcpy(second, batch_order_at(order, 1), sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first, batch_order_at(other, 0), sizeof first);
    /* A resumed task asks for a later iteration first, and may go back. */
    assert_memory_equal(batch_order_at(same, 1), second, sizeof second);
    assert_memory_equal(batch_order_at(same, 0), first, sizeof first);
    batch_order_destroy(order);
    batch_order_destroy(same);
    batch_order_destroy(other);
    dataset_destroy(dataset);
}

static void the_order_lists_positions_left_by_the_split(void **state)
{
    (void)state;
    struct error err = {0};
    struct dataset *dataset = make_dataset(5, 3, 1, 1);
    memcpy(dataset->train_index, (uint32_t[]){0, 2, 3, 6, 7}, 5 * sizeof(uint32_t));
    struct batch_order *order = batch_order_create(dataset, 5, order_stream(1), &err);
    const uint32_t *examples = batch_order_at(order, 0);
    unsigned seen = 0;
    for (int i = 0; i < 5; i++)
        seen |= 1u << examples[i];
    assert_int_equal(seen, 1u << 0 | 1u << 2 | 1u << 3 | 1u << 6 | 1u << 7);
    batch_order_destroy(order);
    dataset_destroy(dataset);
}

static void expect_each_once(const uint32_t *examples, uint32_t first, uint32_t count)
{
    bool *seen = calloc(count, sizeof *seen);
    for (uint32_t i = 0; i < count; i++) {
        assert_in_range(examples[i], first, first + count - 1);
        assert_false(seen[examples[i] - first]);
        seen[examples[i] - first] = true;
    }
    free(seen);
}

/* Pixels that are blank in all of a group. */
static int blank_pixels(const struct dataset *dataset, const uint32_t *group, int count, int pixels)
{
    int blank = 0;
    for (int pixel = 0; pixel < pixels; pixel++) {
        bool has_ink = false;
        for (int i = 0; i < count; i++)
            has_ink |= dataset->train_images[group[i] * (uint32_t)pixels + (uint32_t)pixel] != 0;
        blank += !has_ink;
    }
    return blank;
}

/* Examples of two kinds, drawn on the left or on the right, take turns. */
static void like_examples_are_evaluated_together(void **state)
{
    (void)state;
    enum { WIDTH = 40, HALF = WIDTH / 2, GROUPS = 4, COUNT = GROUPS * ALIKE_GROUP };
    struct dataset *dataset = make_dataset(3, COUNT, 1, WIDTH);
    uint8_t *images = (uint8_t *)(uintptr_t)dataset->train_images;
    for (int i = 3; i < 3 + COUNT; i++)
        for (int x = 0; x < WIDTH; x++)
            if ((x < HALF) == (i % 2 != 0))
                images[i * WIDTH + x] = 0;
    assert_int_equal(evaluation_prepare(dataset, NULL), 0);
    const uint32_t *order = dataset->evaluated[PART_VALIDATION];
    expect_each_once(order, 3, COUNT);
    for (int group = 0; group < GROUPS; group++)
        assert_in_range(blank_pixels(dataset, order + group * ALIKE_GROUP, ALIKE_GROUP, WIDTH),
                        HALF, WIDTH);
    expect_each_once(dataset->evaluated[PART_TRAIN], 0, 3);
    expect_each_once(dataset->evaluated[PART_TEST], 0, 70);
    dataset_destroy(dataset);
}

/* Least ink first; then what covers fewest pixels more; of equal ones the lowest label, then the
 * first. */
static void a_group_grows_by_what_covers_least(void **state)
{
    (void)state;
    enum { WIDTH = 6 };
    static const uint8_t ink[5][WIDTH] = {
        {0, 0, 0, 1, 1, 0}, {1, 1, 0, 0, 0, 0}, {0, 9, 0, 0, 0, 0},
        {0, 0, 0, 0, 0, 1}, {1, 1, 1, 0, 0, 0},
    };
    struct dataset *dataset = make_dataset(5, 1, 1, WIDTH);
    memcpy((uint8_t *)(uintptr_t)dataset->train_images, ink, sizeof ink);
    memcpy((uint8_t *)(uintptr_t)dataset->train_labels, (uint8_t[]){1, 1, 1, 0, 1}, 5);
    assert_int_equal(evaluation_prepare(dataset, NULL), 0);
    assert_memory_equal(dataset->evaluated[PART_TRAIN], ((uint32_t[]){3, 2, 1, 4, 0}), 5 * 4);
    dataset_destroy(dataset);
}

/* Of large examples, few are compared with each other, those of the lowest labels first. */
static void large_examples_are_arranged_in_pools(void **state)
{
    (void)state;
    enum { PIXELS = 16000, POOL = 2 * ALIKE_GROUP, COUNT = POOL + 50 };
    struct dataset *dataset = make_dataset(1, COUNT, 1, PIXELS);
    uint8_t *labels = (uint8_t *)(uintptr_t)dataset->train_labels;
    for (int i = 0; i < COUNT; i++)
        labels[1 + i] = (uint8_t)(i < 50); /* so that the first 50 come last */
    assert_int_equal(evaluation_prepare(dataset, NULL), 0);
    const uint32_t *order = dataset->evaluated[PART_VALIDATION];
    expect_each_once(order + POOL, 1, 50);
    expect_each_once(order, 51, POOL);
    dataset_destroy(dataset);
}

/* Examples too large to be compared stay in the order of labels. */
static void huge_examples_are_left_as_they_are(void **state)
{
    (void)state;
    struct dataset *dataset = make_dataset(1, 3, 130, 130);
    memcpy((uint8_t *)(uintptr_t)dataset->train_labels, (uint8_t[]){0, 1, 0, 1}, 4);
    assert_int_equal(evaluation_prepare(dataset, NULL), 0);
    assert_memory_equal(dataset->evaluated[PART_VALIDATION], ((uint32_t[]){2, 1, 3}), 3 * 4);
    dataset_destroy(dataset);
}

/* Whatever way a part's batches are made, they hold its examples in evaluation order. */
static void check_part(const struct dataset *dataset, enum dataset_part part, int64_t first,
                       int32_t count, int32_t columns)
{
    const size_t floats =
        (size_t)dataset->info.height * (size_t)dataset->info.width * (size_t)columns;
    float *inputs = malloc(floats * sizeof *inputs), *expected = malloc(floats * sizeof *expected);
    uint8_t labels[64], expected_labels[64];
    memset(inputs, 0xff, floats * sizeof *inputs);
    batch_assemble(dataset, part, dataset->evaluated[part] + first, count, columns, expected,
                   expected_labels);
    batch_assemble_part(dataset, part, first, count, columns, inputs, labels);
    assert_memory_equal(inputs, expected, floats * sizeof *inputs);
    assert_memory_equal(labels, expected_labels, (size_t)count);
    free(inputs);
    free(expected);
}

static void parts_are_assembled_in_evaluation_order(void **state)
{
    (void)state;
    const int32_t sides[][2] = {{1, 1}, {4, 4}, {5, 7}};
    struct data_scale scale = {3.5f, -0.25f};
    for (size_t side = 0; side < sizeof sides / sizeof *sides; side++) {
        struct dataset *dataset = make_dataset(80, 70, sides[side][0], sides[side][1]);
        assert_int_equal(evaluation_prepare(dataset, NULL), 0);
        for (int scaled = 0; scaled < 2; scaled++) {
            for (enum dataset_part part = PART_TRAIN; part <= PART_TEST; part++) {
                check_part(dataset, part, 0, 64, 64);
                check_part(dataset, part, 32, 38, 48); /* to the last of 70 */
                check_part(dataset, part, 16, 20, 32); /* ends within a lane */
                check_part(dataset, part, 17, 32, 32); /* begins within one */
                check_part(dataset, part, 16, 20, 64); /* wider than its examples */
                check_part(dataset, part, 16, 20, 20); /* no whole lanes */
            }
            dataset->scales = &scale;
        }
        dataset->scales = NULL;
        dataset_destroy(dataset);
    }
}

static void refuses_a_batch_larger_than_the_data(void **state)
{
    (void)state;
    struct dataset *dataset = make_dataset(20, 4, 1, 1);
    const int64_t wrong[] = {21, 0, -1};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err = {0};
        assert_null(batch_order_create(dataset, wrong[i], order_stream(1), &err));
        assert_int_equal(err.class, ERROR_USAGE);
        assert_non_null(strstr(err.text, "20 training examples"));
    }
    dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assembles_as_the_naive_reference),
        cmocka_unit_test(every_byte_is_divided_correctly),
        cmocka_unit_test(an_epoch_sees_each_example_once),
        cmocka_unit_test(orders_differ_by_epoch_and_seed_only),
        cmocka_unit_test(the_order_lists_positions_left_by_the_split),
        cmocka_unit_test(like_examples_are_evaluated_together),
        cmocka_unit_test(a_group_grows_by_what_covers_least),
        cmocka_unit_test(large_examples_are_arranged_in_pools),
        cmocka_unit_test(huge_examples_are_left_as_they_are),
        cmocka_unit_test(parts_are_assembled_in_evaluation_order),
        cmocka_unit_test(refuses_a_batch_larger_than_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
