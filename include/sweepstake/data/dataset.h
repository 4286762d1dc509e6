/* Datasets: what they are without loading them (for `plan`), loading them, the validation split,
 * the order of training, augmentation and batches. Pixels are kept as bytes; float conversion
 * happens in the batch. */
#ifndef SWEEPSTAKE_DATA_DATASET_H
#define SWEEPSTAKE_DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/shared_block.h"
#include "base/text.h"

#define DATA_NAME_SIZE 32
#define DATA_PATH_SIZE 1024

/* What the network sees of a byte: byte / 255, or that standardised: less its channel's mean, over
 * its channel's deviation. Both are those of all training examples of the request, before the
 * validation examples are taken out; a channel that never changes is only centred. */
enum data_preprocessing { DATA_UNIT, DATA_STANDARDIZE };

/* What is done to examples in training batches, and in these alone: flip-crop takes a window of the
 * image's own size out of the image with 4 pixels of zero bytes around it, and mirrors it left to
 * right half of the time. The border is black before preprocessing, as in the scripts of the field,
 * so that standardised it is -mean / deviation. */
enum data_augment { DATA_AUGMENT_NONE, DATA_AUGMENT_FLIP_CROP };

/* What the grid asks for.
 *
 * name: "digits" (grey, 28 x 28) and "shapes" (colour, 32 x 32) are built-in generators; "cifar10"
 * is CIFAR-10's binary version: data_batch_1.bin, up to five of them as far as they are there, and
 * test_batch.bin; "mnist", "fashion-mnist" and any other name are four files in IDX format:
 * train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte.
 * Files may be raw or .gz, in folder/name or else in folder.
 * train, test: the first N in file order; for generators, how many are made (example i is the same
 * whatever N). -1 = all there is; digits: 60,000 and 10,000, shapes: 50,000 and 10,000. */
struct dataset_request {
    char name[DATA_NAME_SIZE];
    char folder[DATA_PATH_SIZE]; /* the grid's, --data's or $SWEEPSTAKE_DATA's; "" = none given */
    int64_t train, test;
    int64_t validation; /* examples drawn from the training examples; 0 = none */
    int64_t split_seed;
    int64_t seed; /* generators only */
    enum data_preprocessing preprocessing;
    enum data_augment augment;
};

/* Known without loading: of files the headers are read, and lengths checked where that takes no
 * decoding. What is damaged behind a header is found by dataset_content and dataset_load. */
struct dataset_info {
    int32_t channels, height, width, classes;
    int64_t train, validation, test; /* train: after validation was taken out */
};

/* What the request gives. Usage errors name the file and what is wrong with it. */
int dataset_describe(const struct dataset_request *request, struct dataset_info *info,
                     struct error *err);

/* Of a channel: what the network sees of a pixel is byte / 255 * factor + offset. */
struct data_scale {
    float factor, offset;
};

enum dataset_part { PART_TRAIN, PART_VALIDATION, PART_TEST };
#define DATASET_PARTS 3

/* Decoded examples. images: uint8 [count][channels][height][width]; labels: uint8 [count].
 * `train_index` lists the training examples left after the split, ascending; `validation_index`
 * the others: the first of a permutation drawn from (split_seed, RNG_SPLIT). */
struct dataset {
    struct dataset_info info;
    struct shared_block examples;               /* holds images and labels */
    const uint8_t *train_images, *train_labels; /* train + validation examples, file order */
    const uint8_t *test_images, *test_labels;
    uint32_t *train_index, *validation_index;
    uint32_t *evaluated[DATASET_PARTS]; /* the examples of each part as they are evaluated */
    /* Those of validation once more, with their bytes as batches have them (data/evaluation.h). */
    uint8_t *turned_validation;
    struct data_scale *scales; /* [channels]; NULL = byte / 255 as it is */
    enum data_augment augment;
    struct hash128 content; /* see dataset_content */
};

struct dataset *dataset_load(const struct dataset_request *request, struct error *err);

/* As dataset_load, with images and labels kept once for this user's processes on the node
 * (base/shared_block.h): nothing is read where another process has them. `info` and `content` are
 * what dataset_describe and dataset_content gave before: ERROR_TASK where the files are others by
 * now. Where nothing can be shared, `private` says why, and is else empty. */
struct dataset *dataset_share(const struct dataset_request *request,
                              const struct dataset_info *info, struct hash128 content,
                              struct error *private, struct error *err);
void dataset_destroy(struct dataset *dataset); /* accepts NULL */

/* The content hash that task keys hold: of the sizes, images and labels of the examples asked for,
 * whatever their container and path; of a generator's name, version and arguments. Not of the
 * split, preprocessing and augmentation. Decodes and checks everything where there are files,
 * and keeps none of it; generates nothing. */
int dataset_content(const struct dataset_request *request, struct hash128 *content,
                    struct error *err);

/* Bytes dataset_load keeps: of them dataset_share shares the examples; the rest is each process's
 * own. */
int64_t dataset_example_bytes(const struct dataset_info *info);
int64_t dataset_own_bytes(const struct dataset_info *info);
size_t dataset_image_bytes(const struct dataset_info *info); /* of one example's image */

int64_t dataset_part_count(const struct dataset *dataset, enum dataset_part part);

/* --- batches --- */

/* The training order: epoch e (floor(N / batch) batches) is a permutation drawn from (order stream,
 * e); iteration t uses positions of epoch t / batches_per_epoch. Holds the current epoch's
 * permutation only; iterations may be asked for in any order. The dataset must outlive it. A batch
 * larger than the training examples is a usage error. */
struct batch_order;
struct batch_order *batch_order_create(const struct dataset *dataset, int64_t batch,
                                       struct rng_stream order, struct error *err);
void batch_order_destroy(struct batch_order *order); /* accepts NULL */
/* Positions in the training arrays of iteration t's examples: [batch]; valid until the next call.
 */
const uint32_t *batch_order_at(struct batch_order *order, int64_t iteration);

/* Writes iteration t's examples as batch_assemble does, after augmentation where the dataset has
 * one: that of the example at position p in epoch e is drawn from block (e << 32) + p of the
 * stream, whatever the batch it is in. */
void batch_order_assemble(struct batch_order *order, int64_t iteration, struct rng_stream augment,
                          int32_t columns, float *inputs, uint8_t *labels);

/* Writes examples `indices[0..count-1]` of the part's arrays as floats (byte / 255, rounded
 * correctly on every machine, then scaled), batch innermost: inputs[feature][columns], columns >=
 * count; columns count.. are zero. Fastest where columns is a multiple of 16. */
void batch_assemble(const struct dataset *dataset, enum dataset_part part, const uint32_t *indices,
                    int32_t count, int32_t columns, float *inputs, uint8_t *labels);

/* Writes examples first..first+count-1 of a part, in the order in which it is evaluated, as
 * batch_assemble does. */
void batch_assemble_part(const struct dataset *dataset, enum dataset_part part, int64_t first,
                         int32_t count, int32_t columns, float *inputs, uint8_t *labels);

#endif
