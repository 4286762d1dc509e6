/* Networks that a grid defines itself, under `networks`: names that `architecture` may take besides
 * the built-in ones, which they hide.
 *
 *     networks:
 *       mine:
 *         - {conv: 64}                # 3x3, same size, with biases
 *         - relu
 *         - {conv: {outputs: 64, kernel: 3, stride: 2, padding: 1, bias: false}}
 *         - batch-norm
 *         - residual:                 # the block's input is added to what these give
 *             - {conv: 64}            # where shapes differ, a 1x1 convolution goes in between
 *         - max-pool                  # 2x2; {max-pool: 3}, {max-pool: {kernel: 3, stride: 2}}
 *         - average-pool              # of each channel
 *         - {fc: 256}
 *         - {dropout: 0.5}
 *
 * The output layer, of the dataset's classes, is added behind them by itself. Whether shapes fit is
 * known when there is a dataset: plan checks it. Messages number the layers from 1 as they stand
 * here, those of blocks too, the blocks themselves not. */
#ifndef SWEEPSTAKE_GRID_NETWORKS_H
#define SWEEPSTAKE_GRID_NETWORKS_H

#include "grid/experiment.h"

#define GRID_MAX_NETWORK_LAYERS 128

enum grid_layer_kind {
    GRID_LAYER_FC,
    GRID_LAYER_CONV,
    GRID_LAYER_RELU,
    GRID_LAYER_BATCH_NORM,
    GRID_LAYER_DROPOUT,
    GRID_LAYER_MAX_POOL,
    GRID_LAYER_AVERAGE_POOL,
    GRID_LAYER_RESIDUAL, /* the layers up to the next GRID_LAYER_END are the block's */
    GRID_LAYER_END,
};

struct grid_layer {
    enum grid_layer_kind kind;
    struct mark mark;
    int64_t outputs;                 /* fc, conv */
    int64_t kernel, stride, padding; /* conv, max-pool (padding 0) */
    bool bias;                       /* conv */
    double drop;                     /* dropout: the probability */
};

struct grid_network {
    char name[GRID_NAME_SIZE];
    struct mark mark;
    int32_t layer_count;
    struct grid_layer layers[GRID_MAX_NETWORK_LAYERS];
};

#endif
