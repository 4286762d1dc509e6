/* Tickets: which weights survive a pruning round, and which would survive by chance.
 *
 * A mask holds one byte an element of the parameter block (net_spec_parameters): 1 = kept, 0 =
 * pruned; biases, never-pruned parameters and the gaps between parameters are 1. Everything here is
 * a pure function on blocks of the caller's: no state, nothing kept. */
#ifndef SWEEPSTAKE_TICKET_TICKET_H
#define SWEEPSTAKE_TICKET_TICKET_H

#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"
#include "nn/spec.h"

enum ticket_criterion { TICKET_MAGNITUDE };

/* LAYER: each prunable parameter loses by its own rate. GLOBAL: the prunable parameters form one
 * pool that is ranked together. */
enum ticket_scope { TICKET_LAYER, TICKET_GLOBAL };

/* How a mask is made from its parent's.
 *
 * A parameter whose kind has the rate 0 is never pruned, nor is one that is not `is_prunable`; both
 * stay in the denominator of P_m. The pool of the global scope is all others, and its one rate is
 * the largest of theirs.
 *
 * `fraction` is measured on all elements of a parameter or pool, whatever the parent lost already.
 * The kind with the largest rate loses it in full, any other in proportion to its rate: with the
 * output layer at half the rate, a fraction of 0.5 takes half of each layer and a quarter of the
 * output layer (the steps of Frankle & Carbin 2019, figure 4c). */
struct ticket_rule {
    enum ticket_criterion criterion;
    enum ticket_scope scope;
    double rate_conv, rate_fc, rate_output; /* a round's share of what remains, 0 <= rate < 1 */
    int32_t rounds;  /* rounds taken at once: 1 = iterative, L = one-shot to level L; >= 1 */
    double fraction; /* total share gone, 0 to 1, instead of rates and rounds; NaN = by rates */
};

/* How many weights remain after `rounds` rounds, each taking floor(rate * remaining + 0.5). */
int64_t ticket_remaining(int64_t remaining, double rate, int32_t rounds);

/* The mask after pruning `weights` (the parent's, as the criterion is to see them) under
 * `parent_mask` (NULL = everything kept). The kept weights of smallest magnitude go; among equal
 * magnitudes (-0 equals 0) the lower flat index goes first, across parameters in block order; NaN
 * counts as larger than everything. `mask` is a whole block and may not overlap `parent_mask`. A
 * layer may lose all it has. Usage error: the rule is out of range. Task error: no weight of the
 * whole network would remain. */
int ticket_prune(const struct parameter_spec *parameters, int count, const struct ticket_rule *rule,
                 const float *weights, const uint8_t *parent_mask, uint8_t *mask,
                 struct error *err);

/* Control random-mask: keeps as many elements of each prunable parameter as `mask` does, at random
 * places: the first n of the permutation with salt p of `stream`, p the index of the parameter in
 * the list. So the masks of one stream nest when their counts fall. */
int ticket_random_mask(const struct parameter_spec *parameters, int count, const uint8_t *mask,
                       struct rng_stream stream, uint8_t *random_mask, struct error *err);

/* Weights that remain and all weights (`is_weight`, never-pruned ones included):
 * P_m = 100 remaining / total. `mask` NULL = everything kept. */
void ticket_count(const struct parameter_spec *parameters, int count, const uint8_t *mask,
                  int64_t *remaining, int64_t *total);

#endif
