/* Which inputs of a layer a batch has: those that are not zero in all examples. */
#ifndef SWEEPSTAKE_NN_INPUTS_H
#define SWEEPSTAKE_NN_INPUTS_H

#include "operation.h"

struct inputs {
    int64_t count;         /* at least 1 */
    const int32_t *places; /* [count], ascending; NULL: all, or so many that it is as well */
};

/* Floats of layer->state where they are listed, whatever the batch. */
int64_t inputs_state_size(const struct layer *layer, int64_t columns);

/* Looks for them in x [inputs][pass->columns], where the layer skips zeros; all where it does not.
 * What was found last is found again, until the layer's next forward pass. */
struct inputs inputs_find(const struct layer *layer, const struct pass *pass, const float *x);
struct inputs inputs_found(const struct layer *layer);

#endif
