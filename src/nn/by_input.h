/* How the weights of a fully connected layer that skips zeros, while it computes with all of them,
 * lie in the network's blocks: those that one input is multiplied with stand side by side, [panel
 * of outputs][input][BY_INPUT_PANEL]. The last panel is a narrower one of whole lanes. Outputs that
 * fill no lane stay as they are, [output][input], behind the panels, which is at their own place.
 */
#ifndef SWEEPSTAKE_NN_BY_INPUT_H
#define SWEEPSTAKE_NN_BY_INPUT_H

#include "operation.h"

#define BY_INPUT_PANEL 96 /* outputs: as many as a sparse product takes at once with AVX-512 */

static inline bool lies_by_input(const struct layer *layer)
{
    return layer->skips_zeros && !layer->survivors;
}

/* How many outputs lie in panels. */
int64_t by_input_outputs(const struct layer *layer);
/* Outputs of the panel that begins with output `first`, whose weights begin at first * inputs. */
int64_t by_input_width(const struct layer *layer, int64_t first);

/* From a dense matrix [outputs][inputs] and back. Neither may overlap the other. */
void by_input_pack(const struct layer *layer, const struct kernels *kernels, const float *dense,
                   float *packed);
void by_input_unpack(const struct layer *layer, const struct kernels *kernels, const float *packed,
                     float *dense);
void by_input_pack_mask(const struct layer *layer, const uint8_t *dense, uint8_t *packed);

#endif
