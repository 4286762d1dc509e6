#include "intake.h"

#include <stdio.h>
#include <string.h>

int intake_begin(struct intake *intake, const struct dataset_info *info, bool wants_hash,
                 struct error *err)
{
    char sizes[160];
    size_t training = (size_t)(info->train + info->validation), test = (size_t)info->test;
    *intake = (struct intake){.count = {(int64_t)training, (int64_t)test}};
    if (!wants_hash)
        return 0;
    intake->hash = hash_stream_create(err);
    if (!intake->hash)
        return -1;
    int length = snprintf(sizes, sizeof sizes,
                          "examples 1: %d x %d x %d bytes, %d classes, %zu training, %zu test\n",
                          info->channels, info->height, info->width, info->classes, training, test);
    hash_stream_add(intake->hash, sizes, (size_t)length);
    return 0;
}

static void hash_labels(const struct intake *intake, enum intake_part part)
{
    hash_stream_add(intake->hash, intake->labels[part], (size_t)intake->count[part]);
}

void intake_images(struct intake *intake, enum intake_part part, const uint8_t *images,
                   size_t bytes)
{
    if (intake->images[part]) {
        memcpy(intake->images[part], images, bytes);
        intake->images[part] += bytes;
    }
    if (!intake->hash)
        return;
    if (part == INTAKE_TEST && !intake->is_testing)
        hash_labels(intake, INTAKE_TRAIN);
    intake->is_testing = part == INTAKE_TEST;
    hash_stream_add(intake->hash, images, bytes);
}

struct hash128 intake_content(struct intake *intake)
{
    hash_labels(intake, INTAKE_TEST);
    return hash_stream_digest128(intake->hash);
}

void intake_finish(struct intake *intake)
{
    hash_stream_destroy(intake->hash);
    intake->hash = NULL;
}
