/* The reference of the 3x3 convolutions. */
#ifndef SWEEPSTAKE_NN_REFERENCE_CONVOLUTION_H
#define SWEEPSTAKE_NN_REFERENCE_CONVOLUTION_H

#include "convolution.h"

void reference_conv_data(const struct conv_data *call);
void reference_conv_gradient(const struct conv_gradient *call);

#endif
