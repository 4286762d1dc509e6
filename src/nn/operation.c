/* The table of layer operations. Adding a kind of layer: a value in enum layer_kind, a row here,
 * and a file layer_<kind>.c that defines the row. */
#include "operation.h"

static const struct operation *const operations[] = {
    [LAYER_FC] = &operation_fc,
    [LAYER_RELU] = &operation_relu,
    [LAYER_DROPOUT] = &operation_dropout,
};

const struct operation *operation_of(enum layer_kind kind)
{
    return operations[kind];
}

int64_t shape_features(struct shape shape)
{
    return (int64_t)shape.channels * shape.height * shape.width;
}

int layer_output(const struct layer_spec *layer, struct shape input, struct shape *output,
                 struct error *err)
{
    const struct operation *operation = operation_of(layer->kind);
    if (operation->output)
        return operation->output(layer, input, output, err);
    *output = input;
    return 0;
}
