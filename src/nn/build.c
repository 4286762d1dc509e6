/* Building networks layer by layer. */
#include <inttypes.h>

#include "operation.h"

int net_spec_add(struct net_spec *spec, struct layer_spec layer, struct error *err)
{
    if (spec->layer_count == NET_MAX_LAYERS)
        return error_set(err, ERROR_USAGE, "a network has at most %d layers", NET_MAX_LAYERS);
    spec->layers[spec->layer_count++] = layer;
    return 0;
}

int net_spec_check(const struct net_spec *spec, struct error *err)
{
    struct trace traces[NET_MAX_LAYERS];
    return trace_layers(spec, traces, err);
}

struct open_block {
    int32_t begin; /* its LAYER_RESIDUAL; -1: none is open */
    bool has_shortcut, has_norm;
};

static struct open_block find_open_block(const struct net_spec *spec)
{
    struct open_block open = {.begin = -1};
    for (int32_t i = 0; i < spec->layer_count; i++) {
        const enum layer_kind kind = spec->layers[i].kind;
        if (kind == LAYER_RESIDUAL)
            open = (struct open_block){.begin = i};
        if (kind == LAYER_ADD)
            open.begin = -1;
        open.has_shortcut = open.has_shortcut || kind == LAYER_SHORTCUT;
        open.has_norm = open.has_norm || kind == LAYER_BATCH_NORM;
    }
    return open;
}

/* The stride of a 1x1 convolution that makes `to` of `from`'s height or width; 0: none does. */
static int32_t stride_between(int32_t from, int32_t to)
{
    for (int32_t stride = 1; stride <= from; stride++)
        if ((from - 1) / stride + 1 == to)
            return stride;
    return 0;
}

static int add_shortcut(struct net_spec *spec, struct shape from, struct shape to, bool has_norm,
                        struct error *err)
{
    const int32_t stride = stride_between(from.height, to.height);
    if (stride == 0 || (from.width - 1) / stride + 1 != to.width)
        return error_set(err, ERROR_USAGE,
                         "no stride makes the shortcut's %" PRId32 "x%" PRId32
                         " image as large as the body's %" PRId32 "x%" PRId32,
                         from.height, from.width, to.height, to.width);
    const struct layer_spec convolution = {
        .kind = LAYER_CONV, .outputs = to.channels, .kernel = 1, .stride = stride};
    if (net_spec_add(spec, (struct layer_spec){.kind = LAYER_SHORTCUT}, err) != 0 ||
        net_spec_add(spec, convolution, err) != 0)
        return -1;
    return has_norm ? net_spec_add(spec, (struct layer_spec){.kind = LAYER_BATCH_NORM}, err) : 0;
}

int net_spec_close_residual(struct net_spec *spec, struct error *err)
{
    const struct open_block open = find_open_block(spec);
    struct trace traces[NET_MAX_LAYERS];
    if (open.begin < 0)
        return error_set(err, ERROR_USAGE, "no residual block is open");
    if (trace_layers(spec, traces, err) != 0)
        return -1;
    const struct shape from = traces[open.begin].output, to = traces[spec->layer_count - 1].output;
    if (!open.has_shortcut && !shapes_equal(from, to) &&
        add_shortcut(spec, from, to, open.has_norm, err) != 0)
        return -1;
    return net_spec_add(spec, (struct layer_spec){.kind = LAYER_ADD}, err);
}
