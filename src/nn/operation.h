/* The table of layer operations: everything the room knows about a kind of layer stands in its row,
 * so that a new kind is a new file and a new row. Spec-level functions take plain data; run-time
 * functions (forward, backward) work on a struct layer of a network in memory. */
#ifndef SWEEPSTAKE_NN_OPERATION_H
#define SWEEPSTAKE_NN_OPERATION_H

#include "base/rng.h"
#include "kernels/kernels.h"
#include "nn/spec.h"
#include "trace.h"

#define LAYER_MAX_PARAMETERS 4
#define MAX_WINDOW 15 /* of a pool, so that a position in it is a byte */

/* Collects the parameters of a network in block order. */
struct parameter_list {
    struct parameter_spec *parameters;  /* [NET_MAX_PARAMETERS] */
    int32_t layers[NET_MAX_PARAMETERS]; /* whose they are */
    int count;
    int64_t block_size;
    int32_t layer; /* whose parameters are being listed */
};

/* Appends `parameter`, whose dims and rank are set, with the name `prefix`, the layer's number, "."
 * and `tensor`; gives it its count and its place. */
int parameter_list_add(struct parameter_list *list, const struct parameter_spec *parameter,
                       const char *prefix, int number, const char *tensor, struct error *err);
/* Lists all parameters. */
int parameter_list_fill(struct parameter_list *list, const struct net_spec *spec,
                        const struct trace *traces, struct error *err);

/* One batch on its way through the layers. */
struct pass {
    const struct kernels *kernels;
    int32_t examples, columns; /* columns from `examples` on are padding, of unspecified value */
    bool training;
    bool updates_statistics; /* while training: running mean and variance of batch norms */
    int64_t iteration;
    struct rng_stream dropout;
    float *scratch;     /* shared by all layers, valid within one call */
    const float *other; /* the second input of an addition */
};

struct survivors;

/* A layer's weights as a matrix [rows][columns], columns being [channel][taps], and how the sparse
 * kernels want it cut (kernels/sparse.h). */
struct sparse_form {
    int64_t rows, columns, taps;
    int64_t band, turned_band;
};

/* A layer in memory. Activations are [channel][height][width][columns]. */
struct layer {
    const struct operation *operation;
    const struct layer_spec *spec;
    struct shape input_shape, output_shape;
    int64_t inputs, outputs; /* features */
    int number;              /* among the layers of its kind, from 1 */
    bool rectify;            /* a relu behind this layer is computed by it */
    bool in_place;           /* its output lies over its source's */
    bool skips_zeros;        /* passes over zeros of its inputs */
    bool settles;            /* `gradient` is to be computed from `incoming` */
    int32_t source, other;   /* layers that it reads, or TRACE_INPUT */
    int readers;             /* layers that read it */
    struct {
        int first, second, settled, input;
    } slots; /* of gradients, see layout.c */
    /* In the order of operation->parameters, then operation->statistics. */
    float *parameters[LAYER_MAX_PARAMETERS];
    float *gradients[LAYER_MAX_PARAMETERS];
    /* The weights it computes with, others being masked; NULL: with all. */
    struct survivors *survivors;
    float *output;
    float *state; /* operation->state_size floats, kept from forward to backward */
    /* The gradient of the output: as one or two parts from the layers that read it, then their sum
     * without what `rectify` cut off, which may be one of the parts. */
    float *incoming[2], *gradient;
    float *input_gradient; /* this layer's part of its source's; NULL: not wanted */
};

struct operation {
    const char *name; /* the first word of the layer's canonical line */
    /* The shape a layer gives for `input`, or -1 when it does not fit. NULL: the same shape. */
    int (*output)(const struct layer_spec *layer, struct shape input, struct shape *output,
                  struct error *err);
    /* Lists what is trained, and what is not. NULL: none. */
    int (*parameters)(const struct layer_spec *layer, const struct trace *trace,
                      struct parameter_list *list, struct error *err);
    int (*statistics)(const struct layer_spec *layer, const struct trace *trace,
                      struct parameter_list *list, struct error *err);
    /* Adds the arguments behind the name, each with a blank before it. NULL: none. */
    void (*text)(const struct layer_spec *layer, struct text *text);
    /* Multiply-adds of the forward pass for one example with all weights kept. NULL: not counted.
     */
    double (*multiply_adds)(const struct layer_spec *layer, const struct trace *trace);

    bool in_place;           /* its output may lie over its input */
    bool gradient_in_place;  /* the gradient of its input may lie over that of its output */
    bool can_skip_zeros;     /* honours layer->skips_zeros */
    bool absorbs_relu;       /* forward honours layer->rectify */
    bool rectifies_gradient; /* and so does backward; else it gets a gradient that is settled */
    /* Floats of layer->state and of pass->scratch for batches of `columns`. NULL: none. */
    int64_t (*state_size)(const struct layer *layer, int64_t columns);
    int64_t (*scratch_size)(const struct layer *layer, int64_t columns);
    /* y = f(x). NULL: a mark, which computes nothing. */
    void (*forward)(const struct layer *layer, const struct pass *pass, const float *x, float *y);
    /* From dy, the gradient of the layer's output (zero in padding columns), sets the gradients of
     * its parameters and dx, that of its input x, unless that is NULL. NULL: dx is dy. */
    void (*backward)(const struct layer *layer, const struct pass *pass, const float *x,
                     const float *dy, float *dx);
    /* The same with layer->survivors; the first parameter is the weights. NULL: has no such way. */
    void (*sparse_form)(const struct layer *layer, double density, struct sparse_form *form);
    void (*sparse_forward)(const struct layer *layer, const struct pass *pass, const float *x,
                           float *y);
    void (*sparse_backward)(const struct layer *layer, const struct pass *pass, const float *x,
                            const float *dy, float *dx);
};

/* The row of a kind; never NULL for a value of the enum. */
const struct operation *operation_of(enum layer_kind kind);

extern const struct operation operation_fc, operation_relu, operation_dropout, operation_conv,
    operation_max_pool, operation_average_pool, operation_batch_norm, operation_residual,
    operation_shortcut, operation_add;

int64_t shape_features(struct shape shape);
bool shapes_equal(struct shape a, struct shape b);

/* The shape of `channels` images of what square windows of `layer` give on `input`. */
int window_output(const struct layer_spec *layer, int32_t channels, struct shape input,
                  struct shape *output, struct error *err);

/* The shape after `layer` applied to `input`. */
int layer_output(const struct layer_spec *layer, struct shape input, struct shape *output,
                 struct error *err);

#endif
