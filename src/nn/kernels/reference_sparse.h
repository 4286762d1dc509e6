#ifndef SWEEPSTAKE_NN_REFERENCE_SPARSE_H
#define SWEEPSTAKE_NN_REFERENCE_SPARSE_H

#include "sparse.h"

void reference_sparse_product(const struct sparse_product *p);
void reference_sparse_gradient(const struct sparse_gradient *g);
void reference_sparse_select(const struct sparse_weights *weights, const int32_t *columns,
                             int64_t count, struct sparse_selection *to);
void reference_sparse_spread(const struct sparse_selection *selection,
                             const struct sparse_pattern *pattern, float *gradient);
void reference_gather(const float *from, const int32_t *place, int64_t count, float *to);

#endif
