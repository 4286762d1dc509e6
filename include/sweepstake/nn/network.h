/* A network in memory and one training step on it.
 *
 * Activations are [channel][height][width][batch], batch innermost, the batch padded to NET_LANES columns; padding
 * columns hold zeros and take no part in losses or gradients. A masked weight is exactly 0.0f at all times, and so
 * are its gradient and moments. Layers with few weights left compute with the survivors alone, which then lie packed
 * inside; else those of a fully connected first layer lie by input. Blocks of parameters go in and out densely, with
 * the layout of net_spec_parameters. Nothing allocates inside a step.
 *
 * Steps and evaluations give the same bits whatever ran before, wherever buffers lie and however examples
 * are cut into evaluation batches; they run with subnormal numbers flushed to zero and leave the thread's
 * floating-point mode as they found it. */
#ifndef SWEEPSTAKE_NN_NETWORK_H
#define SWEEPSTAKE_NN_NETWORK_H

#include "base/rng.h"
#include "nn/spec.h"

#define NET_LANES 16

struct network; /* the layers, their buffers, and the views below */

/* How layers with masked weights compute: with all weights, with the survivors alone, or with these from the density
 * on at which that is faster. That density is a function of the layer's kind and shape and of the instruction set.
 * Unless with NET_KERNELS_DENSE, a fully connected first layer passes over zeros of the data. */
enum net_kernels { NET_KERNELS_AUTO, NET_KERNELS_DENSE, NET_KERNELS_SPARSE, NET_KERNELS };
/* "auto", "dense", "sparse"; and back: -1 for any other word. */
const char *net_kernels_name(enum net_kernels kernels);
int net_kernels_named(const char *name, enum net_kernels *kernels);

struct net_options {
    int32_t train_batch;    /* the largest batch of net_train_step */
    int32_t evaluate_batch; /* the largest batch of net_evaluate; 0 = net_evaluate_batch */
    enum net_kernels kernels;
};

struct network *net_create(const struct net_spec *spec, struct net_options options, struct error *err);
void net_destroy(struct network *net); /* accepts NULL */

/* The evaluation batch that suits the network: few columns where activations are large. A multiple of NET_LANES. */
int32_t net_evaluate_batch(const struct net_spec *spec);

/* Bytes net_create will allocate, for `plan`. */
int64_t net_memory_bytes(const struct net_spec *spec, struct net_options options);

/* Shares of the weights that a mask keeps, by what is pruned at one rate; shortcuts keep all. */
struct net_density {
    double conv, fc, output;
};
/* Bytes net_set_mask will allocate and keep, where each layer has its kind's density. */
int64_t net_mask_bytes(const struct net_spec *spec, enum net_kernels kernels, struct net_density kept);

const struct parameter_spec *net_parameters(const struct network *net, int *count);

/* The whole parameter block, net_block_size floats, copied out and in. What is masked is written as 0.0f. Gradients
 * are those of the last step; statistics have none, their places are zero. Training steps update the statistics,
 * everything else leaves them alone. */
void net_read_weights(const struct network *net, float *block);
void net_write_weights(struct network *net, const float *block);
void net_read_gradients(const struct network *net, float *block);
int64_t net_block_size(const struct network *net);

/* Initial values: parameter p's element e comes from number (p << 40) + e of the stream. */
int net_initialize(struct network *net, struct init_spec init, struct rng_stream stream, struct error *err);
/* The same into a block of the caller's. */
void net_spec_initialize(const struct net_spec *spec, struct init_spec init, struct rng_stream stream, float *block);

/* Sets the mask: one byte a block element, 1 = kept; biases and gaps are 1 (else an internal error).
 * Weights, gradients and moments of masked weights become 0, and each layer's way to compute is chosen anew. NULL =
 * everything kept. The mask is copied. Fails for lack of memory. */
int net_set_mask(struct network *net, const uint8_t *mask, struct error *err);

/* Which layers compute with the survivors alone: bit i is the layer of the network's i-th weight tensor, for the first
 * 63. */
int64_t net_sparse_layers(const struct network *net);

/* The optimiser and its moments (zeroed). Called before the first step. */
int net_set_optimizer(struct network *net, const struct optimizer_spec *optimizer, struct error *err);

/* One batch as the network takes it: inputs [channel][height][width][columns], batch innermost, `columns` a multiple of
 * NET_LANES, 1 <= `examples` <= columns, zeros behind the examples; labels[examples], each below `classes`. */
struct net_batch {
    const float *inputs;
    const uint8_t *labels;
    int32_t examples, columns;
};

/* Where the network wants a batch assembled (train_batch columns, padded): its own aligned input buffer. */
float *net_train_input(struct network *net);
float *net_evaluate_input(struct network *net);

/* Forward, backward, optimiser. `rate` is the learning rate of this step; `iteration` (absolute) and
 * `dropout` choose the dropout masks: unit u of example-column c of dropout layer l is kept by
 * counter-based bits of (iteration, l, u, c). Returns the mean cross-entropy loss of the batch
 * (non-finite when training has diverged; the weights are then unspecified). */
double net_train_step(struct network *net, const struct net_batch *batch, double rate, int64_t iteration,
                      struct rng_stream dropout);

/* Forward and backward only, without the optimiser: gradients of the mean loss (tests, criteria). */
double net_gradient(struct network *net, const struct net_batch *batch, int64_t iteration, struct rng_stream dropout);

/* Forward without dropout: adds the sum of losses and the number of correct predictions (argmax; the
 * lower class wins ties). */
struct net_score {
    double loss_sum;
    int64_t correct, examples;
};
void net_evaluate(struct network *net, const struct net_batch *batch, struct net_score *score);

/* The optimiser's state: net_moment_blocks blocks like that of the weights. */
int net_moment_blocks(const struct network *net);
void net_read_moments(const struct network *net, int which, float *block);
void net_write_moments(struct network *net, int which, const float *block);
/* Steps taken since net_set_optimizer (Adam's bias correction). */
int64_t net_steps_taken(const struct network *net);
void net_set_steps_taken(struct network *net, int64_t steps);

/* The instruction set of the kernels in use ("avx512", "avx2", "portable"), chosen once a process: the best the
 * CPU has, at most the one named by isa_limit / SWEEPSTAKE_ISA. Part of what fixes rounding. */
const char *kernels_isa(void);
int kernels_select(const char *isa_or_null, struct error *err); /* usage error when the CPU lacks it */
/* OpenBLAS's core name. */
const char *kernels_blas_core(void);
#define NET_MOST_THREADS 1024
/* How many threads compute, 1 to NET_MOST_THREADS: one, until this is called, before networks are made. Bits do not depend
 * on it. The threads start with the first step: fork before it. OpenBLAS itself has one. */
void kernels_use_threads(int threads);

#endif
