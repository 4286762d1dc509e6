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

enum layer_kind {
    LAYER_FC,
    LAYER_RELU,
    LAYER_DROPOUT,
    LAYER_CONV,         /* square kernel, zero padding */
    LAYER_MAX_POOL,     /* square windows inside the image; what is left over at its edges is dropped */
    LAYER_AVERAGE_POOL, /* global: each channel's mean */
    LAYER_BATCH_NORM,   /* per channel; epsilon 1e-5, momentum 0.1, as PyTorch's */
    /* A residual block: LAYER_RESIDUAL, the layers of its body, then optionally LAYER_SHORTCUT and
     * layers that read the block's input once more, then LAYER_ADD, which adds the end of the
     * body and the end of the shortcut (without one: the block's input). Blocks do not nest. */
    LAYER_RESIDUAL,
    LAYER_SHORTCUT,
    LAYER_ADD,
    LAYER_KINDS
};

struct layer_spec {
    enum layer_kind kind;
    int32_t outputs; /* LAYER_FC: number of units; LAYER_CONV: number of output channels */
    double drop; /* LAYER_DROPOUT: the probability of dropping a unit, 0 < drop < 1 */
    /* LAYER_FC: the last layer of the network. Has the rate `output` when pruned. */
    bool is_output;
    bool has_bias; /* LAYER_CONV (LAYER_FC always has one) */
    int32_t kernel, stride; /* LAYER_CONV, LAYER_MAX_POOL */
    int32_t padding;        /* LAYER_CONV: below kernel */
};

/* A network: `layers[0]` reads the input, the last layer gives `classes` logits. */
struct net_spec {
    struct shape input;
    int32_t classes;
    int32_t layer_count;
    struct layer_spec layers[NET_MAX_LAYERS];
};

/* What a parameter is for pruning: which rate applies, and whether it counts as a weight. */
enum parameter_role {
    PARAMETER_BIAS,
    PARAMETER_CONV,
    PARAMETER_FC,
    PARAMETER_OUTPUT,
    PARAMETER_SHORTCUT, /* weights of a convolution in a residual block's shortcut: never pruned */
    PARAMETER_NORM,     /* scale and offset of a batch norm */
    PARAMETER_STATISTIC /* running mean and variance of a batch norm: not trained, no gradient */
};

/* A named tensor of a network, with PyTorch's name and shape: "fc1.weight" [out][in],
 * "conv1.weight" [out][in][kh][kw], "bn1.weight", "bn1.bias", "bn1.running_mean",
 * "bn1.running_var" [channels]. Layers of a kind are numbered in order; those in shortcuts apart, as
 * "shortcut1.weight" (a convolution) and "shortcut_bn1.weight". */
struct parameter_spec {
    char name[NET_NAME_SIZE];
    enum parameter_role role;
    bool is_weight;  /* counts in P_m (no biases, no batch norm) */
    bool is_prunable; /* may be masked */
    bool starts_at_one; /* else, not being a weight, at zero */
    int32_t rank;
    int64_t dims[4];
    int64_t count;   /* product of dims */
    int64_t offset;  /* of its first element in the network's parameter block (aligned) */
    int64_t fan_in, fan_out;
};

/* The network a name stands for: "lenet-300-100", "lenet-A-B[-C...]" or "fc-A-B..." (hidden widths), "conv-2",
 * "conv-4", "conv-6", "resnet-18" (of 20 layers, for CIFAR; or "resnet-20"), "vgg-19"; on examples of
 * `input` with `classes` outputs and dropout probability `dropout` after the ReLU of each hidden fully connected layer
 * (0: no dropout layers; an error where there are none to drop). Usage error naming the known ones when
 * unknown, or when a width is wrong. */
int net_spec_named(const char *architecture, struct shape input, int32_t classes, double dropout,
                   struct net_spec *spec, struct error *err);

/* Building a network layer by layer: `spec` begins with its input and classes set, the rest zero. Errors are usage
 * errors about too many layers; shapes are checked by net_spec_parameters in the end. */
int net_spec_add(struct net_spec *spec, struct layer_spec layer, struct error *err);
/* Closes the open residual block with LAYER_ADD. Where no LAYER_SHORTCUT stands in it and the body's shape differs
 * from the block's input, a shortcut is put in: a 1x1 convolution without bias whose stride fits, and a batch norm if
 * the body has any (He et al. 2015, option B). Usage error when no stride fits or no block is open. */
int net_spec_close_residual(struct net_spec *spec, struct error *err);

/* Whether the layers there are so far fit one behind the other; 0, or a usage error that names the layer. */
int net_spec_check(const struct net_spec *spec, struct error *err);

/* Lists the parameters in block order: those that are trained, layer by layer, then all statistics.
 * Returns their number, or -1 when a shape does not fit. */
int net_spec_parameters(const struct net_spec *spec,
                        struct parameter_spec parameters[NET_MAX_PARAMETERS], struct error *err);

/* Floats in the parameter block (views are aligned to 16 floats; the gaps hold zeros). */
int64_t net_spec_block_size(const struct net_spec *spec);
/* Floats at its beginning that are trained; statistics lie behind them. */
int64_t net_spec_trained_size(const struct net_spec *spec);

/* The canonical text of the layers, part of a task's key: "input 1x28x28\nfc 300\nrelu\n...". Frozen format. */
void net_spec_text(const struct net_spec *spec, struct text *text);

/* A short name for the store's folders: layers, input shape and classes, e.g. "lenet-300-100.1x28x28.10";
 * different specs get different names (a hash is appended where the layers are not told by the name). */
void net_spec_label(const struct net_spec *spec, char label[NET_NAME_SIZE]);

/* Floating-point operations of one training step on `batch` examples (2 per multiply-add; forward,
 * backward data, backward weights), and of one evaluation. With a fraction `density` of prunable weights left: as many
 * dense operations as take about as long. */
double net_spec_step_operations(const struct net_spec *spec, int64_t batch, double density);
double net_spec_evaluation_operations(const struct net_spec *spec, int64_t examples, double density);

/* Initial values of weights, by the number of inputs (fan_in) and outputs (fan_out) of a unit; for a
 * convolution channels x kernel x kernel. Biases and running means start at 0, batch norm's scales and running
 * variances at 1. */
enum init_kind {
    INIT_GLOROT_NORMAL,    /* sigma = sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010) */
    INIT_GLOROT_TRUNCATED, /* redrawn beyond 2 sigma, with sigma such that the deviation is Glorot's (TensorFlow) */
    INIT_KAIMING_NORMAL,   /* sigma = sqrt(2 / fan_in) (He et al. 2015) */
    INIT_KAIMING_UNIFORM,  /* between -b and b, b = sqrt(6 / fan_in) */
    INIT_NORMAL            /* the sigma given */
};

struct init_spec {
    enum init_kind kind;
    double sigma; /* INIT_NORMAL */
};

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

/* Blocks of moments it needs: Adam 2, SGD with momentum 1, plain SGD 0. */
int optimizer_moment_blocks(const struct optimizer_spec *optimizer);

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
