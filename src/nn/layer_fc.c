/* Fully connected: Y = W X + b on [feature][batch], W [outputs][inputs]. Backward: dX = W^T dY, and
 * dW = dY X^T. A first layer passes over zeros of X: on its surviving weights, over inputs that are
 * zero in all examples of the batch; with all weights, see fc_by_input.h. */
#include <inttypes.h>

#include "by_input.h"
#include "fc_by_input.h"
#include "paths.h"
#include "survivors.h"

static int fc_output(const struct layer_spec *layer, struct shape input, struct shape *output,
                     struct error *err)
{
    (void)input;
    if (layer->outputs < 1)
        return error_set(err, ERROR_USAGE, "%" PRId32 " units; at least 1 is needed",
                         layer->outputs);
    *output = (struct shape){layer->outputs, 1, 1};
    return 0;
}

static int fc_parameters(const struct layer_spec *layer, const struct trace *trace,
                         struct parameter_list *list, struct error *err)
{
    const char *prefix = trace->in_shortcut ? "shortcut_fc" : "fc";
    const struct parameter_spec weight = {
        .role = layer->is_output ? PARAMETER_OUTPUT : PARAMETER_FC,
        .is_weight = true,
        .is_prunable = true,
        .rank = 2,
        .dims = {layer->outputs, shape_features(trace->input)},
        .fan_in = shape_features(trace->input),
        .fan_out = layer->outputs,
    };
    const struct parameter_spec bias = {.role = PARAMETER_BIAS,
                                        .rank = 1,
                                        .dims = {layer->outputs},
                                        .fan_in = weight.fan_in,
                                        .fan_out = weight.fan_out};
    if (parameter_list_add(list, &weight, prefix, trace->number, "weight", err) != 0)
        return -1;
    return parameter_list_add(list, &bias, prefix, trace->number, "bias", err);
}

static void fc_text(const struct layer_spec *layer, struct text *text)
{
    text_add(text, " %" PRId32, layer->outputs);
}

static double fc_multiply_adds(const struct layer_spec *layer, const struct trace *trace)
{
    return (double)shape_features(trace->input) * layer->outputs;
}

enum { WEIGHT, BIAS };

/* What the forward pass of a layer that skips zeros found: how many inputs the batch has, and
 * which; or only whether the batch is sparse. */
static int64_t fc_state_size(const struct layer *layer, int64_t columns)
{
    (void)columns;
    return layer->skips_zeros ? 1 + layer->inputs : 0;
}

/* For the inputs of a batch, transposed, unless weights lie by input. */
static int64_t fc_scratch_size(const struct layer *layer, int64_t columns)
{
    return layer->skips_zeros ? fc_by_input_scratch(layer, columns)
                              : whole_lanes(layer->inputs) * columns;
}

static void fc_forward(const struct layer *layer, const struct pass *pass, const float *x, float *y)
{
    int32_t *found = (int32_t *)layer->state;
    if (lies_by_input(layer)) {
        found[0] = fc_by_input_forward(layer, pass, x, y);
        return;
    }
    pass->kernels->product(&(struct product){
        .rows = layer->outputs,
        .columns = pass->columns,
        .depth = layer->inputs,
        .a = layer->parameters[WEIGHT],
        .a_row = layer->inputs,
        .a_depth = 1,
        .b = x,
        .b_stride = pass->columns,
        .c = y,
        .c_stride = pass->columns,
        .bias = layer->parameters[BIAS],
        .rectify = layer->rectify,
    });
}

/* Sums over the batch, which is innermost in both factors. So one of them is transposed first: then
 * it is a product whose right operand has contiguous rows. */
static void weight_gradient(const struct layer *layer, const struct pass *pass, const float *x,
                            const float *dy)
{
    const int64_t stride = whole_lanes(layer->inputs);
    pass->kernels->transpose(x, pass->columns, pass->scratch, stride, layer->inputs,
                             pass->examples);
    pass->kernels->product(&(struct product){
        .rows = layer->outputs,
        .columns = layer->inputs,
        .depth = pass->examples,
        .a = dy,
        .a_row = pass->columns,
        .a_depth = 1,
        .b = pass->scratch,
        .b_stride = stride,
        .c = layer->gradients[WEIGHT],
        .c_stride = layer->inputs,
    });
}

static void input_gradient(const struct layer *layer, const struct pass *pass, const float *dy,
                           float *dx)
{
    pass->kernels->product(&(struct product){
        .rows = layer->inputs,
        .columns = pass->columns,
        .depth = layer->outputs,
        .a = layer->parameters[WEIGHT],
        .a_row = 1,
        .a_depth = layer->inputs,
        .b = dy,
        .b_stride = pass->columns,
        .c = dx,
        .c_stride = pass->columns,
    });
}

static void fc_backward(const struct layer *layer, const struct pass *pass, const float *x,
                        const float *dy, float *dx)
{
    pass->kernels->row_sums(dy, layer->gradients[BIAS], layer->outputs, pass->columns);
    if (lies_by_input(layer))
        fc_by_input_gradient(layer, pass, x, dy, *(const int32_t *)layer->state);
    else
        weight_gradient(layer, pass, x, dy);
    if (dx)
        input_gradient(layer, pass, dy, dx);
}

/* On the surviving weights */

static void fc_sparse_form(const struct layer *layer, double density, struct sparse_form *form)
{
    const bool selected = path_selects(kernels_isa(), layer, density);
    *form = (struct sparse_form){
        .rows = layer->outputs,
        .columns = layer->inputs,
        .taps = 1,
        .band = (selected ? sparse_selected_band : sparse_product_band)(layer->inputs, density),
        .turned_band = sparse_product_band(layer->outputs, density)};
}

/* Whether it looks for the inputs that count. */
static bool selects(const struct survivors *survivors)
{
    return survivors->selection.blocks != NULL;
}

#define MOST_PERCENT 85 /* of all inputs; passing over fewer does not pay */

/* Whether the batch has so few inputs, `count` being how many. */
static bool has_few(const struct layer *layer, int64_t count)
{
    return count < layer->inputs * MOST_PERCENT / 100 - KERNEL_LANES;
}

/* The weights a batch needs. */
static struct sparse_weights select_weights(const struct layer *layer, const struct pass *pass,
                                            const float *x)
{
    struct survivors *survivors = layer->survivors;
    const struct sparse_weights all = {&survivors->pattern, layer->parameters[WEIGHT]};
    int32_t *found = (int32_t *)layer->state;
    if (!selects(survivors))
        return all;
    const int64_t count = pass->kernels->nonzero_rows(x, layer->inputs, pass->columns, found + 1);
    found[0] = (int32_t)count;
    if (!has_few(layer, count))
        return all;
    pass->kernels->sparse_select(&all, found + 1, count, &survivors->selection);
    return (struct sparse_weights){&survivors->selection.pattern, survivors->selection.values};
}

static void fc_sparse_forward(const struct layer *layer, const struct pass *pass, const float *x,
                              float *y)
{
    const struct sparse_weights weights = select_weights(layer, pass, x);
    pass->kernels->sparse_product(&(struct sparse_product){
        .pattern = weights.pattern,
        .values = weights.values,
        .columns = pass->columns,
        .x = x,
        .x_stride = pass->columns,
        .bias = layer->parameters[BIAS],
        .rectify = layer->rectify,
        .y = y,
        .y_stride = pass->columns,
    });
}

static void sparse_weight_gradient(const struct layer *layer, const struct pass *pass,
                                   const float *x, const float *dy)
{
    const struct survivors *survivors = layer->survivors;
    const bool selected = selects(survivors) && has_few(layer, *(const int32_t *)layer->state);
    pass->kernels->sparse_gradient(&(struct sparse_gradient){
        .pattern = selected ? &survivors->selection.pattern : &survivors->pattern,
        .columns = pass->columns,
        .x = x,
        .x_stride = pass->columns,
        .dy = dy,
        .dy_stride = pass->columns,
        .gradient = selected ? survivors->selection.gradient : layer->gradients[WEIGHT],
    });
    if (selected)
        pass->kernels->sparse_spread(&survivors->selection, &survivors->pattern,
                                     layer->gradients[WEIGHT]);
}

static void fc_sparse_backward(const struct layer *layer, const struct pass *pass, const float *x,
                               const float *dy, float *dx)
{
    const struct survivors *survivors = layer->survivors;
    pass->kernels->row_sums(dy, layer->gradients[BIAS], layer->outputs, pass->columns);
    sparse_weight_gradient(layer, pass, x, dy);
    if (dx)
        pass->kernels->sparse_product(&(struct sparse_product){
            .pattern = &survivors->turned,
            .values = survivors_turn(survivors, pass->kernels, layer->parameters[WEIGHT]),
            .columns = pass->columns,
            .x = dy,
            .x_stride = pass->columns,
            .y = dx,
            .y_stride = pass->columns,
        });
}

const struct operation operation_fc = {
    .name = "fc",
    .output = fc_output,
    .parameters = fc_parameters,
    .text = fc_text,
    .multiply_adds = fc_multiply_adds,
    .can_skip_zeros = true,
    .absorbs_relu = true,
    .state_size = fc_state_size,
    .scratch_size = fc_scratch_size,
    .forward = fc_forward,
    .backward = fc_backward,
    .sparse_form = fc_sparse_form,
    .sparse_forward = fc_sparse_forward,
    .sparse_backward = fc_sparse_backward,
};
