/* Masks as blocks: what the files of this room share. */
#ifndef SWEEPSTAKE_SRC_TICKET_MASK_H
#define SWEEPSTAKE_SRC_TICKET_MASK_H

#include <stdint.h>

#include "nn/spec.h"

/* Elements in a block with these parameters, as net_spec_block_size counts them. */
int64_t mask_block_size(const struct parameter_spec *parameters, int count);

/* How many of mask[0..count-1] are kept. */
int64_t mask_kept(const uint8_t *mask, int64_t count);

/* Elements of a block that are ranked together. */
struct span {
    int64_t offset, count;
};

/* Clears the mask of the `dropped` kept elements of smallest magnitude in the spans; `dropped` is
 * at most the number of those kept. Ties: the lower index, in the order of the spans. */
void mask_drop_smallest(const float *weights, const struct span *spans, int span_count,
                        int64_t dropped, uint8_t *mask);

#endif
