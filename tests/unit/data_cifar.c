/* CIFAR-10's binary version: what is read from its files, and which files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "data/dataset.h"

enum { IMAGE = 3 * 32 * 32, RECORD = 1 + IMAGE, TRAIN = 4, TEST = 3, BATCHES = 5 };

/* root/cifar10/ */
struct place {
    char root[64], set[96];
};

static void name_file(const char *folder, int batch, const char *ending, char path[256])
{
    if (batch == 0)
        snprintf(path, 256, "%s/test_batch.bin%s", folder, ending);
    else
        snprintf(path, 256, "%s/data_batch_%d.bin%s", folder, batch, ending);
}

static void remove_batch(const char *folder, int batch)
{
    char path[256];
    name_file(folder, batch, "", path);
    unlink(path);
    name_file(folder, batch, ".gz", path);
    unlink(path);
}

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    strcpy(place->root, "/tmp/sweepstake-cifar-XXXXXX");
    if (!place || !mkdtemp(place->root))
        return -1;
    snprintf(place->set, sizeof place->set, "%s/cifar10", place->root);
    *state = place;
    return mkdir(place->set, 0700);
}

static int remove_place(void **state)
{
    struct place *place = *state;
    for (int batch = 0; batch <= BATCHES; batch++) {
        remove_batch(place->set, batch);
        remove_batch(place->root, batch);
    }
    rmdir(place->set);
    rmdir(place->root);
    free(place);
    return 0;
}

static int records_of(int batch)
{
    return batch == 0 ? TEST : TRAIN;
}

static uint8_t pixel_of(int batch, int record, int pixel)
{
    return (uint8_t)(batch * 31 + record * 7 + pixel * 3 + pixel / 1024);
}

/* The content of a batch (0 = test) with its labels and pixels; the caller frees it. */
static uint8_t *batch_bytes(int batch)
{
    uint8_t *bytes = malloc((size_t)records_of(batch) * RECORD);
    assert_non_null(bytes);
    for (int record = 0; record < records_of(batch); record++) {
        bytes[record * RECORD] = (uint8_t)((batch + record) % 10);
        for (int pixel = 0; pixel < IMAGE; pixel++)
            bytes[record * RECORD + 1 + pixel] = pixel_of(batch, record, pixel);
    }
    return bytes;
}

static void put_bytes(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void put_raw(const struct place *place, int batch, const void *bytes, size_t length)
{
    char path[256];
    name_file(place->set, batch, "", path);
    put_bytes(path, bytes, length);
}

/* Appends a gzip member. */
static void put_gzip(const char *folder, int batch, const void *bytes, size_t length)
{
    char path[256];
    name_file(folder, batch, ".gz", path);
    gzFile file = gzopen(path, "ab");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)length), length);
    assert_int_equal(gzclose(file), Z_OK);
}

static void put_batch(const struct place *place, int batch, bool gzip)
{
    uint8_t *bytes = batch_bytes(batch);
    size_t length = (size_t)records_of(batch) * RECORD;
    remove_batch(place->set, batch);
    if (gzip)
        put_gzip(place->set, batch, bytes, length);
    else
        put_raw(place, batch, bytes, length);
    free(bytes);
}

/* The first `batches` training batches and the test batch. */
static void put_set(const struct place *place, int batches, bool gzip)
{
    for (int batch = 0; batch <= BATCHES; batch++)
        if (batch <= batches)
            put_batch(place, batch, gzip);
        else
            remove_batch(place->set, batch);
}

static struct dataset_request request_for(const struct place *place)
{
    struct dataset_request request = {.name = "cifar10", .train = -1, .test = -1};
    strcpy(request.folder, place->root);
    return request;
}

static struct dataset *load(const struct dataset_request *request)
{
    struct error err = {0};
    struct dataset *dataset = dataset_load(request, &err);
    if (!dataset)
        fail_msg("%s", err.text);
    return dataset;
}

static struct hash128 content_of(const struct dataset_request *request)
{
    struct error err = {0};
    struct hash128 content = {{0}};
    if (dataset_content(request, &content, &err))
        fail_msg("%s", err.text);
    return content;
}

static void check_example(const uint8_t *image, uint8_t label, int batch, int record)
{
    assert_int_equal(label, (batch + record) % 10);
    for (int pixel = 0; pixel < IMAGE; pixel++)
        assert_int_equal(image[pixel], pixel_of(batch, record, pixel));
}

static void reads_the_batches_there_are(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    for (int batches = 1; batches <= BATCHES; batches++) {
        put_set(place, batches, batches % 2 == 0);
        struct dataset *dataset = load(&request);
        assert_int_equal(dataset->info.train, batches * TRAIN);
        assert_int_equal(dataset->info.test, TEST);
        assert_int_equal(dataset->info.channels, 3);
        assert_int_equal(dataset->info.height, 32);
        assert_int_equal(dataset->info.width, 32);
        assert_int_equal(dataset->info.classes, 10);
        for (int i = 0; i < batches * TRAIN; i++)
            check_example(dataset->train_images + i * IMAGE, dataset->train_labels[i],
                          1 + i / TRAIN, i % TRAIN);
        for (int i = 0; i < TEST; i++)
            check_example(dataset->test_images + i * IMAGE, dataset->test_labels[i], 0, i);
        dataset_destroy(dataset);
    }
}

static void takes_the_first_examples_of_several_batches(void **state)
{
    const struct place *place = *state;
    put_set(place, 3, true);
    struct dataset_request request = request_for(place);
    request.train = TRAIN + 2;
    request.test = 1;
    struct dataset *dataset = load(&request);
    assert_int_equal(dataset->info.train, TRAIN + 2);
    assert_int_equal(dataset->info.test, 1);
    check_example(dataset->train_images + (TRAIN + 1) * IMAGE, dataset->train_labels[TRAIN + 1], 2,
                  1);
    dataset_destroy(dataset);
}

static void content_does_not_depend_on_container_or_path(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    put_set(place, 2, false);
    struct hash128 raw = content_of(&request);
    char hex[HASH_HEX_SIZE];
    hash128_hex(raw, hex);
    assert_string_equal(hex, "07225e9e2d41b7028f42e4a18ac26ee9");
    put_set(place, 2, true);
    struct hash128 gzip = content_of(&request);
    assert_memory_equal(&raw, &gzip, sizeof raw);
    strcpy(request.folder, place->set); /* found in the folder itself now */
    struct hash128 moved = content_of(&request);
    assert_memory_equal(&raw, &moved, sizeof raw);
    request.train = TRAIN;
    struct hash128 fewer = content_of(&request);
    assert_memory_not_equal(&raw, &fewer, sizeof raw);
}

/* --- refusals --- */

static void refuse(const struct dataset_request *request, const char *word, const char *other)
{
    struct error err = {0};
    struct hash128 content;
    assert_int_equal(dataset_content(request, &content, &err), -1);
    if (err.class != ERROR_USAGE || !strstr(err.text, word) || !strstr(err.text, other))
        fail_msg("class %d, text '%s'; expected '%s' and '%s'", err.class, err.text, word, other);
    assert_null(dataset_load(request, &err));
}

/* The same already without decoding. */
static void refuse_early(const struct dataset_request *request, const char *word, const char *other)
{
    struct error err = {0};
    struct dataset_info info;
    assert_int_equal(dataset_describe(request, &info, &err), -1);
    refuse(request, word, other);
}

static void refuses_missing_batches_by_name(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    refuse_early(&request, place->root, "data_batch_1.bin");
    put_set(place, 4, false);
    remove_batch(place->set, 2);
    refuse_early(&request, "neither data_batch_2.bin nor data_batch_2.bin.gz",
                 "data_batch_4.bin is");
    remove_batch(place->set, 1);
    refuse_early(&request, "neither data_batch_1.bin", "data_batch_4.bin is");
    put_set(place, 1, false);
    remove_batch(place->set, 0);
    refuse_early(&request, "neither test_batch.bin nor test_batch.bin.gz is there", place->set);
    put_set(place, 0, false);
    refuse_early(&request, "neither data_batch_1.bin nor data_batch_1.bin.gz is there", place->set);
}

static void refuses_wrong_lengths(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    uint8_t *bytes = batch_bytes(1);
    const size_t lengths[] = {0, 1, RECORD - 1, RECORD + 1, TRAIN * RECORD - 1};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        put_set(place, 2, false);
        put_raw(place, 1, bytes, lengths[i]);
        refuse_early(&request, "data_batch_1.bin: wrong length", "3073");
        remove_batch(place->set, 1);
        put_gzip(place->set, 1, bytes, lengths[i]);
        refuse_early(&request, "data_batch_1.bin.gz: wrong length", "3073");
    }
    free(bytes);
}

static void refuses_labels_above_nine(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    for (int batch = 0; batch < 2; batch++) {
        put_set(place, 1, false);
        uint8_t *bytes = batch_bytes(batch);
        bytes[2 * RECORD] = 10;
        put_raw(place, batch, bytes, (size_t)records_of(batch) * RECORD);
        refuse(&request, "label 10 of record 2", "from 0 to 9");
        request.train = request.test = 1; /* what is not used of a file is checked too */
        refuse(&request, "label 10 of record 2", batch ? "data_batch_1.bin" : "test_batch.bin");
        request.train = request.test = -1;
        free(bytes);
    }
}

/* Reads a .gz file, changes it, and writes it back. */
static void damage(const struct place *place, size_t flip_from_end, size_t cut)
{
    char path[256];
    static uint8_t content[TRAIN * RECORD + 1024];
    name_file(place->set, 1, ".gz", path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(content, 1, sizeof content, file);
    fclose(file);
    if (flip_from_end)
        content[length - flip_from_end] ^= 0xff;
    put_bytes(path, content, length - cut);
}

static void refuses_corrupt_gzip(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    put_set(place, 1, true);
    damage(place, 7, 0); /* the checksum */
    refuse(&request, "data_batch_1.bin.gz", "corrupt gzip data");
    put_set(place, 1, true);
    damage(place, 0, 20);
    refuse(&request, "data_batch_1.bin.gz", "truncated");
    put_set(place, 1, true);
    uint8_t *bytes = batch_bytes(2); /* a second member, whose trailer hides the first */
    put_gzip(place->set, 1, bytes, RECORD);
    refuse(&request, "data_batch_1.bin.gz", "several gzip members");
    free(bytes);
}

static void suggests_the_name(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    strcpy(request.name, "cifar-10");
    refuse_early(&request, "did you mean", "'cifar10'");
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(reads_the_batches_there_are),
        PLACED(takes_the_first_examples_of_several_batches),
        PLACED(content_does_not_depend_on_container_or_path),
        PLACED(refuses_missing_batches_by_name),
        PLACED(refuses_wrong_lengths),
        PLACED(refuses_labels_above_nine),
        PLACED(refuses_corrupt_gzip),
        PLACED(suggests_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
