/* The generator `shapes`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"

enum { PIXELS = 32 * 32, BYTES = 3 * PIXELS };

static struct dataset_request shapes(int64_t train, int64_t test)
{
    return (struct dataset_request){.name = "shapes", .train = train, .test = test, .seed = 1};
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
    struct dataset_request request = shapes(500, 100);
    struct dataset *dataset = load(&request);
    assert_hex(hash128_of(dataset->train_images, 500 * BYTES), "0de5106b8f1681f6678da06601f912cf");
    assert_hex(hash128_of(dataset->train_labels, 500), "750831cdc9f896e618bf856ada6d68ad");
    assert_hex(hash128_of(dataset->test_images, 100 * BYTES), "f7ba7f5ee40aa3fd20e171690850ffb9");
    assert_hex(hash128_of(dataset->test_labels, 100), "14eab58f6892f3f1e16f915687cfdcd4");
    assert_hex(dataset->content, "fe8af3b404fc5747e2052fc897838cc5");
    dataset_destroy(dataset);
}

static void examples_do_not_depend_on_their_number(void **state)
{
    (void)state;
    struct dataset_request few = shapes(20, 10), many = shapes(200, 50);
    struct dataset *a = load(&few), *b = load(&many);
    assert_memory_equal(a->train_images, b->train_images, 20 * BYTES);
    assert_memory_equal(a->train_labels, b->train_labels, 20);
    assert_memory_equal(a->test_images, b->test_images, 10 * BYTES);
    assert_memory_equal(a->test_labels, b->test_labels, 10);
    dataset_destroy(a);
    dataset_destroy(b);
}

static void seeds_and_parts_differ(void **state)
{
    (void)state;
    struct dataset_request request = shapes(50, 50), other = request;
    other.seed = 2;
    struct dataset *a = load(&request), *b = load(&other);
    assert_memory_not_equal(a->train_images, b->train_images, 50 * BYTES);
    assert_memory_not_equal(a->train_images, a->test_images, 50 * BYTES);
    assert_memory_not_equal(&a->content, &b->content, sizeof a->content);
    dataset_destroy(a);
    dataset_destroy(b);
}

static void describes_itself_without_being_made(void **state)
{
    (void)state;
    struct error err = {0};
    struct dataset_request request = shapes(-1, -1);
    struct dataset_info info;
    request.validation = 5000;
    assert_int_equal(dataset_describe(&request, &info, &err), 0);
    assert_int_equal(info.train, 45000);
    assert_int_equal(info.test, 10000);
    assert_int_equal(info.channels, 3);
    assert_int_equal(info.height, 32);
    assert_int_equal(info.width, 32);
    assert_int_equal(info.classes, 10);
    request = shapes(40, 30);
    struct dataset *dataset = load(&request);
    struct hash128 content;
    assert_int_equal(dataset_content(&request, &content, &err), 0);
    assert_memory_equal(&content, &dataset->content, sizeof content);
    dataset_destroy(dataset);
}

/* Colour alone, wherever it is, must not tell the class: every class has the same mean colours. */
static void classes_are_even_and_not_told_by_colour(void **state)
{
    (void)state;
    enum { COUNT = 4000 };
    struct dataset_request request = shapes(COUNT, 1);
    struct dataset *dataset = load(&request);
    int of_class[10] = {0};
    double grey[10][3] = {{0}};
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t label = dataset->train_labels[i];
        assert_true(label < 10);
        of_class[label]++;
        for (size_t byte = 0; byte < BYTES; byte++)
            grey[label][byte / PIXELS] += dataset->train_images[i * BYTES + byte] / 255.0 / PIXELS;
    }
    for (int c = 0; c < 10; c++) {
        assert_in_range(of_class[c], 300, 500);
        for (int channel = 0; channel < 3; channel++)
            assert_true(fabs(grey[c][channel] / of_class[c] - 0.5) < 0.06);
    }
    dataset_destroy(dataset);
}

/* The middle of a disc is figure, that of a ring is ground: drawn, and where they should be. */
static void figures_stand_out_from_the_ground(void **state)
{
    (void)state;
    struct dataset_request request = shapes(2000, 1);
    struct dataset *dataset = load(&request);
    double contrast[10] = {0};
    int of_class[10] = {0};
    for (size_t i = 0; i < 2000; i++) {
        const uint8_t *image = dataset->train_images + i * BYTES;
        double difference = 0;
        for (size_t channel = 0; channel < 3; channel++)
            difference +=
                abs(image[channel * PIXELS + 15 * 32 + 15] - image[channel * PIXELS]) / 255.0;
        contrast[dataset->train_labels[i]] += difference;
        of_class[dataset->train_labels[i]]++;
    }
    enum { DISC = 0, RING = 4 };
    assert_true(contrast[DISC] / of_class[DISC] > 1.3 * contrast[RING] / of_class[RING]);
    dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_examples_are_frozen),
        cmocka_unit_test(examples_do_not_depend_on_their_number),
        cmocka_unit_test(seeds_and_parts_differ),
        cmocka_unit_test(describes_itself_without_being_made),
        cmocka_unit_test(classes_are_even_and_not_told_by_colour),
        cmocka_unit_test(figures_stand_out_from_the_ground),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
