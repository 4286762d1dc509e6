/* What struct network is made of; shared by the files that implement nn/network.h. */
#ifndef SWEEPSTAKE_NN_STATE_H
#define SWEEPSTAKE_NN_STATE_H

#include "nn/network.h"
#include "operation.h"

#define MAX_MOMENTS 2

/* A part of the blocks that the optimiser goes through at once. */
struct range {
    int64_t begin, count;
    const uint8_t *mask; /* [count]; NULL: nothing in it is masked */
};

struct network {
    struct net_spec spec;
    const struct kernels *kernels;
    int parameter_count;
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    /* In order of computation; marks of residual blocks and absorbed relus have none of their own.
     */
    int32_t layer_count;
    struct layer layers[NET_MAX_LAYERS];

    int64_t block_size, trained_size;
    float *weights, *gradients, *moments[MAX_MOMENTS];
    uint8_t *mask; /* [block_size], 1 = kept; weights by input have theirs so too */
    /* What is trained, in order: survivors of layers that compute with them alone, and all between
     * them. */
    struct range ranges[2 * NET_MAX_LAYERS + 1];
    int range_count;
    enum net_kernels kernels_mode;

    int32_t train_columns, evaluate_columns;
    float *train_input, *evaluate_input;
    float *scratch;
    float *memory; /* the allocation all buffers lie in */

    struct optimizer_spec optimizer;
    int moment_blocks; /* in use by the optimiser; -1 while none is set */
    int64_t steps;
};

/* Fills in the layers of net->spec, which is valid: shapes, who reads whom, what is absorbed. */
void layout_describe(struct network *net);

/* Places all buffers in `memory`, or with NULL only counts. Returns their floats. */
int64_t buffers_place(struct network *net, float *memory);

/* A whole dense block from one of the network's, or to it, whatever is packed there; what is masked
 * is left out, so that it stays 0.0f. */
void network_read(const struct network *net, const float *from, float *block);
void network_write(struct network *net, float *to, const float *block);

/* One step of the optimiser over the block; clears what is masked. */
void optimizer_apply(struct network *net, double rate);

#endif
