/* Batches: bytes of examples as floats, batch innermost. Sixteen examples at a time, a channel at a
 * time, through transposes of 16 x 16 bytes. */
#include "batch.h"

#include <string.h>

#include "cloned.h"
#include "lane.h"
#include "turn.h"

INLINE float unit_of_byte(uint8_t byte)
{
    return (float)byte * RECIPROCAL_HIGH + (float)byte * RECIPROCAL_LOW;
}

/* Written so that compilers turn it into vector conversions. */
INLINE void store_scaled(const uint8_t bytes[restrict TILE], const struct lane_scale *scale,
                         float to[restrict TILE])
{
    for (int i = 0; i < TILE; i++)
        to[i] = unit_of_byte(bytes[i]) * scale->factors[i] + scale->offsets[i];
}

/* Has a part of the next lane fetched, as much for each tile: its examples lie anywhere in memory.
 */
INLINE void fetch_next(const struct lane *lane, size_t feature)
{
    enum { EXAMPLES = TILE * TILE / MEMORY_LINE };
    const size_t first = feature / TILE * EXAMPLES % TILE;
    for (size_t i = first; i < first + EXAMPLES; i++)
        if (lane->next[i])
            __builtin_prefetch(lane->next[i] + feature / MEMORY_LINE * MEMORY_LINE);
}

/* Features from..features - 1, whose bytes stand in a row each. */
INLINE void store_features(const struct lane *lane, const bytes16 *rows, size_t from,
                           size_t features)
{
    for (size_t i = from; i < features; i++)
        store_scaled((const uint8_t *)&rows[i - from], &lane->scale, lane->to + i * lane->stride);
}

/* Whole tiles of features from..features - 1 of a lane of 16 columns; returns where the rest
 * begins. */
CLONED static size_t fill_tiles(const struct lane *lane, size_t from, size_t features)
{
    for (; from + TILE <= features; from += TILE) {
        bytes16 turned[TILE];
        fetch_next(lane, from);
        turn_tile(lane->rows, lane->count, from, TILE, turned);
        store_features(lane, turned, from, from + TILE);
    }
    return from;
}

/* What fills no tile: features first..features - 1. */
INLINE void fill_edge(const struct lane *lane, size_t first, size_t features)
{
    for (size_t feature = first; feature < features; feature++) {
        uint8_t bytes[TILE] = {0};
        float scaled[TILE];
        for (int32_t i = 0; i < lane->count; i++)
            bytes[i] = lane->rows[i][feature];
        store_scaled(bytes, &lane->scale, scaled);
        memcpy(lane->to + feature * lane->stride, scaled, (size_t)lane->width * sizeof *scaled);
    }
}

static void set_scale(struct lane *lane, const struct dataset *dataset, int32_t channel)
{
    static const struct data_scale as_it_is = {1.0f, 0.0f};
    const struct data_scale *scale = dataset->scales ? &dataset->scales[channel] : &as_it_is;
    lane->is_scaled = dataset->scales != NULL;
    for (int32_t i = 0; i < TILE; i++) {
        bool is_there = i < lane->count;
        lane->scale.factors[i] = is_there ? scale->factor : 0.0f;
        lane->scale.offsets[i] = is_there ? scale->offset : 0.0f;
    }
}

static void fill_lane(const struct dataset *dataset, struct lane *lane)
{
    const struct dataset_info *info = &dataset->info;
    size_t features = (size_t)info->height * (size_t)info->width;
    for (int32_t channel = 0; channel < info->channels; channel++) {
        size_t filled = 0;
        set_scale(lane, dataset, channel);
        if (lane->width == TILE) {
            filled = lane_fill_wide(lane, features);
            filled = fill_tiles(lane, filled, features);
        }
        fill_edge(lane, filled, features);
        for (int32_t i = 0; i < TILE; i++) {
            lane->rows[i] += i < lane->count ? features : 0;
            lane->next[i] += lane->next[i] ? features : 0;
        }
        lane->to += features * lane->stride;
    }
}

CLONED static void store_rest(const struct lane *lane, const bytes16 *rows, size_t from,
                              size_t features)
{
    store_features(lane, rows + from, from, features);
}

/* The same from bytes that stand as batches have them: `rows` are this lane's. */
static void fill_turned_lane(const struct dataset *dataset, const bytes16 *rows, struct lane *lane)
{
    const struct dataset_info *info = &dataset->info;
    const size_t features = (size_t)info->height * (size_t)info->width;
    for (int32_t channel = 0; channel < info->channels; channel++, rows += features) {
        set_scale(lane, dataset, channel);
        store_rest(lane, rows, lane_store_wide(lane, rows, features), features);
        lane->to += features * lane->stride;
    }
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static const uint8_t *augmented(const struct batch_augmentation *augmentation, uint32_t position,
                                int32_t slot, size_t bytes)
{
    uint8_t *example = augmentation->examples + (size_t)slot * bytes;
    augment_example(&augmentation->how, position, example);
    return example;
}

/* From that column on; without examples. */
static struct lane lane_at(const struct batch_columns *to, int32_t first)
{
    return (struct lane){.width = smaller(to->columns - first, TILE),
                         .to = to->inputs + first,
                         .stride = (size_t)to->columns};
}

void batch_fill(const struct dataset *dataset, const uint8_t *images, const uint32_t *indices,
                const struct batch_augmentation *augmentation, const struct batch_columns *to)
{
    const size_t bytes = dataset_image_bytes(&dataset->info);
    for (int32_t first = 0; first < to->columns; first += TILE) {
        struct lane lane = lane_at(to, first);
        for (; lane.count < TILE && first + lane.count < to->count; lane.count++) {
            uint32_t index = indices[first + lane.count];
            lane.rows[lane.count] = augmentation ? augmented(augmentation, index, lane.count, bytes)
                                                 : images + index * bytes;
        }
        for (int32_t i = first + TILE; !augmentation && i < to->count && i < first + 2 * TILE; i++)
            lane.next[i - first - TILE] = images + indices[i] * bytes;
        fill_lane(dataset, &lane);
    }
}

static void find_labels(const struct dataset *dataset, enum dataset_part part,
                        const uint32_t *indices, int32_t count, uint8_t *labels)
{
    const uint8_t *classes = part == PART_TEST ? dataset->test_labels : dataset->train_labels;
    for (int32_t i = 0; i < count; i++)
        labels[i] = classes[indices[i]];
}

void batch_assemble(const struct dataset *dataset, enum dataset_part part, const uint32_t *indices,
                    int32_t count, int32_t columns, float *inputs, uint8_t *labels)
{
    const uint8_t *images = part == PART_TEST ? dataset->test_images : dataset->train_images;
    struct batch_columns to = {inputs, count, columns};
    batch_fill(dataset, images, indices, NULL, &to);
    find_labels(dataset, part, indices, count, labels);
}

/* Validation examples from `first` on, where lanes begin, into whole lanes. */
static void fill_turned(const struct dataset *dataset, int64_t first,
                        const struct batch_columns *to)
{
    const size_t bytes = dataset_image_bytes(&dataset->info);
    const bytes16 *features = (const void *)(dataset->turned_validation + (size_t)first * bytes);
    for (int32_t column = 0; column < to->count; column += TILE, features += bytes) {
        struct lane lane = lane_at(to, column);
        lane.count = smaller(to->count - column, TILE);
        fill_turned_lane(dataset, features, &lane);
    }
}

void batch_assemble_part(const struct dataset *dataset, enum dataset_part part, int64_t first,
                         int32_t count, int32_t columns, float *inputs, uint8_t *labels)
{
    const uint32_t *indices = dataset->evaluated[part] + first;
    const bool fills_lanes = columns == (count + TILE - 1) / TILE * TILE;
    if (part != PART_VALIDATION || first % TILE != 0 || !fills_lanes) {
        batch_assemble(dataset, part, indices, count, columns, inputs, labels);
        return;
    }
    fill_turned(dataset, first, &(struct batch_columns){inputs, count, columns});
    find_labels(dataset, part, indices, count, labels);
}
