/* Datasets as a whole: from a request to described, loaded and split examples.
 *
 * The order is always the same: check the request, ask the source what it has, narrow that to the
 * requested subsets, take the validation examples out. dataset_load then allocates, lets the source
 * fill the arrays, hashes the content and draws the split. The info of a loaded dataset is the info
 * that dataset_describe gives for the same request. */
#include "data/dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "source.h"
#include "standardize.h"

/* Any other name is a folder of IDX files. */
static const struct {
    const char *name;
    const struct data_source *source;
} known[] = {
    {"mnist", &idx_source},        {"fashion-mnist", &idx_source}, {"cifar10", &cifar_source},
    {"digits", &generated_source}, {"shapes", &generated_source},
};
#define KNOWN (sizeof known / sizeof *known)

static const struct data_source *source_of(const struct dataset_request *request)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (strcmp(known[i].name, request->name) == 0)
            return known[i].source;
    return &idx_source;
}

const char *source_nearest(const char *name)
{
    const char *names[KNOWN];
    for (size_t i = 0; i < KNOWN; i++)
        names[i] = known[i].name;
    return text_nearest(name, names, KNOWN);
}

static int check_subset(const char *field, int64_t wanted, struct error *err)
{
    if (wanted == -1 || (wanted >= 1 && wanted <= INT32_MAX))
        return 0;
    return error_set(err, ERROR_USAGE,
                     "dataset.%s is %" PRId64 "; it counts examples, from 1 to %d", field, wanted,
                     INT32_MAX);
}

static int check_request(const struct dataset_request *request, struct error *err)
{
    if (request->name[0] == '\0')
        return error_set(err, ERROR_USAGE, "dataset.name is empty");
    if (check_subset("train", request->train, err) || check_subset("test", request->test, err))
        return -1;
    if (request->validation < 0)
        return error_set(err, ERROR_USAGE,
                         "dataset.validation is %" PRId64 "; it cannot be negative",
                         request->validation);
    return 0;
}

static int narrow(const struct dataset_request *request, const char *field, int64_t wanted,
                  int64_t *count, struct error *err)
{
    if (wanted > *count)
        return error_set(err, ERROR_USAGE,
                         "dataset.%s asks for %" PRId64 " examples, '%s' has %" PRId64, field,
                         wanted, request->name, *count);
    if (wanted >= 0)
        *count = wanted;
    return 0;
}

int dataset_describe(const struct dataset_request *request, struct dataset_info *info,
                     struct error *err)
{
    *info = (struct dataset_info){0};
    if (check_request(request, err) || source_of(request)->describe(request, info, err) ||
        narrow(request, "train", request->train, &info->train, err) ||
        narrow(request, "test", request->test, &info->test, err))
        return -1;
    if (request->validation >= info->train)
        return error_set(err, ERROR_USAGE,
                         "dataset.validation takes %" PRId64 " of %" PRId64
                         " training examples of '%s'; at least one must be left",
                         request->validation, info->train, request->name);
    info->validation = request->validation;
    info->train -= info->validation;
    return 0;
}

static size_t example_bytes(const struct dataset_info *info)
{
    return (size_t)info->channels * (size_t)info->height * (size_t)info->width;
}

int64_t dataset_memory_bytes(const struct dataset_info *info)
{
    int64_t training = info->train + info->validation;
    return (training + info->test) * ((int64_t)example_bytes(info) + 1) +
           training * (int64_t)sizeof(uint32_t);
}

static int allocate(struct dataset *dataset, struct error *err)
{
    const struct dataset_info *info = &dataset->info;
    size_t bytes = example_bytes(info), training = (size_t)(info->train + info->validation);
    dataset->train_images = mem_zeroed(training, bytes, err);
    dataset->train_labels = mem_zeroed(training, 1, err);
    dataset->test_images = mem_zeroed((size_t)info->test, bytes, err);
    dataset->test_labels = mem_zeroed((size_t)info->test, 1, err);
    dataset->train_index = mem_zeroed((size_t)info->train, sizeof(uint32_t), err);
    dataset->validation_index = mem_zeroed((size_t)info->validation, sizeof(uint32_t), err);
    bool complete = dataset->train_images && dataset->train_labels && dataset->test_images &&
                    dataset->test_labels && dataset->train_index && dataset->validation_index;
    return complete ? 0 : -1;
}

/* The first `validation` of a permutation are the validation examples; both lists ascend. */
static int draw_split(struct dataset *dataset, int64_t split_seed, struct error *err)
{
    struct rng_stream stream = {.seed = (uint64_t)split_seed, .purpose = RNG_SPLIT};
    uint32_t training = (uint32_t)(dataset->info.train + dataset->info.validation);
    uint32_t *order = mem_zeroed(training, sizeof *order, err);
    bool *held_out = mem_zeroed(training, sizeof *held_out, err);
    int status = order && held_out ? 0 : -1;
    if (status == 0) {
        rng_permutation(stream, 0, order, training);
        for (int64_t i = 0; i < dataset->info.validation; i++)
            held_out[order[i]] = true;
        uint32_t *to[2] = {dataset->train_index, dataset->validation_index};
        for (uint32_t i = 0; i < training; i++)
            *to[held_out[i]]++ = i;
    }
    free(held_out);
    free(order);
    return status;
}

/* Sizes first, so that no two datasets give the same bytes. */
static int hash_decoded(struct dataset *dataset, struct error *err)
{
    const struct dataset_info *info = &dataset->info;
    struct hash_stream *stream = hash_stream_create(err);
    if (!stream)
        return -1;
    size_t bytes = example_bytes(info), test = (size_t)info->test;
    size_t training = (size_t)(info->train + info->validation);
    char sizes[160];
    int length = snprintf(sizes, sizeof sizes,
                          "examples 1: %d x %d x %d bytes, %d classes, %zu training, %zu test\n",
                          info->channels, info->height, info->width, info->classes, training, test);
    hash_stream_add(stream, sizes, (size_t)length);
    hash_stream_add(stream, dataset->train_images, training * bytes);
    hash_stream_add(stream, dataset->train_labels, training);
    hash_stream_add(stream, dataset->test_images, test * bytes);
    hash_stream_add(stream, dataset->test_labels, test);
    dataset->content = hash_stream_digest128(stream);
    hash_stream_destroy(stream);
    return 0;
}

static int fill(struct dataset *dataset, const struct dataset_request *request, struct error *err)
{
    const struct data_source *source = source_of(request);
    dataset->augment = request->augment;
    if (allocate(dataset, err) || source->fill(request, dataset, err) ||
        draw_split(dataset, request->split_seed, err) ||
        (request->preprocessing == DATA_STANDARDIZE && standardize(dataset, err)))
        return -1;
    if (!source->content)
        return hash_decoded(dataset, err);
    dataset->content = source->content(&dataset->info, request);
    return 0;
}

struct dataset *dataset_load(const struct dataset_request *request, struct error *err)
{
    struct dataset_info info;
    if (dataset_describe(request, &info, err))
        return NULL;
    struct dataset *dataset = mem_zeroed(1, sizeof *dataset, err);
    if (!dataset)
        return NULL;
    dataset->info = info;
    if (fill(dataset, request, err)) {
        dataset_destroy(dataset);
        return NULL;
    }
    return dataset;
}

void dataset_destroy(struct dataset *dataset)
{
    if (!dataset)
        return;
    free(dataset->train_images);
    free(dataset->train_labels);
    free(dataset->test_images);
    free(dataset->test_labels);
    free(dataset->train_index);
    free(dataset->validation_index);
    free(dataset->scales);
    free(dataset);
}

int dataset_content(const struct dataset_request *request, struct hash128 *content,
                    struct error *err)
{
    const struct data_source *source = source_of(request);
    if (source->content) {
        struct dataset_info info;
        if (dataset_describe(request, &info, err))
            return -1;
        *content = source->content(&info, request);
        return 0;
    }
    struct dataset *dataset = dataset_load(request, err);
    if (!dataset)
        return -1;
    *content = dataset->content;
    dataset_destroy(dataset);
    return 0;
}

int64_t dataset_part_count(const struct dataset *dataset, enum dataset_part part)
{
    switch (part) {
    case PART_TRAIN:
        return dataset->info.train;
    case PART_VALIDATION:
        return dataset->info.validation;
    case PART_TEST:
        return dataset->info.test;
    }
    return 0;
}
