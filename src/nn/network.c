/* Networks in memory: their buffers, views, mask.
 *
 * A network is described first (layers, sizes), then all its buffers are placed one after the other
 * in a single aligned allocation; net_memory_bytes does the same without the allocation, so that
 * the two cannot disagree. Activations serve training and evaluation; only training has gradients.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "state.h"

/* Columns of an evaluation batch: 240 keeps LeNet's inputs in 1 MiB of cache, and the odd number of
 * vectors in a row of activations spreads rows over all sets of a cache. */
#define DEFAULT_EVALUATE_BATCH 240

static int32_t padded(int32_t columns)
{
    return (columns + NET_LANES - 1) / NET_LANES * NET_LANES;
}

static void describe_layers(struct network *net)
{
    int numbers[LAYER_KINDS] = {0};
    struct shape shape = net->spec.input;
    for (int32_t i = 0; i < net->spec.layer_count; i++) {
        const struct layer_spec *spec = &net->spec.layers[i];
        struct layer *last = net->layer_count ? &net->layers[net->layer_count - 1] : NULL;
        if (spec->kind == LAYER_RELU && last && last->operation->absorbs_relu && !last->rectify) {
            last->rectify = true;
            continue;
        }
        struct layer *layer = &net->layers[net->layer_count++];
        *layer = (struct layer){.operation = operation_of(spec->kind),
                                .spec = spec,
                                .input_shape = shape,
                                .number = ++numbers[spec->kind]};
        layer_output(spec, shape, &shape, NULL);
        layer->output_shape = shape;
        layer->inputs = shape_features(layer->input_shape);
        layer->outputs = shape_features(shape);
    }
}

/* Everything but the buffers. */
static int describe(struct network *net, const struct net_spec *spec, struct net_options options,
                    struct error *err)
{
    if (options.train_batch < 1 || options.evaluate_batch < 0)
        return error_set(err, ERROR_INTERNAL, "a network for batches of %d and %d examples",
                         (int)options.train_batch, (int)options.evaluate_batch);
    *net = (struct network){.spec = *spec, .moment_blocks = -1};
    net->parameter_count = net_spec_parameters(spec, net->parameters, err);
    if (net->parameter_count < 0)
        return -1;
    net->block_size = net_spec_block_size(spec);
    net->train_columns = padded(options.train_batch);
    net->evaluate_columns =
        padded(options.evaluate_batch ? options.evaluate_batch : DEFAULT_EVALUATE_BATCH);
    describe_layers(net);
    return 0;
}

/* Hands out consecutive aligned pieces of `memory`, or only counts them while it is NULL. */
struct placement {
    float *memory;
    int64_t used;
};

static float *place(struct placement *placement, int64_t floats)
{
    const int64_t aligned = (floats + NET_LANES - 1) / NET_LANES * NET_LANES;
    float *piece = placement->memory ? placement->memory + placement->used : NULL;
    placement->used += aligned;
    return piece;
}

/* Gives each layer its views of the parameters, which are listed in the order of the layers. */
static void view_parameters(struct network *net)
{
    int next = 0;
    for (int32_t i = 0; i < net->layer_count; i++) {
        struct layer *layer = &net->layers[i];
        struct parameter_spec own[NET_MAX_PARAMETERS];
        struct parameter_list list = {.parameters = own};
        if (layer->operation->parameters)
            layer->operation->parameters(layer->spec, layer->input_shape, layer->number, &list,
                                         NULL);
        for (int p = 0; p < list.count; p++, next++) {
            layer->parameters[p] = net->weights + net->parameters[next].offset;
            layer->gradients[p] = net->gradients + net->parameters[next].offset;
        }
    }
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void place_activations(struct network *net, struct placement *placement)
{
    const int64_t columns = greatest(net->train_columns, net->evaluate_columns);
    int64_t widest = 0, scratch = 0;
    for (int32_t i = 0; i < net->layer_count; i++) {
        struct layer *layer = &net->layers[i];
        const struct operation *operation = layer->operation;
        if (operation->in_place && i > 0)
            layer->output = net->layers[i - 1].output;
        else
            layer->output = place(placement, layer->outputs * columns);
        if (operation->state_size)
            layer->state = place(placement, operation->state_size(layer, net->train_columns));
        if (operation->scratch_size)
            scratch = greatest(scratch, operation->scratch_size(layer, net->train_columns));
        widest = greatest(widest, layer->outputs);
    }
    net->train_input = place(placement, net->layers[0].inputs * net->train_columns);
    net->evaluate_input = place(placement, net->layers[0].inputs * net->evaluate_columns);
    for (int i = 0; i < 2; i++)
        net->backward[i] = place(placement, widest * net->train_columns);
    net->scratch = place(placement, scratch);
}

/* Places all buffers; returns their floats. */
static int64_t place_buffers(struct network *net, float *memory)
{
    struct placement placement = {.memory = memory};
    net->weights = place(&placement, net->block_size);
    net->gradients = place(&placement, net->block_size);
    for (int i = 0; i < MAX_MOMENTS; i++)
        net->moments[i] = place(&placement, net->block_size);
    net->mask = (uint8_t *)place(&placement, (net->block_size + 3) / 4);
    place_activations(net, &placement);
    return placement.used;
}

int64_t net_memory_bytes(const struct net_spec *spec, struct net_options options)
{
    struct network net;
    if (describe(&net, spec, options, NULL) != 0)
        return 0;
    return (int64_t)sizeof net + place_buffers(&net, NULL) * (int64_t)sizeof(float);
}

struct network *net_create(const struct net_spec *spec, struct net_options options,
                           struct error *err)
{
    struct network *net = mem_zeroed(1, sizeof *net, err);
    if (!net)
        return NULL;
    if (describe(net, spec, options, err) != 0 || !(net->kernels = kernels_current(err)))
        goto failed;
    net->memory = mem_aligned((size_t)place_buffers(net, NULL), sizeof *net->memory, err);
    if (!net->memory)
        goto failed;
    place_buffers(net, net->memory);
    view_parameters(net);
    memset(net->mask, 1, (size_t)net->block_size);
    return net;
failed:
    net_destroy(net);
    return NULL;
}

void net_destroy(struct network *net)
{
    if (!net)
        return;
    free(net->memory);
    free(net);
}

void net_initialize(struct network *net, enum init_kind kind, struct rng_stream stream)
{
    net_spec_initialize(&net->spec, kind, stream, net->weights);
    if (net->masked)
        net->kernels->clear_masked(net->weights, net->mask, net->block_size);
}

/* Where the mask says 0, a prunable parameter must be. */
static int check_mask(const struct network *net, const uint8_t *mask, struct error *err)
{
    int64_t next = 0; /* the first element not yet looked at */
    for (int i = 0; i <= net->parameter_count; i++) {
        const struct parameter_spec *parameter = &net->parameters[i];
        const bool end = i == net->parameter_count;
        if (!end && !parameter->is_prunable)
            continue;
        const int64_t begin = end ? net->block_size : parameter->offset;
        for (; next < begin; next++)
            if (mask[next] != 1)
                return error_set(err, ERROR_INTERNAL,
                                 "the mask touches element %lld, which is not prunable",
                                 (long long)next);
        for (; !end && next < begin + parameter->count; next++)
            if (mask[next] > 1)
                return error_set(err, ERROR_INTERNAL, "the mask of %s has the value %d",
                                 parameter->name, mask[next]);
    }
    return 0;
}

int net_set_mask(struct network *net, const uint8_t *mask, struct error *err)
{
    if (mask && check_mask(net, mask, err) != 0)
        return -1;
    if (mask)
        memcpy(net->mask, mask, (size_t)net->block_size);
    else
        memset(net->mask, 1, (size_t)net->block_size);
    net->masked = memchr(net->mask, 0, (size_t)net->block_size) != NULL;
    float *const blocks[] = {net->weights, net->gradients, net->moments[0], net->moments[1]};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        net->kernels->clear_masked(blocks[i], net->mask, net->block_size);
    return 0;
}

const struct parameter_spec *net_parameters(const struct network *net, int *count)
{
    *count = net->parameter_count;
    return net->parameters;
}

float *net_weights(struct network *net)
{
    return net->weights;
}

float *net_gradients(struct network *net)
{
    return net->gradients;
}

int64_t net_block_size(const struct network *net)
{
    return net->block_size;
}

float *net_train_input(struct network *net)
{
    return net->train_input;
}

float *net_evaluate_input(struct network *net)
{
    return net->evaluate_input;
}
