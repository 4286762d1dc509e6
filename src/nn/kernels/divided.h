/* A table of kernels that divides each call among the threads of the crew (crew.h). */
#ifndef SWEEPSTAKE_NN_DIVIDED_H
#define SWEEPSTAKE_NN_DIVIDED_H

#include "kernels.h"

/* The same table where there is one thread; else one that hands shares of each call to it. There is
 * one such table a process. */
const struct kernels *kernels_divide(const struct kernels *kernels);

/* Floats of scratch that all shares of a call with `floats` need. */
int64_t divided_scratch_floats(int64_t floats);

#endif
