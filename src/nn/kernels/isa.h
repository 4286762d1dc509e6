/* The kernels of one instruction set, named for it by KERNEL (vector.h). */
#ifndef SWEEPSTAKE_NN_ISA_H
#define SWEEPSTAKE_NN_ISA_H

#include "kernels.h"
#include "vector.h"

void KERNEL(product)(const struct product *product);
void KERNEL(transpose)(const float *from, int64_t from_stride, float *to, int64_t to_stride,
                       int64_t rows, int64_t columns);
void KERNEL(rectify)(const float *x, float *y, int64_t count);
void KERNEL(rectify_gradient)(const float *y, float *gradient, int64_t count);
void KERNEL(row_sums)(const float *x, float *sums, int64_t rows, int64_t columns);
void KERNEL(multiply)(const float *x, const float *factor, float *y, int64_t count);
void KERNEL(softmax_loss)(struct softmax_loss *loss);
void KERNEL(sgd)(const struct sgd_update *update);
void KERNEL(adam)(const struct adam_update *update);
void KERNEL(clear_masked)(float *block, const uint8_t *mask, int64_t count);
void KERNEL(direct_data)(const struct conv_data *call);
void KERNEL(direct_gradient)(const struct conv_gradient *call);
void KERNEL(small_data)(const struct conv_data *call);
void KERNEL(small_gradient)(const struct conv_gradient *call);
void KERNEL(winograd_data)(const struct conv_data *call);
void KERNEL(winograd_gradient)(const struct conv_gradient *call);

extern const struct kernels KERNEL(kernels);

#endif
