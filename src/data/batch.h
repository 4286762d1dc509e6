/* Assembly of batches, augmented or not. */
#ifndef DATA_BATCH_H
#define DATA_BATCH_H

#include "augment.h"

#define BATCH_LANE 16  /* examples a block of the transpose */
#define MEMORY_LINE 64 /* bytes that memory fetches at once */

/* Augmentation, and room for what it makes of a lane. */
struct batch_augmentation {
    struct augmentation how;
    uint8_t *examples; /* [BATCH_LANE][channels][height][width] */
};

/* Where a batch goes. */
struct batch_columns {
    float *inputs; /* [feature][columns] */
    int32_t count, columns;
};

/* Examples `indices` of `images` as the augmentation makes them, or as they are where it is NULL.
 */
void batch_fill(const struct dataset *dataset, const uint8_t *images, const uint32_t *indices,
                const struct batch_augmentation *augmentation, const struct batch_columns *to);

#endif
