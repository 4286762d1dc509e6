/* The reference of the 3x3 convolutions on surviving weights. */
#ifndef SWEEPSTAKE_NN_REFERENCE_SPARSE_CONVOLUTION_H
#define SWEEPSTAKE_NN_REFERENCE_SPARSE_CONVOLUTION_H

#include "sparse.h"

void reference_sparse_conv_data(const struct sparse_conv_data *call);
void reference_sparse_conv_gradient(const struct sparse_conv_gradient *call);

#endif
