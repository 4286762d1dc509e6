/* The passes of a first, fully connected layer whose weights lie by input (by_input.h): a
 * multiply-add for each number of the batch that is not zero and each output. To the same bits as a
 * dense product, but for the sign of a sum that is zero, if weights and gradients are finite. */
#ifndef SWEEPSTAKE_NN_FC_BY_INPUT_H
#define SWEEPSTAKE_NN_FC_BY_INPUT_H

#include "operation.h"

int64_t fc_by_input_scratch(const struct layer *layer, int64_t columns);

/* Returns whether x is sparse, which the gradient of the same batch wants to know. */
bool fc_by_input_forward(const struct layer *layer, const struct pass *pass, const float *x,
                         float *y);

/* The gradient of the weights over the batch's examples, whatever the padding columns of x and dy
 * hold. */
void fc_by_input_gradient(const struct layer *layer, const struct pass *pass, const float *x,
                          const float *dy, bool x_is_sparse);

#endif
