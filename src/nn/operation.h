/* The table of layer operations: everything the room knows about a kind of layer stands in its row,
 * so that a new kind is a new file and a new row. Spec-level functions take plain data; run-time
 * functions (forward, backward) work on a struct layer of a network in memory. */
#ifndef SWEEPSTAKE_NN_OPERATION_H
#define SWEEPSTAKE_NN_OPERATION_H

#include "nn/spec.h"

#define LAYER_MAX_PARAMETERS 4

/* Collects the parameters of a network in block order. */
struct parameter_list {
    struct parameter_spec *parameters; /* [NET_MAX_PARAMETERS] */
    int count;
    int64_t block_size;
};

/* Appends `parameter`, whose dims and rank are set, and gives it its count and its place. */
int parameter_list_add(struct parameter_list *list, const struct parameter_spec *parameter,
                       struct error *err);

struct operation {
    const char *name; /* the first word of the layer's canonical line */
    /* The shape a layer gives for `input`, or -1 when it does not fit. NULL: the same shape. */
    int (*output)(const struct layer_spec *layer, struct shape input, struct shape *output,
                  struct error *err);
    /* Lists its parameters; `number` counts the layers of this kind from 1. NULL: none. */
    int (*parameters)(const struct layer_spec *layer, struct shape input, int number,
                      struct parameter_list *list, struct error *err);
    /* Adds the arguments behind the name, each with a blank before it. NULL: none. */
    void (*text)(const struct layer_spec *layer, struct text *text);
    /* Multiply-adds of the forward pass for one example with all weights kept. NULL: not counted.
     */
    double (*multiply_adds)(const struct layer_spec *layer, struct shape input);
};

/* The row of a kind; never NULL for a value of the enum. */
const struct operation *operation_of(enum layer_kind kind);

extern const struct operation operation_fc, operation_relu, operation_dropout;

int64_t shape_features(struct shape shape);

/* The shape after `layer` applied to `input`. */
int layer_output(const struct layer_spec *layer, struct shape input, struct shape *output,
                 struct error *err);

#endif
