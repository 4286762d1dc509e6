/* Augmentation of single examples, on bytes. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "data/dataset.h"

/* Which examples are augmented, and by which random numbers. */
struct augmentation {
    const struct dataset *dataset;
    struct rng_stream stream;
    int64_t epoch;
};

/* Writes the training example at `position` as this epoch sees it: [channels][height][width]. */
void augment_example(const struct augmentation *augmentation, uint32_t position, uint8_t *to);

#endif
