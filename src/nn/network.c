/* Networks in memory: creation, parameters. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "paths.h"
#include "state.h"
#include "survivors.h"

static int32_t padded(int32_t columns)
{
    return (columns + NET_LANES - 1) / NET_LANES * NET_LANES;
}

/* 176 columns keep LeNet's inputs in half a second-level cache, and the odd number of vectors in a
 * row of activations spreads rows over all sets of a cache; more have fewer blank inputs in common.
 * Convolutions work on 64 columns at a time, and more would only take memory. */
int32_t net_evaluate_batch(const struct net_spec *spec)
{
    for (int32_t i = 0; i < spec->layer_count; i++)
        if (spec->layers[i].kind == LAYER_CONV)
            return 64;
    return 176;
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
    net->kernels_mode = options.kernels;
    net->block_size = net_spec_block_size(spec);
    net->trained_size = net_spec_trained_size(spec);
    net->train_columns = padded(options.train_batch);
    net->evaluate_columns =
        padded(options.evaluate_batch ? options.evaluate_batch : net_evaluate_batch(spec));
    layout_describe(net);
    /* Images have zeros in common, activations hardly. */
    for (int32_t i = 0; i < net->layer_count; i++)
        net->layers[i].skips_zeros = net->layers[i].operation->can_skip_zeros &&
                                     net->layers[i].source == TRACE_INPUT &&
                                     options.kernels != NET_KERNELS_DENSE;
    return 0;
}

int64_t net_memory_bytes(const struct net_spec *spec, struct net_options options)
{
    struct network net;
    if (describe(&net, spec, options, NULL) != 0)
        return 0;
    return (int64_t)sizeof net + buffers_place(&net, NULL) * (int64_t)sizeof(float);
}

static double kept_of(struct net_density kept, enum parameter_role role)
{
    switch (role) {
    case PARAMETER_CONV:
        return kept.conv;
    case PARAMETER_FC:
        return kept.fc;
    case PARAMETER_OUTPUT:
        return kept.output;
    case PARAMETER_BIAS:
    case PARAMETER_SHORTCUT:
    case PARAMETER_NORM:
    case PARAMETER_STATISTIC:
        break; /* never pruned */
    }
    return 1;
}

int64_t net_mask_bytes(const struct net_spec *spec, enum net_kernels kernels,
                       struct net_density kept)
{
    struct network net;
    int64_t bytes = 0;
    if (describe(&net, spec, (struct net_options){.train_batch = 1, .kernels = kernels}, NULL) != 0)
        return 0;
    const struct parameter_spec *weights = net.parameters; /* of the layer, when there are any */
    for (int32_t i = 0; i < net.layer_count; i++) {
        const struct layer *layer = &net.layers[i];
        if (!layer->operation->sparse_form)
            continue;
        while (!weights->is_weight)
            weights++;
        const double density = kept_of(kept, weights++->role);
        const double threshold = path_threshold(kernels, kernels_isa(), layer);
        if (threshold > 0 && density <= threshold)
            bytes += survivors_bytes(layer, kernels_isa(), density);
    }
    return bytes;
}

#define LARGE_PAGE ((size_t)2 << 20)
#define LEAST_PAGES 32 /* so that what the last one wastes does not matter */

/* Zeroed memory, in large pages where it fills many and the system gives them: kernels walk through
 * activations in strides that each touch another small page. */
static float *take_memory(size_t floats, struct error *err)
{
    const size_t bytes = floats * sizeof(float);
    if (bytes < LEAST_PAGES * LARGE_PAGE)
        return mem_aligned(floats, sizeof(float), err);
    const size_t padded_bytes = (bytes + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    float *memory = aligned_alloc(LARGE_PAGE, padded_bytes);
    if (!memory) {
        char amount[32];
        text_bytes(amount, sizeof amount, (double)bytes);
        error_set(err, ERROR_RESOURCE, "not enough memory for a network of %s", amount);
        return NULL;
    }
    madvise(memory, padded_bytes, MADV_HUGEPAGE); /* advice: failure changes nothing */
    memset(memory, 0, padded_bytes);
    return memory;
}

struct network *net_create(const struct net_spec *spec, struct net_options options,
                           struct error *err)
{
    struct network *net = mem_zeroed(1, sizeof *net, err);
    if (!net)
        return NULL;
    if (describe(net, spec, options, err) != 0 || !(net->kernels = kernels_current(err)))
        goto failed;
    net->memory = take_memory((size_t)buffers_place(net, NULL), err);
    if (!net->memory)
        goto failed;
    buffers_place(net, net->memory);
    if (net_set_mask(net, NULL, err) == 0)
        return net;
failed:
    net_destroy(net);
    return NULL;
}

void net_destroy(struct network *net)
{
    if (!net)
        return;
    for (int32_t i = 0; i < net->layer_count; i++)
        survivors_destroy(net->layers[i].survivors);
    free(net->memory);
    free(net);
}

int net_initialize(struct network *net, struct init_spec init, struct rng_stream stream,
                   struct error *err)
{
    float *block = mem_aligned((size_t)net->block_size, sizeof *block, err);
    if (!block)
        return -1;
    net_spec_initialize(&net->spec, init, stream, block);
    net_write_weights(net, block);
    free(block);
    return 0;
}

const struct parameter_spec *net_parameters(const struct network *net, int *count)
{
    *count = net->parameter_count;
    return net->parameters;
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
