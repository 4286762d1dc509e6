/* Like examples together: by label, then by how many of their pixel columns are not blank, then by
 * position (a counting sort); and those of validation as batches have them. */
#include "evaluation.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "batch.h"

/* The examples of a part, and what they are sorted by. */
struct part {
    const uint8_t *images, *labels;
    const uint32_t *listed; /* [count], ascending; NULL: 0, 1, ... */
    int64_t count;
};

static struct part part_of(const struct dataset *dataset, enum dataset_part which)
{
    const bool is_test = which == PART_TEST;
    return (struct part){
        .images = is_test ? dataset->test_images : dataset->train_images,
        .labels = is_test ? dataset->test_labels : dataset->train_labels,
        .listed = is_test                    ? NULL
                  : which == PART_VALIDATION ? dataset->validation_index
                                             : dataset->train_index,
        .count = dataset_part_count(dataset, which),
    };
}

/* Pixel columns that are not blank in all rows and channels; `column` has room for a row. */
static int32_t ink_width(const struct dataset_info *info, const uint8_t *image, uint8_t *column)
{
    int32_t width = 0;
    memset(column, 0, (size_t)info->width);
    for (int32_t row = 0; row < info->channels * info->height; row++)
        for (int32_t x = 0; x < info->width; x++)
            column[x] |= image[row * info->width + x];
    for (int32_t x = 0; x < info->width; x++)
        width += column[x] != 0;
    return width;
}

static uint32_t example_at(const struct part *part, int64_t i)
{
    return part->listed ? part->listed[i] : (uint32_t)i;
}

static void find_keys(const struct dataset_info *info, const struct part *part, uint8_t *column,
                      uint32_t *keys)
{
    const size_t bytes = dataset_image_bytes(info);
    for (int64_t i = 0; i < part->count; i++) {
        const uint32_t example = example_at(part, i);
        const int32_t width = ink_width(info, part->images + example * bytes, column);
        keys[i] = (uint32_t)(part->labels[example] * (info->width + 1) + width);
    }
}

/* `place[k + 1]` counts examples of key k, then says where the next one goes at place[k]. */
static void sort_by_keys(const struct part *part, const uint32_t *keys, size_t most,
                         uint32_t *place, uint32_t *sorted)
{
    for (int64_t i = 0; i < part->count; i++)
        place[keys[i] + 1]++;
    for (size_t k = 1; k <= most; k++)
        place[k] += place[k - 1];
    for (int64_t i = 0; i < part->count; i++)
        sorted[place[keys[i]]++] = example_at(part, i);
}

static int arrange(struct dataset *dataset, enum dataset_part which, struct error *err)
{
    const struct dataset_info *info = &dataset->info;
    const struct part part = part_of(dataset, which);
    const size_t most = (size_t)(UINT8_MAX + 1) * (size_t)(info->width + 1);
    uint32_t *keys = mem_zeroed((size_t)part.count, sizeof *keys, err);
    uint32_t *place = mem_zeroed(most + 1, sizeof *place, err);
    uint8_t *column = mem_zeroed((size_t)info->width, sizeof *column, err);
    uint32_t *sorted = mem_zeroed((size_t)part.count, sizeof *sorted, err);
    const bool has_memory = keys && place && column && sorted;
    if (has_memory) {
        find_keys(info, &part, column, keys);
        sort_by_keys(&part, keys, most, place, sorted);
    }
    dataset->evaluated[which] = sorted;
    free(keys);
    free(place);
    free(column);
    return has_memory ? 0 : -1;
}

int64_t evaluation_turned_bytes(const struct dataset_info *info)
{
    const int64_t lanes = (info->validation + BATCH_LANE - 1) / BATCH_LANE;
    return lanes * BATCH_LANE * (int64_t)dataset_image_bytes(info);
}

static int turn_validation(struct dataset *dataset, struct error *err)
{
    const int64_t bytes = (int64_t)dataset_image_bytes(&dataset->info);
    uint8_t *turned = mem_aligned((size_t)evaluation_turned_bytes(&dataset->info), 1, err);
    dataset->turned_validation = turned;
    if (!turned)
        return -1;
    for (int64_t i = 0; i < dataset->info.validation; i++) {
        const uint8_t *example =
            dataset->train_images + dataset->evaluated[PART_VALIDATION][i] * bytes;
        uint8_t *to = turned + i / BATCH_LANE * BATCH_LANE * bytes + i % BATCH_LANE;
        for (int64_t b = 0; b < bytes; b++)
            to[b * BATCH_LANE] = example[b];
    }
    return 0;
}

int evaluation_prepare(struct dataset *dataset, struct error *err)
{
    for (int which = 0; which < DATASET_PARTS; which++)
        if (arrange(dataset, (enum dataset_part)which, err) != 0)
            return -1;
    return turn_validation(dataset, err);
}

void evaluation_finish(struct dataset *dataset)
{
    for (int part = 0; part < DATASET_PARTS; part++)
        free(dataset->evaluated[part]);
    free(dataset->turned_validation);
}
