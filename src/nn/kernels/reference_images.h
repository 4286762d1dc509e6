/* The plain kernels of reference_images.c, for the table in reference.c. */
#ifndef SWEEPSTAKE_NN_REFERENCE_IMAGES_H
#define SWEEPSTAKE_NN_REFERENCE_IMAGES_H

#include "kernels.h"

void reference_max_pool(const struct max_pool *pool, const float *x, float *y, uint8_t *winners);
void reference_max_pool_gradient(const struct max_pool *pool, const float *dy,
                                 const uint8_t *winners, float *dx);
void reference_mean_of_rows(const float *x, float *y, int64_t rows, int64_t columns);
void reference_spread_over_rows(const float *y, float *x, int64_t rows, int64_t columns);
void reference_moments(const struct norm *norm, const float *x, struct moments *moments);
void reference_normalize(const struct norm *norm, const struct affine *affine, const float *x,
                         float *y);
void reference_norm_gradient_sums(const struct norm *norm, const struct affine *affine,
                                  const float *x, const float *dy, struct norm_sums *sums);
void reference_norm_gradient(const struct norm *norm, const struct affine *affine,
                             const struct norm_sums *sums, const float *x, const float *dy,
                             float *dx);

#endif
