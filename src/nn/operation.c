/* The table of layer operations. Adding a kind of layer: a value in enum layer_kind, a row here,
 * and a file layer_<kind>.c that defines the row. */
#include "operation.h"

#include <inttypes.h>

static const struct operation *const operations[] = {
    [LAYER_FC] = &operation_fc,
    [LAYER_RELU] = &operation_relu,
    [LAYER_DROPOUT] = &operation_dropout,
    [LAYER_CONV] = &operation_conv,
    [LAYER_MAX_POOL] = &operation_max_pool,
    [LAYER_AVERAGE_POOL] = &operation_average_pool,
    [LAYER_BATCH_NORM] = &operation_batch_norm,
    [LAYER_RESIDUAL] = &operation_residual,
    [LAYER_SHORTCUT] = &operation_shortcut,
    [LAYER_ADD] = &operation_add,
};

const struct operation *operation_of(enum layer_kind kind)
{
    return operations[kind];
}

int64_t shape_features(struct shape shape)
{
    return (int64_t)shape.channels * shape.height * shape.width;
}

bool shapes_equal(struct shape a, struct shape b)
{
    return a.channels == b.channels && a.height == b.height && a.width == b.width;
}

int window_output(const struct layer_spec *layer, int32_t channels, struct shape input,
                  struct shape *output, struct error *err)
{
    const int32_t height = input.height + 2 * layer->padding - layer->kernel;
    const int32_t width = input.width + 2 * layer->padding - layer->kernel;
    if (height < 0 || width < 0)
        return error_set(err, ERROR_USAGE,
                         "a window of %" PRId32 "x%" PRId32 " does not fit into the %" PRId32
                         "x%" PRId32 " image with padding %" PRId32,
                         layer->kernel, layer->kernel, input.height, input.width, layer->padding);
    *output = (struct shape){channels, height / layer->stride + 1, width / layer->stride + 1};
    return 0;
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
