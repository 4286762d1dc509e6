/* Datasets as a whole: from a request to described, loaded and split examples.
 *
 * The order is always the same: check the request, ask the source what it has, narrow that to the
 * requested subsets, take the validation examples out. Examples stand in one block (images and
 * labels of training, then of the test) that depends on the content alone; the split and the scales
 * of a request are made beside it. The info of a loaded dataset is the info that dataset_describe
 * gives for the same request. */
#include "data/dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "evaluation.h"
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

size_t dataset_image_bytes(const struct dataset_info *info)
{
    return (size_t)info->channels * (size_t)info->height * (size_t)info->width;
}

int64_t dataset_example_bytes(const struct dataset_info *info)
{
    const int64_t example = (int64_t)dataset_image_bytes(info) + 1; /* and its label */
    return (info->train + info->validation + info->test) * example;
}

int64_t dataset_own_bytes(const struct dataset_info *info)
{
    const int64_t listed = 2 * (info->train + info->validation) + info->test;
    return listed * (int64_t)sizeof(uint32_t) + evaluation_turned_bytes(info);
}

/* The first `validation` of a permutation are the validation examples; both lists ascend. */
static int draw_split(struct dataset *dataset, int64_t split_seed, struct error *err)
{
    struct rng_stream stream = {.seed = (uint64_t)split_seed, .purpose = RNG_SPLIT};
    uint32_t training = (uint32_t)(dataset->info.train + dataset->info.validation);
    uint32_t *order = mem_zeroed(training, sizeof *order, err);
    bool *held_out = mem_zeroed(training, sizeof *held_out, err);
    dataset->train_index = mem_zeroed((size_t)dataset->info.train, sizeof(uint32_t), err);
    dataset->validation_index = mem_zeroed((size_t)dataset->info.validation, sizeof(uint32_t), err);
    int status = order && held_out && dataset->train_index && dataset->validation_index ? 0 : -1;
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

/* --- the examples --- */

/* Where the parts of a block are. */
static void divide(const struct dataset_info *info, uint8_t *block, uint8_t *images[INTAKE_PARTS],
                   uint8_t *labels[INTAKE_PARTS])
{
    const int64_t counts[INTAKE_PARTS] = {info->train + info->validation, info->test};
    const int64_t bytes = (int64_t)dataset_image_bytes(info);
    for (int part = 0; part < INTAKE_PARTS; part++) {
        images[part] = block;
        labels[part] = block + counts[part] * bytes;
        block = labels[part] + counts[part];
    }
}

/* What a block is made of. */
struct making {
    const struct dataset_request *request;
    const struct dataset_info *info;
    struct hash128 content;
    bool is_known; /* the content; else it is set */
};

/* `intake` says where to; its hash is the content's where the source has no other. */
static int read_content(const struct making *making, struct intake *intake, struct hash128 *content,
                        struct error *err)
{
    const struct data_source *source = source_of(making->request);
    if (source->read(making->request, making->info, intake, err))
        return -1;
    *content =
        source->content ? source->content(making->info, making->request) : intake_content(intake);
    return 0;
}

static int make_examples(void *user, void *bytes, struct error *err)
{
    struct making *making = user;
    struct intake intake;
    struct hash128 content;
    if (intake_begin(&intake, making->info, !source_of(making->request)->content, err))
        return -1;
    divide(making->info, bytes, intake.images, intake.labels);
    int status = read_content(making, &intake, &content, err);
    intake_finish(&intake);
    if (status == 0 && making->is_known && memcmp(&content, &making->content, sizeof content) != 0)
        return error_set(err, ERROR_TASK, "the dataset %s changed since the run began",
                         making->request->name);
    making->content = content;
    return status;
}

/* Labels are kept for a while: in the files of some sources they stand between the images. */
static int hash_examples(struct making *making, struct error *err)
{
    struct intake intake;
    if (intake_begin(&intake, making->info, true, err))
        return -1;
    for (int part = 0; part < INTAKE_PARTS; part++)
        intake.labels[part] = mem_zeroed((size_t)intake.count[part], 1, err);
    int status = intake.labels[INTAKE_TRAIN] && intake.labels[INTAKE_TEST]
                     ? read_content(making, &intake, &making->content, err)
                     : -1;
    for (int part = 0; part < INTAKE_PARTS; part++)
        free(intake.labels[part]);
    intake_finish(&intake);
    return status;
}

/* --- whole datasets --- */

#define BLOCK_LAYOUT 1 /* raised with every change of what divide() says */
#define BLOCK_NAME_SIZE (HASH_HEX_SIZE + 16)

/* `private` NULL = the examples are this process's own. */
static int open_examples(struct dataset *dataset, struct making *making, struct error *private,
                         struct error *err)
{
    char name[BLOCK_NAME_SIZE], hex[HASH_HEX_SIZE];
    struct shared_block *block = &dataset->examples;
    struct shared_block_maker maker = {name, (size_t)dataset_example_bytes(making->info),
                                       make_examples, making};
    hash128_hex(making->content, hex);
    snprintf(name, sizeof name, "data-%d-%s", BLOCK_LAYOUT, hex);
    if (private ? shared_block_open(&maker, block, private, err)
                : shared_block_make_private(&maker, block, err))
        return -1;
    uint8_t *images[INTAKE_PARTS], *labels[INTAKE_PARTS];
    divide(making->info, (uint8_t *)(uintptr_t)block->bytes, images, labels);
    dataset->train_images = images[INTAKE_TRAIN];
    dataset->train_labels = labels[INTAKE_TRAIN];
    dataset->test_images = images[INTAKE_TEST];
    dataset->test_labels = labels[INTAKE_TEST];
    dataset->content = making->content;
    return 0;
}

static struct dataset *open_dataset(struct making *making, struct error *private, struct error *err)
{
    const struct dataset_request *request = making->request;
    struct dataset *dataset = mem_zeroed(1, sizeof *dataset, err);
    if (!dataset)
        return NULL;
    dataset->info = *making->info;
    dataset->augment = request->augment;
    if (open_examples(dataset, making, private, err) == 0 &&
        draw_split(dataset, request->split_seed, err) == 0 &&
        evaluation_prepare(dataset, err) == 0 &&
        (request->preprocessing != DATA_STANDARDIZE || standardize(dataset, err) == 0))
        return dataset;
    dataset_destroy(dataset);
    return NULL;
}

struct dataset *dataset_load(const struct dataset_request *request, struct error *err)
{
    struct dataset_info info;
    struct making making = {.request = request, .info = &info};
    if (dataset_describe(request, &info, err))
        return NULL;
    return open_dataset(&making, NULL, err);
}

struct dataset *dataset_share(const struct dataset_request *request,
                              const struct dataset_info *info, struct hash128 content,
                              struct error *private, struct error *err)
{
    struct making making = {request, info, content, .is_known = true};
    return open_dataset(&making, private, err);
}

void dataset_destroy(struct dataset *dataset)
{
    if (!dataset)
        return;
    shared_block_close(&dataset->examples);
    free(dataset->train_index);
    free(dataset->validation_index);
    evaluation_finish(dataset);
    free(dataset->scales);
    free(dataset);
}

int dataset_content(const struct dataset_request *request, struct hash128 *content,
                    struct error *err)
{
    struct dataset_info info;
    struct making making = {.request = request, .info = &info};
    const struct data_source *source = source_of(request);
    if (dataset_describe(request, &info, err) || (!source->content && hash_examples(&making, err)))
        return -1;
    *content = source->content ? source->content(&info, request) : making.content;
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
