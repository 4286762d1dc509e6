/* The mask of a network: which layers compute with their surviving weights alone, what is packed
 * how, and dense blocks in and out. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "by_input.h"
#include "paths.h"
#include "state.h"
#include "survivors.h"

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

/* Where a layer's weights begin in a block. */
static int64_t weights_offset(const struct network *net, const struct layer *layer)
{
    return layer->parameters[0] - net->weights;
}

static int64_t weights_count(const struct layer *layer)
{
    struct sparse_form form;
    layer->operation->sparse_form(layer, 1, &form);
    return form.rows * form.columns;
}

/* --- dense blocks in and out --- */

/* Whether its weights lie otherwise than in a dense block. */
static bool is_packed(const struct layer *layer)
{
    return layer->survivors || lies_by_input(layer);
}

void network_read(const struct network *net, const float *from, float *block)
{
    memcpy(block, from, (size_t)net->block_size * sizeof *block);
    for (int32_t i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        if (!is_packed(layer))
            continue;
        const int64_t offset = weights_offset(net, layer);
        if (layer->survivors)
            survivors_unpack(layer->survivors, from + offset, block + offset);
        else
            by_input_unpack(layer, net->kernels, from + offset, block + offset);
    }
}

void network_write(struct network *net, float *to, const float *block)
{
    memcpy(to, block, (size_t)net->block_size * sizeof *block);
    for (int32_t i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        if (!is_packed(layer))
            continue;
        const int64_t offset = weights_offset(net, layer);
        if (layer->survivors)
            survivors_pack(layer->survivors, block + offset, to + offset);
        else
            by_input_pack(layer, net->kernels, block + offset, to + offset);
    }
    for (int i = 0; i < net->range_count; i++) {
        const struct range *range = &net->ranges[i];
        if (range->mask)
            net->kernels->clear_masked(to + range->begin, range->mask, range->count);
    }
}

void net_read_weights(const struct network *net, float *block)
{
    network_read(net, net->weights, block);
}

void net_write_weights(struct network *net, const float *block)
{
    network_write(net, net->weights, block);
}

void net_read_gradients(const struct network *net, float *block)
{
    network_read(net, net->gradients, block);
}

/* --- paths --- */

static int choose_path(struct network *net, struct layer *layer, struct error *err)
{
    const double threshold = path_threshold(net->kernels_mode, net->kernels->isa, layer);
    if (threshold == 0)
        return 0;
    const uint8_t *mask = net->mask + weights_offset(net, layer);
    const int64_t count = weights_count(layer);
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++)
        kept += mask[i];
    const double density = (double)kept / (double)count;
    if (density > threshold)
        return 0;
    layer->survivors = survivors_create(layer, net->kernels->isa, mask, density, err);
    return layer->survivors ? 0 : -1;
}

static void add_range(struct network *net, int64_t begin, int64_t end, const uint8_t *mask)
{
    if (begin == end)
        return;
    const bool masked = mask && memchr(mask, 0, (size_t)(end - begin));
    net->ranges[net->range_count++] =
        (struct range){.begin = begin, .count = end - begin, .mask = masked ? mask : NULL};
}

static void list_ranges(struct network *net)
{
    int64_t end = 0; /* of the range before */
    net->range_count = 0;
    for (int32_t i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        if (!layer->survivors)
            continue;
        const int64_t begin = weights_offset(net, layer);
        add_range(net, end, begin, net->mask + end);
        add_range(net, begin, begin + whole_lanes(layer->survivors->pattern.entries), NULL);
        end = begin + whole_lanes(weights_count(layer));
    }
    add_range(net, end, net->trained_size, net->mask + end);
}

/* All numbers at their dense places, all layers on the dense path. */
static void unpack_all(struct network *net, float *const *blocks, int count, float *spare)
{
    const size_t bytes = (size_t)net->block_size * sizeof *spare;
    for (int i = 0; i < count; i++) {
        network_read(net, blocks[i], spare);
        memcpy(blocks[i], spare, bytes);
    }
    for (int32_t i = 0; i < net->layer_count; i++) {
        survivors_destroy(net->layers[i].survivors);
        net->layers[i].survivors = NULL;
    }
}

/* From now on the mask lies as the weights do. */
static void pack_mask(struct network *net, uint8_t *spare)
{
    for (int32_t i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        if (!lies_by_input(layer))
            continue;
        const size_t count = (size_t)weights_count(layer);
        uint8_t *mask = net->mask + weights_offset(net, layer);
        memcpy(spare, mask, count);
        by_input_pack_mask(layer, spare, mask);
    }
}

static int repack(struct network *net, float *spare, struct error *err)
{
    float *const blocks[] = {net->weights, net->gradients, net->moments[0], net->moments[1]};
    const int count = sizeof blocks / sizeof *blocks;
    int status = 0;
    unpack_all(net, blocks, count, spare);
    for (int32_t i = 0; i < net->layer_count && status == 0; i++)
        status = choose_path(net, &net->layers[i], err);
    pack_mask(net, (uint8_t *)spare);
    list_ranges(net);
    for (int i = 0; i < count; i++) {
        memcpy(spare, blocks[i], (size_t)net->block_size * sizeof *spare);
        network_write(net, blocks[i], spare);
    }
    return status;
}

int net_set_mask(struct network *net, const uint8_t *mask, struct error *err)
{
    if (mask && check_mask(net, mask, err) != 0)
        return -1;
    float *spare = mem_aligned((size_t)net->block_size, sizeof *spare, err);
    if (!spare)
        return -1;
    if (mask)
        memcpy(net->mask, mask, (size_t)net->block_size);
    else
        memset(net->mask, 1, (size_t)net->block_size);
    const int status = repack(net, spare, err);
    free(spare);
    return status;
}

int64_t net_sparse_layers(const struct network *net)
{
    int64_t layers = 0;
    int number = 0; /* of the layer among those with weights */
    for (int32_t i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        if (layer->survivors && number < 63)
            layers |= INT64_C(1) << number;
        number += layer->operation->sparse_form != NULL;
    }
    return layers;
}
