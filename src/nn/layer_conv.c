/* Convolution, 2-D cross-correlation as PyTorch's: y[o] = b[o] + sum over i of w[o][i] * x[i],
 * square kernels, zero padding. */
#include <inttypes.h>

#include "convolution.h"
#include "convolution_sparse.h"
#include "kernels/divided.h"
#include "survivors.h"

static int conv_output(const struct layer_spec *layer, struct shape input, struct shape *output,
                       struct error *err)
{
    if (layer->outputs < 1)
        return error_set(err, ERROR_USAGE, "%" PRId32 " channels; at least 1 is needed",
                         layer->outputs);
    if (layer->kernel < 1 || layer->stride < 1 || layer->padding < 0 ||
        layer->padding >= layer->kernel)
        return error_set(
            err, ERROR_USAGE,
            "kernel %" PRId32 ", stride %" PRId32 ", padding %" PRId32
            ": kernel and stride are at least 1, padding is from 0 to below the kernel",
            layer->kernel, layer->stride, layer->padding);
    return window_output(layer, layer->outputs, input, output, err);
}

static int conv_parameters(const struct layer_spec *layer, const struct trace *trace,
                           struct parameter_list *list, struct error *err)
{
    const char *prefix = trace->in_shortcut ? "shortcut" : "conv";
    const int64_t window = (int64_t)layer->kernel * layer->kernel;
    const struct parameter_spec weight = {
        .role = trace->in_shortcut ? PARAMETER_SHORTCUT : PARAMETER_CONV,
        .is_weight = true,
        .is_prunable = !trace->in_shortcut,
        .rank = 4,
        .dims = {layer->outputs, trace->input.channels, layer->kernel, layer->kernel},
        .fan_in = trace->input.channels * window,
        .fan_out = layer->outputs * window,
    };
    const struct parameter_spec bias = {.role = PARAMETER_BIAS,
                                        .rank = 1,
                                        .dims = {layer->outputs},
                                        .fan_in = weight.fan_in,
                                        .fan_out = weight.fan_out};
    if (parameter_list_add(list, &weight, prefix, trace->number, "weight", err) != 0)
        return -1;
    return layer->has_bias ? parameter_list_add(list, &bias, prefix, trace->number, "bias", err)
                           : 0;
}

static void conv_text(const struct layer_spec *layer, struct text *text)
{
    text_add(text, " %" PRId32 " %" PRId32 "x%" PRId32 " stride %" PRId32 " padding %" PRId32 "%s",
             layer->outputs, layer->kernel, layer->kernel, layer->stride, layer->padding,
             layer->has_bias ? " bias" : "");
}

static double conv_multiply_adds(const struct layer_spec *layer, const struct trace *trace)
{
    return (double)shape_features(trace->output) * trace->input.channels * layer->kernel *
           layer->kernel;
}

enum { WEIGHT, BIAS };

static struct conv_shape shape_of(const struct layer *layer)
{
    return (struct conv_shape){.inputs = layer->input_shape.channels,
                               .outputs = layer->output_shape.channels,
                               .height = layer->input_shape.height,
                               .width = layer->input_shape.width,
                               .kernel = layer->spec->kernel,
                               .stride = layer->spec->stride,
                               .padding = layer->spec->padding};
}

static int64_t conv_scratch_size(const struct layer *layer, int64_t columns)
{
    const struct conv_shape shape = shape_of(layer);
    const int64_t dense = convolution_scratch_floats(&shape, columns);
    const int64_t sparse = convolution_sparse_scratch_floats(&shape, columns);
    return divided_scratch_floats(dense > sparse ? dense : sparse);
}

static void conv_forward(const struct layer *layer, const struct pass *pass, const float *x,
                         float *y)
{
    const struct conv_shape shape = shape_of(layer);
    const float *bias = layer->spec->has_bias ? layer->parameters[BIAS] : NULL;
    convolution_forward(pass->kernels, &shape, pass->columns, x, layer->parameters[WEIGHT], bias,
                        layer->rectify, y, pass->scratch);
}

static void bias_gradient(const struct layer *layer, const struct pass *pass, const float *dy)
{
    const int64_t channels = layer->output_shape.channels;
    if (layer->spec->has_bias)
        pass->kernels->row_sums(dy, layer->gradients[BIAS], channels,
                                layer->outputs / channels * pass->columns);
}

static void conv_backward(const struct layer *layer, const struct pass *pass, const float *x,
                          const float *dy, float *dx)
{
    const struct conv_shape shape = shape_of(layer);
    bias_gradient(layer, pass, dy);
    convolution_backward_weights(pass->kernels, &shape, pass->columns, x, dy,
                                 layer->gradients[WEIGHT], pass->scratch);
    if (dx)
        convolution_backward_data(pass->kernels, &shape, pass->columns, dy,
                                  layer->parameters[WEIGHT], dx, pass->scratch);
}

/* On the surviving weights */

static void conv_sparse_form(const struct layer *layer, double density, struct sparse_form *form)
{
    const struct conv_shape shape = shape_of(layer);
    convolution_sparse_form(&shape, density, form);
}

static void conv_sparse_forward(const struct layer *layer, const struct pass *pass, const float *x,
                                float *y)
{
    const struct conv_shape shape = shape_of(layer);
    const struct sparse_weights weights = {&layer->survivors->pattern, layer->parameters[WEIGHT]};
    const float *bias = layer->spec->has_bias ? layer->parameters[BIAS] : NULL;
    convolution_sparse_forward(pass->kernels, &shape, pass->columns, &weights, x, bias,
                               layer->rectify, y, pass->scratch);
}

static void conv_sparse_backward(const struct layer *layer, const struct pass *pass, const float *x,
                                 const float *dy, float *dx)
{
    const struct conv_shape shape = shape_of(layer);
    const struct survivors *survivors = layer->survivors;
    bias_gradient(layer, pass, dy);
    convolution_sparse_backward_weights(pass->kernels, &shape, pass->columns, &survivors->pattern,
                                        x, dy, layer->gradients[WEIGHT], pass->scratch);
    if (!dx)
        return;
    const struct sparse_weights turned = {
        &survivors->turned, survivors_turn(survivors, pass->kernels, layer->parameters[WEIGHT])};
    convolution_sparse_backward_data(pass->kernels, &shape, pass->columns, &turned, dy, dx,
                                     pass->scratch);
}

const struct operation operation_conv = {
    .name = "conv",
    .output = conv_output,
    .parameters = conv_parameters,
    .text = conv_text,
    .multiply_adds = conv_multiply_adds,
    .absorbs_relu = true,
    .scratch_size = conv_scratch_size,
    .forward = conv_forward,
    .backward = conv_backward,
    .sparse_form = conv_sparse_form,
    .sparse_forward = conv_sparse_forward,
    .sparse_backward = conv_sparse_backward,
};
