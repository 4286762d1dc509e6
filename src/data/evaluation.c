/* Like examples together, sought among those of the same label and the next ones (alike.h); and
 * those of validation as batches have them. */
#include "evaluation.h"

#include <stdlib.h>

#include "alike.h"
#include "base/memory.h"
#include "turn.h"

/* The examples of a part. */
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

static uint32_t example_at(const struct part *part, int64_t i)
{
    return part->listed ? part->listed[i] : (uint32_t)i;
}

/* By label, those of a label by position: a counting sort. place[k + 1] counts examples of label k,
 * then says where the next one goes at place[k]. */
static void sort_by_label(const struct part *part, uint32_t *sorted)
{
    int64_t place[UINT8_MAX + 2] = {0};
    for (int64_t i = 0; i < part->count; i++)
        place[part->labels[example_at(part, i)] + 1]++;
    for (int k = 1; k <= UINT8_MAX; k++)
        place[k] += place[k - 1];
    for (int64_t i = 0; i < part->count; i++)
        sorted[place[part->labels[example_at(part, i)]]++] = example_at(part, i);
}

static int arrange(struct dataset *dataset, enum dataset_part which, struct error *err)
{
    const struct part part = part_of(dataset, which);
    const struct alike_images images = {part.images, dataset_image_bytes(&dataset->info)};
    uint32_t *sorted = mem_zeroed((size_t)part.count, sizeof *sorted, err);
    dataset->evaluated[which] = sorted;
    if (!sorted)
        return -1;
    sort_by_label(&part, sorted);
    return alike_arrange(&images, sorted, part.count, err);
}

int64_t evaluation_turned_bytes(const struct dataset_info *info)
{
    const int64_t lanes = (info->validation + BATCH_LANE - 1) / BATCH_LANE;
    return lanes * BATCH_LANE * (int64_t)dataset_image_bytes(info);
}

/* Of validation, in that order, from example `first` on. */
static void turn_lane(const struct dataset *dataset, int64_t first, uint8_t *to)
{
    const size_t bytes = dataset_image_bytes(&dataset->info);
    const uint32_t *examples = dataset->evaluated[PART_VALIDATION] + first;
    const uint8_t *rows[TILE];
    int32_t count = 0;
    for (; count < TILE && first + count < dataset->info.validation; count++)
        rows[count] = dataset->train_images + examples[count] * bytes;
    for (size_t from = 0; from < bytes; from += TILE) {
        const size_t size = bytes - from < TILE ? bytes - from : TILE;
        bytes16 turned[TILE];
        turn_tile(rows, count, from, size, turned);
        memcpy(to + from * TILE, turned, size * TILE);
    }
}

static int turn_validation(struct dataset *dataset, struct error *err)
{
    const int64_t bytes = (int64_t)dataset_image_bytes(&dataset->info);
    uint8_t *turned = mem_aligned((size_t)evaluation_turned_bytes(&dataset->info), 1, err);
    dataset->turned_validation = turned;
    if (!turned)
        return -1;
    for (int64_t first = 0; first < dataset->info.validation; first += TILE)
        turn_lane(dataset, first, turned + first * bytes);
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
