/* Which layers compute with their surviving weights alone. */
#ifndef SWEEPSTAKE_NN_PATHS_H
#define SWEEPSTAKE_NN_PATHS_H

#include "nn/network.h"
#include "operation.h"

/* The density at or below which the layer's whole training step is faster on survivors only: by
 * kind and shape of the layer and by instruction set, never by a timing, so that results depend on
 * the task alone. 0: never; 1: always. */
double path_threshold(enum net_kernels mode, const char *isa, const struct layer *layer);

/* Whether a layer on its survivors selects those whose inputs a batch has: with fewer of them it
 * costs more than it saves. Bits do not depend on it. */
bool path_selects(const char *isa, const struct layer *layer, double density);

/* For estimates: what a layer costs at `density`, its dense cost being 1. */
double path_cost(const struct layer_spec *layer, struct shape input, double density);

#endif
