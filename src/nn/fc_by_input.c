/* Of a digit's pixels four in five are zero. The others are the entries of a sparse matrix, each of
 * which is multiplied with a row, long and contiguous, of a dense one:
 *
 *   forward    Y^T = X^T W^T + b   an example's sums, with the weights of an input;
 *   gradient   dW^T = X dY^T       an input's sums, with the gradients of an example.
 *
 * Sums have the order of dense products. With few zeros these are as fast, and are taken. */
#include "fc_by_input.h"

#include <string.h>

#include "batch_numbers.h"
#include "by_input.h"

enum { WEIGHT, BIAS };

/* One call of a pass. In the scratch stand, turned, y or dy [columns][stride]; the weights of
 * outputs that fill no lane, or their gradients [inputs][KERNEL_LANES]; and the batch's numbers. */
struct call {
    const struct layer *layer;
    const struct pass *pass;
    const float *x;
    struct batch_numbers numbers;
    int64_t stride;
    float *turned, *rest, *memory;
};

static int64_t turned_stride(const struct layer *layer)
{
    return odd_lanes(layer->outputs);
}

int64_t fc_by_input_scratch(const struct layer *layer, int64_t columns)
{
    return columns * turned_stride(layer) + layer->inputs * KERNEL_LANES +
           batch_numbers_floats(layer->inputs, columns);
}

static struct call call_for(const struct layer *layer, const struct pass *pass, const float *x)
{
    struct call call = {.layer = layer, .pass = pass, .x = x, .stride = turned_stride(layer)};
    call.turned = pass->scratch;
    call.rest = call.turned + pass->columns * call.stride;
    call.memory = call.rest + layer->inputs * KERNEL_LANES;
    return call;
}

/* Outputs whose weights, or their gradients, lie side by side. */
struct panel {
    int64_t first, outputs;
    int64_t width; /* outputs, in whole lanes */
    float *block;  /* [inputs][width] */
};

/* The one that begins with output `first`, in a block of the layer's; the rest is in the scratch.
 */
static struct panel panel_at(const struct call *call, int64_t first, float *block)
{
    const struct layer *layer = call->layer;
    const int64_t width = by_input_width(layer, first);
    if (width > 0)
        return (struct panel){first, width, width, block + first * layer->inputs};
    return (struct panel){first, layer->outputs - first, KERNEL_LANES, call->rest};
}

/* --- forward --- */

static void forward_of_nonzeros(const struct call *call, const struct panel *panel)
{
    call->pass->kernels->sparse_product(&(struct sparse_product){
        .pattern = &call->numbers.pattern,
        .values = call->numbers.values,
        .columns = panel->width,
        .x = panel->block,
        .x_stride = panel->width,
        .rectify = call->layer->rectify,
        .accumulate = true,
        .y = call->turned + panel->first,
        .y_stride = call->stride,
    });
}

static void forward_of_all(const struct call *call, const struct panel *panel, float *y)
{
    const int64_t columns = call->pass->columns;
    call->pass->kernels->product(&(struct product){
        .rows = panel->outputs,
        .columns = columns,
        .depth = call->layer->inputs,
        .a = panel->block,
        .a_row = 1,
        .a_depth = panel->width,
        .b = call->x,
        .b_stride = columns,
        .c = y + panel->first * columns,
        .c_stride = columns,
        .bias = call->layer->parameters[BIAS] + panel->first,
        .rectify = call->layer->rectify,
    });
}

/* Each example's sums begin with the biases. */
static void begin_sums(const struct call *call)
{
    for (int64_t c = 0; c < call->pass->columns; c++)
        memcpy(call->turned + c * call->stride, call->layer->parameters[BIAS],
               (size_t)call->layer->outputs * sizeof(float));
}

bool fc_by_input_forward(const struct layer *layer, const struct pass *pass, const float *x,
                         float *y)
{
    struct call call = call_for(layer, pass, x);
    const int64_t end = by_input_outputs(layer);
    const bool is_sparse = batch_numbers_by_example(pass->kernels, x, layer->inputs, pass->columns,
                                                    call.memory, &call.numbers);
    if (is_sparse)
        begin_sums(&call);
    pass->kernels->transpose(layer->parameters[WEIGHT] + end * layer->inputs, layer->inputs,
                             call.rest, KERNEL_LANES, layer->outputs - end, layer->inputs);
    struct panel panel;
    for (int64_t first = 0; first < layer->outputs; first += panel.outputs) {
        panel = panel_at(&call, first, layer->parameters[WEIGHT]);
        if (is_sparse)
            forward_of_nonzeros(&call, &panel);
        else
            forward_of_all(&call, &panel, y);
    }
    if (is_sparse)
        pass->kernels->transpose(call.turned, call.stride, y, pass->columns, pass->columns,
                                 layer->outputs);
    return is_sparse;
}

/* --- gradient --- */

static void gradient_of_nonzeros(const struct call *call, const struct panel *panel)
{
    call->pass->kernels->sparse_product(&(struct sparse_product){
        .pattern = &call->numbers.pattern,
        .values = call->numbers.values,
        .columns = panel->width,
        .x = call->turned + panel->first,
        .x_stride = call->stride,
        .y = panel->block,
        .y_stride = panel->width,
    });
}

static void gradient_of_all(const struct call *call, const struct panel *panel)
{
    call->pass->kernels->product(&(struct product){
        .rows = call->layer->inputs,
        .columns = panel->width,
        .depth = call->pass->examples,
        .a = call->x,
        .a_row = call->pass->columns,
        .a_depth = 1,
        .b = call->turned + panel->first,
        .b_stride = call->stride,
        .c = panel->block,
        .c_stride = panel->width,
    });
}

void fc_by_input_gradient(const struct layer *layer, const struct pass *pass, const float *x,
                          const float *dy, bool x_is_sparse)
{
    struct call call = call_for(layer, pass, x);
    const int64_t end = by_input_outputs(layer);
    if (x_is_sparse)
        batch_numbers_by_input(pass->kernels, x, layer->inputs, pass->columns, pass->examples,
                               call.memory, &call.numbers);
    pass->kernels->transpose(dy, pass->columns, call.turned, call.stride, layer->outputs,
                             pass->columns);
    struct panel panel;
    for (int64_t first = 0; first < layer->outputs; first += panel.outputs) {
        panel = panel_at(&call, first, layer->gradients[WEIGHT]);
        (x_is_sparse ? gradient_of_nonzeros : gradient_of_all)(&call, &panel);
    }
    pass->kernels->transpose(call.rest, KERNEL_LANES,
                             layer->gradients[WEIGHT] + end * layer->inputs, layer->inputs,
                             layer->inputs, layer->outputs - end);
}
