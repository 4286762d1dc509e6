/* A folder of a dataset whose files are in memory. An input is
 *
 *     flags        bit i: file i is there, bit 4 + i % 4: it is compressed here, so that mutations
 *                  reach what is behind the gzip checksum (files that are gzip come so as well)
 *     request      train, test, validation: one signed byte each, -1 = all there is
 *     lengths      two bytes, of all files but the last
 *     files */
#ifndef TESTS_FUZZ_FOLDER_H
#define TESTS_FUZZ_FOLDER_H

#include <zlib.h>

#include "data/dataset.h"
#include "support.h"

#define FOLDER_FILES 4

struct folder {
    const char *dataset;
    const char *const *names; /* [FOLDER_FILES] */
    char path[MEMORY_PATH_SIZE];
    int fds[FOLDER_FILES];
    char targets[FOLDER_FILES][MEMORY_PATH_SIZE];
};

static inline void folder_create(struct folder *folder)
{
    memory_folder(folder->path);
    for (int i = 0; i < FOLDER_FILES; i++)
        folder->fds[i] = memory_file(folder->targets[i]);
}

static inline void folder_remove(const struct folder *folder)
{
    char path[2 * MEMORY_PATH_SIZE];
    for (int i = 0; i < FOLDER_FILES; i++) {
        snprintf(path, sizeof path, "%s/%s", folder->path, folder->names[i]);
        unlink(path);
    }
    rmdir(folder->path);
}

static inline void folder_set_packed(int fd, struct input content)
{
    static uint8_t packed[1 << 16];
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)content.bytes,
                       .avail_in = (uInt)content.left,
                       .next_out = packed,
                       .avail_out = sizeof packed};
    MUST(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    MUST(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    memory_file_set(fd, packed, stream.total_out);
    deflateEnd(&stream);
}

static inline void folder_fill(const struct folder *folder, uint32_t flags, struct input *input)
{
    size_t lengths[FOLDER_FILES] = {0};
    for (int i = 0; i + 1 < FOLDER_FILES; i++)
        lengths[i] = input_number(input, 2);
    lengths[FOLDER_FILES - 1] = SIZE_MAX;
    for (int i = 0; i < FOLDER_FILES; i++) {
        char path[2 * MEMORY_PATH_SIZE];
        struct input content = input_take(input, lengths[i]);
        snprintf(path, sizeof path, "%s/%s", folder->path, folder->names[i]);
        unlink(path);
        if (flags >> i & 1)
            MUST(symlink(folder->targets[i], path) == 0);
        if (flags >> (4 + i) & 1)
            folder_set_packed(folder->fds[i], content);
        else
            memory_file_set(folder->fds[i], content.bytes, content.left);
    }
}

static inline void folder_check(const struct dataset *dataset, const struct dataset_request *asked)
{
    const struct dataset_info *info = &dataset->info;
    int64_t training = info->train + info->validation;
    MUST(info->train > 0 && info->test > 0 && info->validation == asked->validation);
    for (int64_t i = 0; i < training; i++)
        MUST(dataset->train_labels[i] < info->classes);
    for (int64_t i = 0; i < info->test; i++)
        MUST(dataset->test_labels[i] < info->classes);
    for (int64_t i = 0; i < info->train; i++)
        MUST(dataset->train_index[i] < training);
    for (int64_t i = 0; i < info->validation; i++)
        MUST(dataset->validation_index[i] < training);
}

/* One input through everything a run does with a dataset's files. */
static inline void folder_try(struct folder *folder, const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct dataset_request request = {.preprocessing = DATA_STANDARDIZE};
    struct dataset_info info;
    struct error err = {0};
    uint32_t flags = input_number(&input, 1);
    request.train = (int8_t)input_number(&input, 1);
    request.test = (int8_t)input_number(&input, 1);
    request.validation = (int8_t)input_number(&input, 1);
    snprintf(request.name, sizeof request.name, "%s", folder->dataset);
    snprintf(request.folder, sizeof request.folder, "%s", folder->path);
    folder_fill(folder, flags, &input);
    int described = dataset_describe(&request, &info, &err);
    struct dataset *dataset = dataset_load(&request, &err);
    if (dataset == NULL)
        must_say_why(&err);
    else
        folder_check(dataset, &request);
    MUST(dataset == NULL || described == 0);
    dataset_destroy(dataset);
}

/* The whole of LLVMFuzzerTestOneInput for a target with one folder. */
static struct folder *open_folder;

static inline void folder_close(void)
{
    folder_remove(open_folder);
}

static inline int folder_fuzz(struct folder *folder, const uint8_t *bytes, size_t size)
{
    if (open_folder == NULL) {
        open_folder = folder;
        folder_create(folder);
        atexit(folder_close);
    }
    folder_try(folder, bytes, size);
    return 0;
}

#endif
