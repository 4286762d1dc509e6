/* How a part's examples are evaluated. */
#ifndef DATA_EVALUATION_H
#define DATA_EVALUATION_H

#include "data/dataset.h"

/* Fills dataset->evaluated from its split: like examples stand together, so that those of a batch
 * have many blank pixels in common, which networks pass over. A function of the examples alone.
 *
 * Validation examples are evaluated again and again: dataset->turned_validation keeps their bytes
 * as batches have them, a lane of examples innermost: uint8
 * [lane][channel][height][width][BATCH_LANE], in that order, zeros behind the last. */
int evaluation_prepare(struct dataset *dataset, struct error *err);
void evaluation_finish(struct dataset *dataset); /* frees both */

int64_t evaluation_turned_bytes(const struct dataset_info *info);

#endif
