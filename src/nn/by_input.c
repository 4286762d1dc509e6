/* Laying a matrix of weights out by input, and back. */
#include "by_input.h"

#include <string.h>

int64_t by_input_outputs(const struct layer *layer)
{
    return layer->outputs / KERNEL_LANES * KERNEL_LANES;
}

int64_t by_input_width(const struct layer *layer, int64_t first)
{
    const int64_t left = by_input_outputs(layer) - first;
    return left < BY_INPUT_PANEL ? left : BY_INPUT_PANEL;
}

static size_t rest_size(const struct layer *layer)
{
    return (size_t)((layer->outputs - by_input_outputs(layer)) * layer->inputs);
}

void by_input_pack(const struct layer *layer, const struct kernels *kernels, const float *dense,
                   float *packed)
{
    const int64_t inputs = layer->inputs, end = by_input_outputs(layer);
    for (int64_t first = 0; first < end; first += BY_INPUT_PANEL) {
        const int64_t width = by_input_width(layer, first);
        kernels->transpose(dense + first * inputs, inputs, packed + first * inputs, width, width,
                           inputs);
    }
    memcpy(packed + end * inputs, dense + end * inputs, rest_size(layer) * sizeof *packed);
}

void by_input_unpack(const struct layer *layer, const struct kernels *kernels, const float *packed,
                     float *dense)
{
    const int64_t inputs = layer->inputs, end = by_input_outputs(layer);
    for (int64_t first = 0; first < end; first += BY_INPUT_PANEL) {
        const int64_t width = by_input_width(layer, first);
        kernels->transpose(packed + first * inputs, width, dense + first * inputs, inputs, inputs,
                           width);
    }
    memcpy(dense + end * inputs, packed + end * inputs, rest_size(layer) * sizeof *dense);
}

void by_input_pack_mask(const struct layer *layer, const uint8_t *dense, uint8_t *packed)
{
    const int64_t inputs = layer->inputs, end = by_input_outputs(layer);
    for (int64_t first = 0; first < end; first += BY_INPUT_PANEL) {
        const int64_t width = by_input_width(layer, first);
        for (int64_t i = 0; i < inputs; i++)
            for (int64_t o = 0; o < width; o++)
                packed[first * inputs + i * width + o] = dense[(first + o) * inputs + i];
    }
    memcpy(packed + end * inputs, dense + end * inputs, rest_size(layer));
}
