/* Which examples an iteration sees, and its batch.
 *
 * The order is a function of the absolute iteration alone; what is kept between calls is the
 * permutation of one epoch, made anew whenever another epoch is asked for. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "batch.h"

struct batch_order {
    const struct dataset *dataset;
    struct rng_stream stream;
    int64_t batch, batches; /* examples a batch, batches an epoch */
    int64_t epoch;          /* whose order is held; -1 = none yet */
    uint32_t *examples;     /* [info.train] positions in the training arrays, shuffled */
    uint8_t *augmented;     /* see struct batch_augmentation */
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
    if (!created)
        return NULL;
    *created = (struct batch_order){
        .dataset = dataset,
        .stream = order,
        .batch = batch,
        .batches = count / batch,
        .epoch = -1,
        .examples = mem_zeroed((size_t)count, sizeof *created->examples, err),
        .augmented = mem_zeroed(BATCH_LANE, dataset_image_bytes(&dataset->info), err),
    };
    if (created->examples && created->augmented)
        return created;
    batch_order_destroy(created);
    return NULL;
}

void batch_order_destroy(struct batch_order *order)
{
    if (!order)
        return;
    free(order->examples);
    free(order->augmented);
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

/* Has the examples of the next iteration fetched while this one computes: they lie anywhere in
 * memory. */
static void fetch_next(const struct batch_order *order, int64_t iteration)
{
    const int64_t next = (iteration + 1) % order->batches;
    const uint32_t *indices = order->examples + next * order->batch;
    const size_t bytes = dataset_image_bytes(&order->dataset->info);
    for (int64_t i = 0; i < order->batch && next > 0; i++) {
        const uint8_t *example = order->dataset->train_images + indices[i] * bytes;
        for (size_t byte = 0; byte < bytes; byte += MEMORY_LINE)
            __builtin_prefetch(example + byte);
    }
}

void batch_order_assemble(struct batch_order *order, int64_t iteration, struct rng_stream augment,
                          int32_t columns, float *inputs, uint8_t *labels)
{
    const struct dataset *dataset = order->dataset;
    const uint32_t *indices = batch_order_at(order, iteration);
    int32_t count = (int32_t)order->batch;
    struct batch_columns to = {inputs, count, columns};
    struct batch_augmentation augmentation = {
        .how = {dataset, augment, order->epoch},
        .examples = order->augmented,
    };
    batch_fill(dataset, dataset->train_images, indices,
               dataset->augment == DATA_AUGMENT_NONE ? NULL : &augmentation, &to);
    for (int32_t i = 0; i < count; i++)
        labels[i] = dataset->train_labels[indices[i]];
    fetch_next(order, iteration);
}
