/* The kernels of one instruction set, named for it by KERNEL (vector.h). */
#ifndef SWEEPSTAKE_NN_ISA_H
#define SWEEPSTAKE_NN_ISA_H

#include "kernels.h"
#include "vector.h"

void KERNEL(product)(const struct product *product);
void KERNEL(transpose)(const float *from, int64_t from_stride, float *to, int64_t to_stride,
                       int64_t rows, int64_t columns);
int64_t KERNEL(nonzero_rows)(const float *x, int64_t rows, int64_t columns, int32_t *list);
int32_t KERNEL(nonzero_entries)(const struct nonzeros *nonzeros);
void KERNEL(rectify)(const float *x, float *y, int64_t count);
void KERNEL(add_gradients)(const float *a, const float *b, const float *y, float *sum,
                           int64_t count);
void KERNEL(add)(const float *a, const float *b, bool rectify, float *y, int64_t count);
void KERNEL(row_sums)(const float *x, float *sums, int64_t rows, int64_t columns);
void KERNEL(multiply)(const float *x, const float *factor, float *y, int64_t count);
void KERNEL(max_pool)(const struct max_pool *pool, const float *x, float *y, uint8_t *winners);
void KERNEL(max_pool_gradient)(const struct max_pool *pool, const float *dy, const uint8_t *winners,
                               float *dx);
void KERNEL(mean_of_rows)(const float *x, float *y, int64_t rows, int64_t columns);
void KERNEL(spread_over_rows)(const float *y, float *x, int64_t rows, int64_t columns);
void KERNEL(moments)(const struct norm *norm, const float *x, struct moments *moments);
void KERNEL(normalize)(const struct norm *norm, const struct affine *affine, const float *x,
                       float *y);
void KERNEL(norm_gradient_sums)(const struct norm *norm, const struct affine *affine,
                                const float *x, const float *dy, struct norm_sums *sums);
void KERNEL(norm_gradient)(const struct norm *norm, const struct affine *affine,
                           const struct norm_sums *sums, const float *x, const float *dy,
                           float *dx);
void KERNEL(softmax_loss)(struct softmax_loss *loss);
void KERNEL(sgd)(const struct sgd_update *update);
void KERNEL(adam)(const struct adam_update *update);
void KERNEL(clear_masked)(float *block, const uint8_t *mask, int64_t count);
void KERNEL(sparse_product)(const struct sparse_product *product);
void KERNEL(sparse_gradient)(const struct sparse_gradient *gradient);
void KERNEL(sparse_select)(const struct sparse_weights *weights, const int32_t *columns,
                           int64_t count, struct sparse_selection *selection);
void KERNEL(sparse_spread)(const struct sparse_selection *selection,
                           const struct sparse_pattern *pattern, float *gradient);
void KERNEL(sparse_conv_data)(const struct sparse_conv_data *call);
void KERNEL(sparse_conv_gradient)(const struct sparse_conv_gradient *call);
void KERNEL(gather)(const float *from, const int32_t *place, int64_t count, float *to);
void KERNEL(direct_data)(const struct conv_data *call);
void KERNEL(direct_gradient)(const struct conv_gradient *call);
void KERNEL(small_data)(const struct conv_data *call);
void KERNEL(small_gradient)(const struct conv_gradient *call);
void KERNEL(winograd_data)(const struct conv_data *call);
void KERNEL(winograd_gradient)(const struct conv_gradient *call);

extern const struct kernels KERNEL(kernels);

#endif
