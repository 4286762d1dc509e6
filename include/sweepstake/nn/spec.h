/* What a network, an optimiser and a learning-rate schedule are, as plain data: resolved from a
 * grid by `plan`, hashed into task keys, and handed to net_create and the training loop. */
#ifndef SWEEPSTAKE_NN_SPEC_H
#define SWEEPSTAKE_NN_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

#define NET_NAME_SIZE 64
#define NET_MAX_LAYERS 96
#define NET_MAX_PARAMETERS 192
#define SCHEDULE_MAX_DROPS 16

/* One example: an image [channels][height][width]. */
struct shape {
    int32_t channels, height, width;
};

enum layer_kind { LAYER_FC, LAYER_RELU, LAYER_DROPOUT, LAYER_KINDS };

struct layer_spec {
    enum layer_kind kind;
    int32_t outputs; /* LAYER_FC: number of units */
    double drop; /* LAYER_DROPOUT: the probability of dropping a unit, 0 < drop < 1 */
    /* LAYER_FC: the last layer of the network. Has the rate `output` when pruned. */
    bool is_output;
};

/* A network: `layers[0]` reads the input, the last layer gives `classes` logits. */
struct net_spec {
    struct shape input;
    int32_t classes;
    int32_t layer_count;
    struct layer_spec layers[NET_MAX_LAYERS];
};

/* What a parameter is for pruning: which rate applies, and whether it counts as a weight. */
enum parameter_role { PARAMETER_BIAS, PARAMETER_CONV, PARAMETER_FC, PARAMETER_OUTPUT };

/* A named tensor of a network, with PyTorch's name and shape ("fc1.weight" [out][in]). */
struct parameter_spec {
    char name[NET_NAME_SIZE];
    enum parameter_role role;
    bool is_weight;  /* counts in P_m (no biases, no batch norm) */
    bool is_prunable; /* may be masked */
    int32_t rank;
    int64_t dims[4];
    int64_t count;   /* product of dims */
    int64_t offset;  /* of its first element in the network's parameter block (aligned) */
    int64_t fan_in, fan_out;
};

/* The network a name stands for: "lenet-300-100", "lenet-A-B[-C...]" or "fc-A-B..." (hidden widths), on
 * examples of `input` with `classes` outputs and dropout probability `dropout` after each hidden
 * ReLU (0: no dropout layers). Usage error naming the known ones when unknown, or when a width is wrong. */
int net_spec_named(const char *architecture, struct shape input, int32_t classes, double dropout,
                   struct net_spec *spec, struct error *err);

/* Lists the parameters in block order. Returns their number, or -1 when a shape does not fit. */
int net_spec_parameters(const struct net_spec *spec,
                        struct parameter_spec parameters[NET_MAX_PARAMETERS], struct error *err);

/* Floats in the parameter block (views are aligned to 16 floats; the gaps hold zeros). */
int64_t net_spec_block_size(const struct net_spec *spec);

/* The canonical text of the layers, part of a task's key: "input 1x28x28\nfc 300\nrelu\n...". Frozen format. */
void net_spec_text(const struct net_spec *spec, struct text *text);

/* A short name for the store's folders: layers, input shape and classes, e.g. "lenet-300-100.1x28x28.10";
 * different specs get different names (a hash is appended where the layers are not told by the name). */
void net_spec_label(const struct net_spec *spec, char label[NET_NAME_SIZE]);

/* Floating-point operations of one training step on `batch` examples (2 per multiply-add; forward,
 * backward data, backward weights), with a fraction `density` of prunable weights left; and of one evaluation. */
double net_spec_step_operations(const struct net_spec *spec, int64_t batch, double density);
double net_spec_evaluation_operations(const struct net_spec *spec, int64_t examples, double density);

/* Initial values of weights. Biases start at zero. */
enum init_kind { INIT_GLOROT_NORMAL /* sigma = sqrt(2 / (fan_in + fan_out)) */ };

enum optimizer_kind { OPTIMIZER_SGD, OPTIMIZER_ADAM };

/* SGD as in PyTorch: v = momentum v + (g + weight_decay w); w -= rate (nesterov ? g + momentum v : v).
 * Adam: Kingma & Ba 2015, algorithm 1, bias-corrected; weight decay is added to the gradient. */
struct optimizer_spec {
    enum optimizer_kind kind;
    double momentum;
    bool nesterov;
    double weight_decay;
    double beta1, beta2, epsilon;
};

enum schedule_kind { SCHEDULE_CONSTANT, SCHEDULE_STEP, SCHEDULE_COSINE };

/* Rate(t) = base * min(1, t / warmup) * decay(t), t counted from 0:
 * step: factor ^ (number of drops[i] <= t); cosine: (1 + cos(pi t / iterations)) / 2. */
struct schedule_spec {
    double base;
    int64_t warmup; /* iterations; 0 = none */
    enum schedule_kind kind;
    int32_t drop_count;
    int64_t drops[SCHEDULE_MAX_DROPS];
    double factor;
    int64_t iterations; /* T */
};

double schedule_rate(const struct schedule_spec *schedule, int64_t iteration);

#endif
