/* The weights a layer still has, where it computes with them alone: the pattern of its mask, and
 * what goes back and forth between a dense block and the packed places of the survivors. */
#ifndef SWEEPSTAKE_NN_SURVIVORS_H
#define SWEEPSTAKE_NN_SURVIVORS_H

#include "operation.h"

/* A layer's weights as a sparse matrix. While a layer has survivors, the places of its weights in
 * the network's blocks (weights, gradients, moments) are packed: the survivors' numbers stand
 * first, in the order of the pattern's entries, zeros behind them. */
struct survivors {
    struct sparse_pattern pattern;
    /* To take gradients backward; without entries where the layer's input has none. */
    struct sparse_pattern turned;
    int32_t *place; /* [turned.entries]: their entries in `pattern` */
    float *values;  /* [turned.entries]: the weights in that order, filled in each backward pass */
    /* Those whose inputs a batch has; zeroed where the layer does not look for them. */
    struct sparse_selection selection;
};

/* Those of `mask`, which begins with the layer's first weight and keeps so many of each, for the
 * kernels of an instruction set. The caller destroys them. */
struct survivors *survivors_create(const struct layer *layer, const char *isa, const uint8_t *mask,
                                   double density, struct error *err);
void survivors_destroy(struct survivors *survivors); /* accepts NULL */

/* From a dense matrix [rows][columns] to packed places and back. Neither may overlap the other. */
void survivors_pack(const struct survivors *survivors, const float *dense, float *packed);
void survivors_unpack(const struct survivors *survivors, const float *packed, float *dense);

/* The weights in the order of the turned pattern. */
const float *survivors_turn(const struct survivors *survivors, const struct kernels *kernels,
                            const float *weights);

/* Bytes they take with so many of each weight kept. */
int64_t survivors_bytes(const struct layer *layer, const char *isa, double density);

#endif
