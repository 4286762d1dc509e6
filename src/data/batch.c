/* Batches: which examples an iteration sees, and their bytes as floats, batch innermost.
 *
 * The order is a function of the absolute iteration alone; what is kept between calls is the
 * permutation of one epoch, made anew whenever another epoch is asked for. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/dataset.h"

#define TILE 16 /* examples and features a block of the transpose */

typedef uint8_t bytes16 __attribute__((vector_size(TILE)));

struct batch_order {
    const struct dataset *dataset;
    struct rng_stream stream;
    int64_t batch, batches; /* examples a batch, batches an epoch */
    int64_t epoch;          /* whose order is held; -1 = none yet */
    uint32_t *examples;     /* [info.train] positions in the training arrays, shuffled */
};

struct batch_order *batch_order_create(const struct dataset *dataset, int64_t batch,
                                       struct rng_stream order, struct error *err)
{
    int64_t count = dataset->info.train;
    if (batch < 1 || batch > count) {
        error_set(err, ERROR_USAGE,
                  "a batch of %" PRId64 " cannot be drawn from %" PRId64 " training examples",
                  batch, count);
        return NULL;
    }
    struct batch_order *created = mem_zeroed(1, sizeof *created, err);
    uint32_t *examples = mem_zeroed((size_t)count, sizeof *examples, err);
    if (!created || !examples) {
        free(created);
        free(examples);
        return NULL;
    }
    *created = (struct batch_order){dataset, order, batch, count / batch, -1, examples};
    return created;
}

void batch_order_destroy(struct batch_order *order)
{
    if (!order)
        return;
    free(order->examples);
    free(order);
}

static void shuffle_epoch(struct batch_order *order, int64_t epoch)
{
    uint32_t count = (uint32_t)order->dataset->info.train;
    rng_permutation(order->stream, (uint32_t)epoch, order->examples, count);
    for (uint32_t i = 0; i < count; i++)
        order->examples[i] = order->dataset->train_index[order->examples[i]];
    order->epoch = epoch;
}

const uint32_t *batch_order_at(struct batch_order *order, int64_t iteration)
{
    int64_t epoch = iteration / order->batches;
    if (epoch != order->epoch)
        shuffle_epoch(order, epoch);
    return order->examples + iteration % order->batches * order->batch;
}

void batch_part_indices(const struct dataset *dataset, enum dataset_part part, int64_t first,
                        int32_t count, uint32_t *indices)
{
    const uint32_t *listed = part == PART_TRAIN        ? dataset->train_index
                             : part == PART_VALIDATION ? dataset->validation_index
                                                       : NULL;
    for (int32_t i = 0; i < count; i++)
        indices[i] = listed ? listed[first + i] : (uint32_t)(first + i);
}

/* byte / 255 rounded once, without a division: 1/255 is split into a part short enough for an exact
 * product and the rest, so that the sum is the only rounding that matters. A test compares all 256.
 */
#define RECIPROCAL_HIGH 0x1.01p-8f
#define RECIPROCAL_LOW 0x1.010102p-24f

static float unit_of_byte(uint8_t byte)
{
    return (float)byte * RECIPROCAL_HIGH + (float)byte * RECIPROCAL_LOW;
}

/* Written so that compilers turn it into vector conversions. */
static void store_units(const uint8_t bytes[restrict TILE], float to[restrict TILE])
{
    for (int i = 0; i < TILE; i++)
        to[i] = unit_of_byte(bytes[i]);
}

/* Interleaves the low, then the high halves of two rows. Four rounds of it over rows i and i + 8
 * transpose 16 x 16 bytes. */
static bytes16 interleave_low(bytes16 a, bytes16 b)
{
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static bytes16 interleave_high(bytes16 a, bytes16 b)
{
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                   31);
}

static void interleave_rows(const bytes16 from[TILE], bytes16 to[TILE])
{
    for (int i = 0; i < TILE / 2; i++) {
        to[2 * i] = interleave_low(from[i], from[i + TILE / 2]);
        to[2 * i + 1] = interleave_high(from[i], from[i + TILE / 2]);
    }
}

/* Up to 16 examples whose columns stand side by side; columns past `count` become zero. */
struct lane {
    const uint8_t *rows[TILE];
    int32_t count;
    float *to; /* feature 0 */
    size_t stride;
};

/* Features feature..feature + 15 of a lane of 16 columns. */
static void assemble_tile(const struct lane *lane, size_t feature)
{
    bytes16 a[TILE] = {{0}}, b[TILE];
    for (int32_t i = 0; i < lane->count; i++)
        memcpy(&a[i], lane->rows[i] + feature, TILE);
    interleave_rows(a, b);
    interleave_rows(b, a);
    interleave_rows(a, b);
    interleave_rows(b, a);
    for (size_t i = 0; i < TILE; i++)
        store_units((const uint8_t *)&a[i], lane->to + (feature + i) * lane->stride);
}

/* What fills no tile: features first..features - 1 of `width` columns. */
static void assemble_edge(const struct lane *lane, size_t first, size_t features, int32_t width)
{
    for (size_t feature = first; feature < features; feature++)
        for (int32_t i = 0; i < width; i++)
            lane->to[feature * lane->stride + (size_t)i] =
                i < lane->count ? unit_of_byte(lane->rows[i][feature]) : 0.0f;
}

static void assemble_lane(const struct lane *lane, size_t features, int32_t width)
{
    size_t feature = 0;
    if (width == TILE)
        for (; feature + TILE <= features; feature += TILE)
            assemble_tile(lane, feature);
    assemble_edge(lane, feature, features, width);
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

void batch_assemble(const struct dataset *dataset, enum dataset_part part, const uint32_t *indices,
                    int32_t count, int32_t columns, float *inputs, uint8_t *labels)
{
    const struct dataset_info *info = &dataset->info;
    const uint8_t *images = part == PART_TEST ? dataset->test_images : dataset->train_images;
    const uint8_t *classes = part == PART_TEST ? dataset->test_labels : dataset->train_labels;
    size_t features = (size_t)info->channels * (size_t)info->height * (size_t)info->width;
    for (int32_t first = 0; first < columns; first += TILE) {
        struct lane lane = {.to = inputs + first, .stride = (size_t)columns};
        while (lane.count < TILE && first + lane.count < count) {
            lane.rows[lane.count] = images + indices[first + lane.count] * features;
            lane.count++;
        }
        assemble_lane(&lane, features, smaller(columns - first, TILE));
    }
    for (int32_t i = 0; i < count; i++)
        labels[i] = classes[indices[i]];
}
