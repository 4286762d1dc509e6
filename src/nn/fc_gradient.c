/* dW = dY X^T sums over the batch, which is innermost in both. So one of them is transposed first:
 * then it is a product whose right operand has contiguous rows.
 *
 * Of a layer that skips zeros, inputs are taken a block at a time. Where many of their numbers are
 * zeros (a digit's pixels are four in five), the others are a sparse matrix X, and X dY^T is
 * computed and transposed: a multiply-add for each number that is not zero, in the same order of
 * examples. */
#include "fc_gradient.h"

#define BLOCK 64        /* inputs; their gradients fit a second-level cache */
#define MOST_PERCENT 70 /* of a block's numbers; with more the dense product is as fast */

static int64_t round_up(int64_t count)
{
    return (count + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

/* --- dense --- */

/* The gradients of `inputs` inputs from `first` on; `turned` has room for their x, transposed. */
static void gradient_of_all(const struct layer *layer, const struct pass *pass, int64_t first,
                            int64_t inputs, const float *x, const float *dy, float *turned,
                            float *dw)
{
    const int64_t stride = round_up(inputs);
    pass->kernels->transpose(x + first * pass->columns, pass->columns, turned, stride, inputs,
                             pass->examples);
    pass->kernels->product(&(struct product){
        .rows = layer->outputs,
        .columns = inputs,
        .depth = pass->examples,
        .a = dy,
        .a_row = pass->columns,
        .a_depth = 1,
        .b = turned,
        .b_stride = stride,
        .c = dw + first,
        .c_stride = layer->inputs,
    });
}

/* --- of the numbers that are not zero --- */

/* Where the parts of the scratch begin. Rows of transposed gradients have a lane more than they
 * need: with a power of two between them they would meet in a few sets of a cache. */
struct workspace {
    int64_t stride;
    int64_t dy;             /* [columns][stride], transposed */
    int64_t dw;             /* [BLOCK][stride], transposed */
    int64_t begin;          /* [BLOCK + 1] */
    int64_t column, values; /* [BLOCK * columns]: of the block's numbers */
    int64_t total;
};

static struct workspace workspace_for(const struct layer *layer, int64_t columns)
{
    struct workspace w = {.stride = round_up(layer->outputs) + KERNEL_LANES};
    w.dw = w.dy + columns * w.stride;
    w.begin = w.dw + BLOCK * w.stride;
    w.column = w.begin + round_up(BLOCK + 1);
    w.values = w.column + BLOCK * columns;
    w.total = w.values + BLOCK * columns;
    return w;
}

/* Sets dw [inputs][stride] to the product of those numbers and dy [columns][stride]. */
static void multiply_nonzeros(const struct kernels *kernels, const struct nonzeros *numbers,
                              int64_t count, const float *dy, int64_t stride, float *dw)
{
    const struct sparse_pattern pattern = {.rows = numbers->rows,
                                           .columns = numbers->columns,
                                           .band = numbers->columns,
                                           .bands = 1,
                                           .entries = count,
                                           .begin = numbers->begin,
                                           .column = numbers->column};
    kernels->sparse_product(&(struct sparse_product){
        .pattern = &pattern,
        .values = numbers->values,
        .columns = stride - KERNEL_LANES,
        .x = dy,
        .x_stride = stride,
        .y = dw,
        .y_stride = stride,
    });
}

/* As gradient_of_all, if the block has few numbers other than zero; else returns false. */
static bool gradient_of_nonzeros(const struct layer *layer, const struct pass *pass, int64_t first,
                                 int64_t inputs, const float *x, const struct workspace *w,
                                 float *dw)
{
    float *scratch = pass->scratch;
    const struct nonzeros numbers = {
        .rows = inputs,
        .columns = pass->examples,
        .x = x + first * pass->columns,
        .stride = pass->columns,
        .most = inputs * pass->examples * MOST_PERCENT / 100,
        .begin = (int32_t *)(scratch + w->begin),
        .column = (int32_t *)(scratch + w->column),
        .values = scratch + w->values,
    };
    const int64_t count = pass->kernels->nonzero_entries(&numbers);
    if (count > numbers.most)
        return false;
    multiply_nonzeros(pass->kernels, &numbers, count, scratch + w->dy, w->stride, scratch + w->dw);
    pass->kernels->transpose(scratch + w->dw, w->stride, dw + first, layer->inputs, inputs,
                             layer->outputs);
    return true;
}

static void gradient_by_blocks(const struct layer *layer, const struct pass *pass, const float *x,
                               const float *dy, float *dw)
{
    const struct workspace w = workspace_for(layer, pass->columns);
    pass->kernels->transpose(dy, pass->columns, pass->scratch + w.dy, w.stride, layer->outputs,
                             pass->columns);
    for (int64_t first = 0; first < layer->inputs; first += BLOCK) {
        const int64_t inputs = layer->inputs - first < BLOCK ? layer->inputs - first : BLOCK;
        if (!gradient_of_nonzeros(layer, pass, first, inputs, x, &w, dw))
            gradient_of_all(layer, pass, first, inputs, x, dy, pass->scratch + w.values, dw);
    }
}

int64_t fc_gradient_scratch(const struct layer *layer, int64_t columns)
{
    return layer->skips_zeros ? workspace_for(layer, columns).total
                              : round_up(layer->inputs) * columns;
}

void fc_gradient(const struct layer *layer, const struct pass *pass, const float *x,
                 const float *dy, float *dw)
{
    if (layer->skips_zeros)
        gradient_by_blocks(layer, pass, x, dy, dw);
    else
        gradient_of_all(layer, pass, 0, layer->inputs, x, dy, pass->scratch, dw);
}
