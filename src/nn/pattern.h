/* Patterns of surviving weights, from masks. */
#ifndef SWEEPSTAKE_NN_PATTERN_H
#define SWEEPSTAKE_NN_PATTERN_H

#include "base/error.h"
#include "kernels/sparse.h"

/* The pattern of `mask` [rows][columns], 1 = kept, in bands of `band` columns. On success the
 * caller owns what it points to: pattern_finish. */
int pattern_make(const uint8_t *mask, int64_t rows, int64_t columns, int64_t band,
                 struct sparse_pattern *pattern, struct error *err);

/* The pattern that takes gradients backward, of a matrix whose columns are [channel][taps]: entry
 * (o, [i][t]) stands at (i, [o][taps - 1 - t]), taps being 1 for a fully connected layer and 9 for
 * a 3x3 convolution. place[k] is the entry of `pattern` that entry k comes from; the caller's to
 * free, as `turned` is to finish. */
int pattern_turn(const struct sparse_pattern *pattern, int64_t taps, int64_t band,
                 struct sparse_pattern *turned, int32_t **place, struct error *err);

void pattern_finish(struct sparse_pattern *pattern); /* a zeroed one too */

/* Room for a selection of the pattern's entries. On success the caller owns it: selection_finish.
 */
int selection_make(const struct sparse_pattern *pattern, struct sparse_selection *selection,
                   struct error *err);
void selection_finish(struct sparse_selection *selection); /* a zeroed one too */

/* Bytes it takes. */
int64_t selection_bytes(int64_t rows, int64_t bands, int64_t entries);

#endif
