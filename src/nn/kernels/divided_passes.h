/* The part of the table of divided.h that passes over elements, rows or channels. */
#ifndef SWEEPSTAKE_NN_DIVIDED_PASSES_H
#define SWEEPSTAKE_NN_DIVIDED_PASSES_H

#include "kernels.h"

/* Sets them in `divided`; `kernels` compute the shares. */
void divide_passes(const struct kernels *kernels, struct kernels *divided);

#endif
