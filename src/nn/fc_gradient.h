/* The gradient of all weights of a fully connected layer. */
#ifndef SWEEPSTAKE_NN_FC_GRADIENT_H
#define SWEEPSTAKE_NN_FC_GRADIENT_H

#include "operation.h"

int64_t fc_gradient_scratch(const struct layer *layer, int64_t columns);

/* dw [outputs][inputs] = dy x^T over the batch's examples, whatever the padding columns of x and dy
 * hold. To the same bits whether or not the layer skips zeros, if dy is finite. */
void fc_gradient(const struct layer *layer, const struct pass *pass, const float *x,
                 const float *dy, float *dw);

#endif
