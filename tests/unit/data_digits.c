/* The generator and the validation split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "data/dataset.h"

enum { PIXELS = 28 * 28 };

static struct dataset_request digits(int64_t train, int64_t test, int64_t validation)
{
    return (struct dataset_request){
        .name = "digits", .train = train, .test = test, .validation = validation, .seed = 1};
}

static struct dataset *load(const struct dataset_request *request)
{
    struct error err = {0};
    struct dataset *dataset = dataset_load(request, &err);
    if (!dataset)
        fail_msg("%s", err.text);
    return dataset;
}

static void assert_hex(struct hash128 hash, const char *expected)
{
    char hex[HASH_HEX_SIZE];
    hash128_hex(hash, hex);
    assert_string_equal(hex, expected);
}

/* Frozen: whoever changes these raises the generator's version, since stores hold results of them.
 */
static void the_first_examples_are_frozen(void **state)
{
    (void)state;
    struct dataset_request request = digits(500, 100, 0);
    struct dataset *dataset = load(&request);
    assert_hex(hash128_of(dataset->train_images, 500 * PIXELS), "36a2074f72dbba10384766fcd2fa1405");
    assert_hex(hash128_of(dataset->train_labels, 500), "67756bb1c6a26490eda14348e6c872d1");
    assert_hex(hash128_of(dataset->test_images, 100 * PIXELS), "3919fcbb10b90129ae8ae4db8d4708b6");
    assert_hex(hash128_of(dataset->test_labels, 100), "923b11d7d52ab2e4a8ace254b3c8854a");
    assert_hex(dataset->content, "7fd3468520f51fed8d020405c4f3c0c1");
    dataset_destroy(dataset);
}

static void examples_do_not_depend_on_their_number(void **state)
{
    (void)state;
    struct dataset_request few = digits(20, 10, 0), many = digits(300, 50, 100);
    struct dataset *a = load(&few), *b = load(&many);
    assert_memory_equal(a->train_images, b->train_images, 20 * PIXELS);
    assert_memory_equal(a->train_labels, b->train_labels, 20);
    assert_memory_equal(a->test_images, b->test_images, 10 * PIXELS);
    assert_memory_equal(a->test_labels, b->test_labels, 10);
    dataset_destroy(a);
    dataset_destroy(b);
}

static void seeds_and_parts_differ(void **state)
{
    (void)state;
    struct dataset_request request = digits(50, 50, 0), other = request;
    other.seed = 2;
    struct dataset *a = load(&request), *b = load(&other);
    assert_memory_not_equal(a->train_images, b->train_images, 50 * PIXELS);
    assert_memory_not_equal(a->train_images, a->test_images, 50 * PIXELS);
    assert_memory_not_equal(&a->content, &b->content, sizeof a->content);
    dataset_destroy(a);
    dataset_destroy(b);
}

static void digits_are_drawings(void **state)
{
    (void)state;
    struct dataset_request request = digits(2000, 1, 0);
    struct dataset *dataset = load(&request);
    int of_class[10] = {0};
    double ink = 0, edge = 0;
    for (int i = 0; i < 2000; i++) {
        assert_true(dataset->train_labels[i] < 10);
        of_class[dataset->train_labels[i]]++;
        const uint8_t *image = dataset->train_images + i * PIXELS;
        for (int pixel = 0; pixel < PIXELS; pixel++) {
            int row = pixel / 28, column = pixel % 28;
            double grey = image[pixel] / 255.0;
            if (row < 2 || row > 25 || column < 2 || column > 25)
                edge += grey / 2000 / (PIXELS - 24 * 24);
            else
                ink += grey / 2000 / (24 * 24);
        }
    }
    for (int c = 0; c < 10; c++)
        assert_in_range(of_class[c], 150, 250);
    assert_true(ink > 0.1 && ink < 0.3);
    assert_true(edge < 0.5 * ink);
    dataset_destroy(dataset);
}

static void describing_tells_what_loading_gives(void **state)
{
    (void)state;
    struct error err = {0};
    struct dataset_request request = digits(-1, -1, 5000);
    struct dataset_info info;
    assert_int_equal(dataset_describe(&request, &info, &err), 0);
    assert_int_equal(info.train, 55000);
    assert_int_equal(info.validation, 5000);
    assert_int_equal(info.test, 10000);
    assert_int_equal(info.channels * info.height * info.width, PIXELS);
    assert_int_equal(info.classes, 10);
    assert_int_equal(dataset_example_bytes(&info), 70000 * (PIXELS + 1));
    assert_int_equal(dataset_own_bytes(&info), (60000 + 70000) * 4 + 5008 * PIXELS);
    request = digits(40, 30, 10);
    struct dataset *dataset = load(&request);
    struct hash128 content;
    assert_int_equal(dataset_describe(&request, &info, &err), 0);
    assert_memory_equal(&info, &dataset->info, sizeof info);
    assert_int_equal(dataset_content(&request, &content, &err), 0);
    assert_memory_equal(&content, &dataset->content, sizeof content);
    request.split_seed = 9;
    request.validation = 5;
    assert_int_equal(dataset_content(&request, &content, &err), 0);
    assert_memory_equal(&content, &dataset->content, sizeof content);
    dataset_destroy(dataset);
}

static void the_split_parts_the_training_examples(void **state)
{
    (void)state;
    struct dataset_request request = digits(200, 1, 60);
    request.split_seed = 4;
    struct dataset *dataset = load(&request), *again = load(&request);
    int seen[200] = {0};
    for (int i = 0; i < 140; i++) {
        seen[dataset->train_index[i]]++;
        assert_true(i == 0 || dataset->train_index[i - 1] < dataset->train_index[i]);
    }
    for (int i = 0; i < 60; i++) {
        seen[dataset->validation_index[i]]++;
        assert_true(i == 0 || dataset->validation_index[i - 1] < dataset->validation_index[i]);
    }
    for (int i = 0; i < 200; i++)
        assert_int_equal(seen[i], 1);
    assert_memory_equal(dataset->train_index, again->train_index, 140 * sizeof(uint32_t));
    /* Frozen: the split is part of what a task's key stands for. */
    assert_hex(hash128_of(dataset->validation_index, 60 * sizeof(uint32_t)),
               "5a3fc265b0a5c5797df4785941dddd1e");
    dataset_destroy(again);
    request.split_seed = 5;
    again = load(&request);
    assert_memory_not_equal(dataset->validation_index, again->validation_index,
                            60 * sizeof(uint32_t));
    dataset_destroy(again);
    dataset_destroy(dataset);
}

static void a_split_of_nothing_keeps_everything(void **state)
{
    (void)state;
    struct dataset_request request = digits(30, 1, 0);
    struct dataset *dataset = load(&request);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(dataset->train_index[i], i);
    dataset_destroy(dataset);
    dataset_destroy(NULL);
}

static void refuses_sizes_that_cannot_be(void **state)
{
    (void)state;
    const struct dataset_request wrong[] = {
        digits(0, -1, 0),  digits(-2, -1, 0), digits(INT64_MAX, -1, 0), digits(10, 0, 0),
        digits(10, 5, 10), digits(10, 5, 11), digits(-1, -1, 60000),    digits(10, 5, -1),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err = {0};
        struct dataset_info info;
        assert_int_equal(dataset_describe(&wrong[i], &info, &err), -1);
        assert_int_equal(err.class, ERROR_USAGE);
        assert_null(dataset_load(&wrong[i], &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_examples_are_frozen),
        cmocka_unit_test(examples_do_not_depend_on_their_number),
        cmocka_unit_test(seeds_and_parts_differ),
        cmocka_unit_test(digits_are_drawings),
        cmocka_unit_test(describing_tells_what_loading_gives),
        cmocka_unit_test(the_split_parts_the_training_examples),
        cmocka_unit_test(a_split_of_nothing_keeps_everything),
        cmocka_unit_test(refuses_sizes_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
