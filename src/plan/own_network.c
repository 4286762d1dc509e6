/* From the layers as a grid words them to those of the network engine. */
#include "own_network.h"

#include <stddef.h>

static struct layer_spec layer_of(const struct grid_layer *from)
{
    static const enum layer_kind kinds[] = {
        [GRID_LAYER_FC] = LAYER_FC,
        [GRID_LAYER_CONV] = LAYER_CONV,
        [GRID_LAYER_RELU] = LAYER_RELU,
        [GRID_LAYER_BATCH_NORM] = LAYER_BATCH_NORM,
        [GRID_LAYER_DROPOUT] = LAYER_DROPOUT,
        [GRID_LAYER_MAX_POOL] = LAYER_MAX_POOL,
        [GRID_LAYER_AVERAGE_POOL] = LAYER_AVERAGE_POOL,
        [GRID_LAYER_RESIDUAL] = LAYER_RESIDUAL,
    };
    return (struct layer_spec){
        .kind = kinds[from->kind],
        .outputs = (int32_t)from->outputs,
        .drop = from->drop,
        .has_bias = from->bias,
        .kernel = (int32_t)from->kernel,
        .stride = (int32_t)from->stride,
        .padding = (int32_t)from->padding,
    };
}

/* Checked as it is added: later the network's error would not tell which layer's mark to show. */
static int add_layer(const struct grid_layer *layer, struct net_spec *spec, struct error *err)
{
    if (layer->kind == GRID_LAYER_END)
        return net_spec_close_residual(spec, err);
    return net_spec_add(spec, layer_of(layer), err) == 0 ? net_spec_check(spec, err) : -1;
}

int own_network_spec(const struct grid_network *network, struct shape input, int32_t classes,
                     struct net_spec *spec, struct mark *at, struct error *err)
{
    const struct layer_spec output = {.kind = LAYER_FC, .outputs = classes, .is_output = true};
    *spec = (struct net_spec){.input = input, .classes = classes};
    for (int32_t i = 0; i < network->layer_count; i++) {
        *at = network->layers[i].mark;
        if (add_layer(&network->layers[i], spec, err) != 0)
            return -1;
    }
    *at = network->mark;
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    if (net_spec_add(spec, output, err) != 0 || net_spec_parameters(spec, parameters, err) < 0)
        return -1;
    return 0;
}
