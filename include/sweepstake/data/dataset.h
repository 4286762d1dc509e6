/* Datasets: what they are without loading them (for `plan`), loading them, the validation split,
 * the order of training and batches. Pixels are kept as bytes; float conversion happens in the
 * batch. */
#ifndef SWEEPSTAKE_DATA_DATASET_H
#define SWEEPSTAKE_DATA_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/text.h"

#define DATA_NAME_SIZE 32
#define DATA_PATH_SIZE 1024

/* What the grid asks for.
 *
 * name: "digits" is the built-in generator; "mnist", "fashion-mnist" and any other name are four
 * files in IDX format, raw or .gz, in folder/name or else in folder: train-images-idx3-ubyte,
 * train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte.
 * train, test: the first N in file order; for generators, how many are made (example i is the same
 * whatever N). -1 = all there is; generators: 60,000 and 10,000. */
struct dataset_request {
    char name[DATA_NAME_SIZE];
    char folder[DATA_PATH_SIZE]; /* the grid's, --data's or $SWEEPSTAKE_DATA's; "" = none given */
    int64_t train, test;
    int64_t validation; /* examples drawn from the training examples; 0 = none */
    int64_t split_seed;
    int64_t seed; /* generators only */
};

/* Known without loading: of IDX files the headers are read, and lengths checked where that takes no
 * decoding. What is damaged behind a header is found by dataset_content and dataset_load. */
struct dataset_info {
    int32_t channels, height, width, classes;
    int64_t train, validation, test; /* train: after validation was taken out */
};

/* What the request gives. Usage errors name the file and what is wrong with it. */
int dataset_describe(const struct dataset_request *request, struct dataset_info *info,
                     struct error *err);

/* Decoded examples. images: uint8 [count][channels][height][width]; labels: uint8 [count].
 * `train_index` lists the training examples left after the split, ascending; `validation_index`
 * the others: the first of a permutation drawn from (split_seed, RNG_SPLIT). */
struct dataset {
    struct dataset_info info;
    uint8_t *train_images, *train_labels; /* train + validation examples, file order */
    uint8_t *test_images, *test_labels;
    uint32_t *train_index, *validation_index;
    struct hash128 content; /* see dataset_content */
};

struct dataset *dataset_load(const struct dataset_request *request, struct error *err);
void dataset_destroy(struct dataset *dataset); /* accepts NULL */

/* The content hash that task keys hold: of the sizes, images and labels of the examples asked for,
 * whatever their container and path; of a generator's name, version and arguments. Not of the
 * split. Loads and checks everything where there are files, generates nothing. */
int dataset_content(const struct dataset_request *request, struct hash128 *content,
                    struct error *err);

/* Bytes dataset_load keeps. */
int64_t dataset_memory_bytes(const struct dataset_info *info);

enum dataset_part { PART_TRAIN, PART_VALIDATION, PART_TEST };
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

/* Writes examples `indices[0..count-1]` of the part's arrays as floats in [0, 1] (byte / 255,
 * rounded correctly on every machine), batch innermost: inputs[feature][columns], columns >= count;
 * columns count.. are zero. Fastest where columns is a multiple of 16. */
void batch_assemble(const struct dataset *dataset, enum dataset_part part, const uint32_t *indices,
                    int32_t count, int32_t columns, float *inputs, uint8_t *labels);

/* Positions first..first+count-1 of a part in evaluation order, for batch_assemble. */
void batch_part_indices(const struct dataset *dataset, enum dataset_part part, int64_t first,
                        int32_t count, uint32_t *indices);

#endif
