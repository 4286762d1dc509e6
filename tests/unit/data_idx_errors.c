/* IDX datasets that are refused: every way in which files and requests can be wrong, with the
 * message that the user gets. */
#include "data_folder.h"

/* Loading is a usage error whose text holds both words. */
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
    assert_int_equal(err.class, ERROR_USAGE);
    refuse(request, word, other);
}

static void refuses_folders_without_the_files(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    refuse_early(&request, place->root, "train-images-idx3-ubyte.gz");
    put_set(place);
    for (int which = 0; which < 4; which++) {
        char path[256], compressed[64];
        snprintf(path, sizeof path, "%s/%s", place->set, names[which]);
        snprintf(compressed, sizeof compressed, "%s.gz", names[which]);
        assert_int_equal(unlink(path), 0);
        refuse_early(&request, place->set, compressed);
        assert_int_equal(mkdir(path, 0700), 0);
        refuse_early(&request, path, "not a regular file");
        assert_int_equal(rmdir(path), 0);
        put_set(place);
    }
    strcat(request.folder, "/absent");
    refuse_early(&request, request.folder, "SWEEPSTAKE_DATA");
    request.folder[0] = '\0';
    refuse_early(&request, "--data", "SWEEPSTAKE_DATA");
    strcpy(request.name, "digit");
    refuse_early(&request, "did you mean", "'digits'");
}

static void refuses_files_of_the_wrong_length(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    put_set(place);
    for (int which = 0; which < 4; which++) {
        const size_t cuts[] = {0, 3, 7, file_of(which).length - 1};
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            struct bytes cut = file_of(which);
            cut.length = cuts[i];
            put(place, which, &cut);
            refuse_early(&request, names[which], "truncated");
        }
        struct bytes longer = file_of(which);
        longer.length++;
        put(place, which, &longer);
        refuse_early(&request, names[which], "too long");
        struct bytes whole = file_of(which);
        put(place, which, &whole);
    }
}

static void refuses_gzip_of_the_wrong_length(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    for (int which = 0; which < 4; which++) {
        put_set_gzip(place, which);
        struct bytes bytes = file_of(which);
        bytes.length -= 1;
        put_gzip(place->set, which, &bytes);
        refuse(&request, names[which], "truncated");
        bytes.length += 2;
        put_gzip(place->set, which, &bytes);
        refuse(&request, names[which], "too long");
        request.train = request.test = 4; /* also behind the end of a subset */
        refuse(&request, names[which], "too long");
        request.train = request.test = -1;
    }
}

static void refuses_damaged_gzip(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    for (int which = 0; which < 4; which++) {
        put_set_gzip(place, which);
        damage_gzip(place, which, 0, 1); /* the checksum is not complete */
        refuse(&request, names[which], "truncated");
        damage_gzip(place, which, 0, 9);
        refuse(&request, names[which], "truncated");
        put_set_gzip(place, which);
        damage_gzip(place, which, 8, 0); /* the checksum is wrong */
        refuse(&request, names[which], "corrupt gzip");
        put_set_gzip(place, which);
        damage_gzip(place, which, 12, 0); /* the data are */
        refuse(&request, names[which], "");
        put_set(place);
    }
}

static void refuses_mislabelled_files(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    put_set(place);
    for (int which = 0; which < 4; which++) {
        struct bytes whole = file_of(which), other = file_of(which ^ 1), wrong = whole;
        put(place, which, &other);
        refuse_early(&request, names[which],
                     which % 2 ? "images where labels are expected"
                               : "labels where images are expected");
        wrong.at[3] = 9;
        put(place, which, &wrong);
        refuse_early(&request, names[which], "magic number 2057, should be");
        put(place, which, &whole);
    }
}

static void refuses_sizes_that_cannot_be(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    put_set(place);
    for (int which = 0; which < 4; which++) {
        struct bytes whole = file_of(which);
        for (size_t at = 4; at < (which % 2 ? 8u : 16u); at += 4) {
            struct bytes wrong = whole;
            memset(wrong.at + at, 0, 4);
            put(place, which, &wrong);
            refuse_early(&request, names[which], "its header gives 0");
            memset(wrong.at + at, 0xff, 4);
            put(place, which, &wrong);
            refuse_early(&request, names[which], "its header gives 4294967295");
        }
        put(place, which, &whole);
    }
}

/* Sizes within bounds that the file is far too small for: nothing may be allocated by them. */
static void refuses_gzip_that_promises_too_much(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    put_set_gzip(place, 0);
    struct bytes wrong = file_of(0);
    memcpy(wrong.at + 4, (uint8_t[]){0x7f, 0xff, 0xff, 0xff, 0, 0, 16, 0, 0, 0, 16, 0}, 12);
    put_gzip(place->set, 0, &wrong);
    refuse_early(&request, names[0], "of gzip can hold");
}

static void refuses_files_that_do_not_match(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    put_set(place);
    struct bytes labels = labels_of(TRAIN - 1);
    put(place, 1, &labels);
    refuse_early(&request, names[1], "11 labels for the 12 images");
    put_set(place);
    labels = labels_of(TEST + 1);
    put(place, 3, &labels);
    refuse_early(&request, names[3], "6 labels for the 5 images");
    put_set(place);
    struct bytes images = images_of(TEST, 0);
    images.at[11] = WIDTH;
    images.at[15] = HEIGHT;
    put(place, 2, &images);
    refuse_early(&request, names[2], "images of 2x3");
}

static void refuses_labels_above_nine(void **state)
{
    const struct place *place = *state;
    struct dataset_request request = request_for(place);
    put_set(place);
    for (int which = 1; which < 4; which += 2) {
        struct bytes wrong = file_of(which), whole = wrong;
        wrong.at[8 + 4] = 10;
        put(place, which, &wrong);
        refuse(&request, names[which], "label 10 of example 4");
        put(place, which, &whole);
    }
}

static void refuses_requests_beyond_the_data(void **state)
{
    const struct place *place = *state;
    put_set(place);
    struct dataset_request request = request_for(place);
    request.train = TRAIN + 1;
    refuse_early(&request, "dataset.train", "has 12");
    request.train = 0;
    refuse_early(&request, "dataset.train", "from 1");
    request = request_for(place);
    request.test = TEST + 1;
    refuse_early(&request, "dataset.test", "has 5");
    request = request_for(place);
    request.validation = TRAIN;
    refuse_early(&request, "dataset.validation", "12 of 12");
    request.validation = 3;
    request.train = 3;
    refuse_early(&request, "dataset.validation", "3 of 3");
    request.validation = -1;
    refuse_early(&request, "dataset.validation", "negative");
    request.name[0] = '\0';
    refuse_early(&request, "dataset.name", "");
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(refuses_folders_without_the_files),   IN_PLACE(refuses_files_of_the_wrong_length),
        IN_PLACE(refuses_gzip_of_the_wrong_length),    IN_PLACE(refuses_damaged_gzip),
        IN_PLACE(refuses_mislabelled_files),           IN_PLACE(refuses_sizes_that_cannot_be),
        IN_PLACE(refuses_gzip_that_promises_too_much), IN_PLACE(refuses_files_that_do_not_match),
        IN_PLACE(refuses_labels_above_nine),           IN_PLACE(refuses_requests_beyond_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
