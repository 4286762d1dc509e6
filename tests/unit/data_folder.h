/* For the tests of IDX datasets: a small set of files in a temporary folder, raw or gzip. */
#ifndef TESTS_DATA_FOLDER_H
#define TESTS_DATA_FOLDER_H

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

enum { TRAIN = 12, TEST = 5, HEIGHT = 3, WIDTH = 2, PIXELS = HEIGHT * WIDTH };

static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

struct bytes {
    uint8_t at[256];
    size_t length;
};

/* A folder of its own for each test: root/toy/. */
struct place {
    char root[64], set[96];
};

static inline int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    strcpy(place->root, "/tmp/sweepstake-data-XXXXXX");
    if (!place || !mkdtemp(place->root))
        return -1;
    snprintf(place->set, sizeof place->set, "%s/toy", place->root);
    *state = place;
    return mkdir(place->set, 0700);
}

static inline void remove_files(const char *folder)
{
    char path[256];
    for (int i = 0; i < 4; i++)
        for (int gz = 0; gz < 2; gz++) {
            snprintf(path, sizeof path, "%s/%s%s", folder, names[i], gz ? ".gz" : "");
            if (unlink(path))
                rmdir(path);
        }
    rmdir(folder);
}

static inline int remove_place(void **state)
{
    struct place *place = *state;
    remove_files(place->set);
    remove_files(place->root);
    free(place);
    return 0;
}

static inline void add_number(struct bytes *bytes, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes->at[bytes->length++] = (uint8_t)(number >> shift);
}

static inline struct bytes images_of(uint32_t count, uint32_t first)
{
    struct bytes bytes = {.length = 0};
    add_number(&bytes, 2051);
    add_number(&bytes, count);
    add_number(&bytes, HEIGHT);
    add_number(&bytes, WIDTH);
    for (uint32_t i = 0; i < count * PIXELS; i++)
        bytes.at[bytes.length++] = (uint8_t)(first + 3 * i);
    return bytes;
}

static inline struct bytes labels_of(uint32_t count)
{
    struct bytes bytes = {.length = 0};
    add_number(&bytes, 2049);
    add_number(&bytes, count);
    for (uint32_t i = 0; i < count; i++)
        bytes.at[bytes.length++] = (uint8_t)(i % 10);
    return bytes;
}

static inline struct bytes file_of(int which)
{
    switch (which) {
    case 0:
        return images_of(TRAIN, 0);
    case 1:
        return labels_of(TRAIN);
    case 2:
        return images_of(TEST, 100);
    default:
        return labels_of(TEST);
    }
}

static inline void put_file(const char *folder, int which, const void *bytes, size_t length)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, names[which]);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline void put(const struct place *place, int which, const struct bytes *bytes)
{
    put_file(place->set, which, bytes->at, bytes->length);
}

static inline void put_gzip(const char *folder, int which, const struct bytes *bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s.gz", folder, names[which]);
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes->at, (unsigned)bytes->length), bytes->length);
    assert_int_equal(gzclose(file), Z_OK);
}

/* Inverts byte `flip` of a .gz file (counted from its end, 0 = none), then drops its last `cut`. */
static inline void damage_gzip(const struct place *place, int which, size_t flip, size_t cut)
{
    char path[256];
    uint8_t content[512];
    snprintf(path, sizeof path, "%s/%s.gz", place->set, names[which]);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(content, 1, sizeof content, file);
    fclose(file);
    assert_true(length > 30 && length < sizeof content);
    if (flip)
        content[length - flip] ^= 0xff;
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, length - cut, file), length - cut);
    fclose(file);
}

static inline void put_set(const struct place *place)
{
    for (int i = 0; i < 4; i++) {
        struct bytes bytes = file_of(i);
        put(place, i, &bytes);
    }
}

/* The set with one file as gzip instead. */
static inline void put_set_gzip(const struct place *place, int which)
{
    put_set(place);
    struct bytes bytes = file_of(which);
    put_gzip(place->set, which, &bytes);
    char path[256];
    snprintf(path, sizeof path, "%s/%s", place->set, names[which]);
    unlink(path);
}

static inline struct dataset_request request_for(const struct place *place)
{
    struct dataset_request request = {.name = "toy", .train = -1, .test = -1, .validation = 3};
    strcpy(request.folder, place->root);
    return request;
}

static inline struct hash128 content_of(const struct dataset_request *request)
{
    struct error err = {0};
    struct hash128 content = {{0}};
    if (dataset_content(request, &content, &err))
        fail_msg("%s", err.text);
    return content;
}

#endif
