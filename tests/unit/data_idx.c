/* IDX datasets that load: what is read, from where, and what the content hash depends on. */
#include "data_folder.h"

static void loads_raw_files(void **state)
{
    const struct place *place = *state;
    struct error err = {0};
    put_set(place);
    struct dataset_request request = request_for(place);
    struct dataset *dataset = dataset_load(&request, &err);
    assert_non_null(dataset);
    const struct dataset_info *info = &dataset->info;
    assert_int_equal(info->channels, 1);
    assert_int_equal(info->height, HEIGHT);
    assert_int_equal(info->width, WIDTH);
    assert_int_equal(info->classes, 10);
    assert_int_equal(info->train, TRAIN - 3);
    assert_int_equal(info->validation, 3);
    assert_int_equal(info->test, TEST);
    struct bytes images = images_of(TRAIN, 0), labels = labels_of(TEST);
    assert_memory_equal(dataset->train_images, images.at + 16, TRAIN * PIXELS);
    assert_memory_equal(dataset->test_labels, labels.at + 8, TEST);
    assert_int_equal(dataset->train_labels[11], 1);
    assert_int_equal(dataset->test_images[0], 100);
    dataset_destroy(dataset);
}

static void content_does_not_depend_on_container_or_path(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    put_set(place);
    struct hash128 raw = content_of(&request);
    char hex[HASH_HEX_SIZE];
    hash128_hex(raw, hex);
    assert_string_equal(hex, "3629bdbfaabc06f5058f9c4fecf20f8a");
    for (int i = 0; i < 4; i++)
        put_set_gzip(place, i);
    struct hash128 gzip = content_of(&request);
    assert_memory_equal(&raw, &gzip, sizeof raw);

    strcpy(request.name, "another"); /* found in the folder itself now */
    strcpy(request.folder, place->set);
    struct hash128 moved = content_of(&request);
    assert_memory_equal(&raw, &moved, sizeof raw);
    request.split_seed = 5;
    struct hash128 split = content_of(&request);
    assert_memory_equal(&raw, &split, sizeof raw);
}

static void content_depends_on_every_byte_used(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    put_set(place);
    struct hash128 before = content_of(&request);
    for (int which = 0; which < 4; which++) {
        struct bytes bytes = file_of(which);
        bytes.at[bytes.length - 1] ^= 1;
        put(place, which, &bytes);
        struct hash128 after = content_of(&request);
        assert_memory_not_equal(&before, &after, sizeof before);
        before = after;
    }
    request.train = TRAIN - 1;
    struct hash128 subset = content_of(&request);
    assert_memory_not_equal(&before, &subset, sizeof before);
}

static void subsets_are_the_first_in_file_order(void **state)
{
    const struct place *place = *state;
    struct error err = {0};
    for (int i = 0; i < 4; i++)
        put_set_gzip(place, i);
    struct dataset_request request = request_for(place);
    request.train = 7;
    request.test = 2;
    struct dataset *dataset = dataset_load(&request, &err);
    assert_non_null(dataset);
    assert_int_equal(dataset->info.train, 4);
    assert_int_equal(dataset->info.validation, 3);
    assert_int_equal(dataset->info.test, 2);
    struct bytes images = images_of(TRAIN, 0);
    assert_memory_equal(dataset->train_images, images.at + 16, 7 * PIXELS);
    dataset_destroy(dataset);
}

static void a_raw_file_named_gz_is_read(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    put_set(place);
    struct hash128 content = content_of(&request);
    char from[256], to[256];
    snprintf(from, sizeof from, "%s/%s", place->set, names[0]);
    snprintf(to, sizeof to, "%s/%s.gz", place->set, names[0]);
    assert_int_equal(rename(from, to), 0);
    struct hash128 renamed = content_of(&request);
    assert_memory_equal(&content, &renamed, sizeof content);
}

/* The folder of the real data: named by the environment, or beside the source tree. */
static bool real_data(char folder[DATA_PATH_SIZE])
{
    const char *named = getenv("SWEEPSTAKE_TEST_DATA");
    const char *here = strrchr(__FILE__, '/');
    int length = here ? (int)(here - __FILE__) : 0;
    if (named)
        snprintf(folder, DATA_PATH_SIZE, "%s", named);
    else
        snprintf(folder, DATA_PATH_SIZE, "%.*s/../../../shared/data", length, __FILE__);
    return access(folder, R_OK) == 0;
}

static void reads_the_real_mnist(void **state)
{
    (void)state;
    struct error err = {0};
    struct dataset_request request = {.name = "mnist", .train = -1, .test = -1, .validation = 5000};
    if (!real_data(request.folder))
        skip();
    struct dataset *dataset = dataset_load(&request, &err);
    if (!dataset)
        fail_msg("%s", err.text);
    assert_int_equal(dataset->info.train, 55000);
    assert_int_equal(dataset->info.test, 10000);
    const uint8_t first[] = {5, 0, 4, 1, 9, 2, 1, 3}, first_of_test[] = {7, 2, 1, 0, 4, 1, 4, 9};
    assert_memory_equal(dataset->train_labels, first, sizeof first);
    assert_memory_equal(dataset->test_labels, first_of_test, sizeof first_of_test);
    char hex[HASH_HEX_SIZE];
    hash128_hex(dataset->content, hex);
    assert_string_equal(hex, "2ac6515084b7c72c4cf9f7f36fc8794b");
    dataset_destroy(dataset);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(loads_raw_files),
        IN_PLACE(content_does_not_depend_on_container_or_path),
        IN_PLACE(content_depends_on_every_byte_used),
        IN_PLACE(subsets_are_the_first_in_file_order),
        IN_PLACE(a_raw_file_named_gz_is_read),
        cmocka_unit_test(reads_the_real_mnist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
