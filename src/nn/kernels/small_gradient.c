/* Gradient of weights for small images and many channels.
 *
 * A tap's gradient is the sum, over the pairs of pixels of x and dy that meet in it, of a product
 * over the examples. dy is transposed to [pixel][example][OUTPUT_PANEL], a panel of outputs at a
 * time; x is read where it lies; the sums [input][9][OUTPUT_PANEL] of INPUT_PANEL inputs stay in
 * the cache until they are complete. */
#include "filters.h"
#include "small.h"

struct small_pass {
    const struct conv_gradient *call;
    struct small_gradient_layout layout;
    float *dy, *taps;
};

static void transpose_outputs(const struct small_pass *pass, int64_t output, int64_t outputs)
{
    const struct conv_gradient *call = pass->call;
    const int64_t plane = pass->layout.pixels * call->columns;
    for (int64_t p = 0; p < pass->layout.pixels; p++)
        KERNEL(transpose)
    (call->dy + output * plane + p * call->columns, plane,
     pass->dy + p * call->columns * OUTPUT_PANEL, OUTPUT_PANEL, outputs, call->columns);
}

/* Adds the products of all pairs of pixels that meet in tap (i, j). */
static void add_tap(const struct small_pass *pass, const struct gradient_block *b, int64_t i,
                    int64_t j)
{
    const struct conv_gradient *call = pass->call;
    const int64_t height = call->shape.height, width = call->shape.width;
    bool accumulate = false;
    for (int64_t pixel = 0; pixel < pass->layout.pixels; pixel++) {
        const int64_t row = pixel / width + i - 1, column = pixel % width + j - 1;
        if (row < 0 || row >= height || column < 0 || column >= width)
            continue;
        const struct product product = {
            .rows = b->inputs,
            .columns = b->outputs,
            .depth = call->columns,
            .a = call->x + (b->input * pass->layout.pixels + row * width + column) * call->columns,
            .a_row = pass->layout.pixels * call->columns,
            .a_depth = 1,
            .b = pass->dy + pixel * call->columns * OUTPUT_PANEL,
            .b_stride = OUTPUT_PANEL,
            .c = pass->taps + (i * FILTER_WIDTH + j) * OUTPUT_PANEL,
            .c_stride = FILTER_TAPS * OUTPUT_PANEL,
            .accumulate = accumulate,
        };
        KERNEL(product)(&product);
        accumulate = true;
    }
}

static void compute_pair(const struct small_pass *pass, const struct gradient_block *b)
{
    /* Not every tap meets a pixel. */
    memset(pass->taps, 0, (size_t)pass->layout.taps_floats * sizeof *pass->taps);
    for (int64_t i = 0; i < FILTER_WIDTH; i++)
        for (int64_t j = 0; j < FILTER_WIDTH; j++)
            add_tap(pass, b, i, j);
    KERNEL(scatter_filters)(pass->taps, b, pass->call);
}

void KERNEL(small_gradient)(const struct conv_gradient *call)
{
    struct small_pass pass = {.call = call,
                              .layout = small_gradient_layout(&call->shape, call->columns)};
    pass.dy = call->scratch + pass.layout.dy;
    pass.taps = call->scratch + pass.layout.taps;
    const struct piece outputs = share_piece(call->share, call->shape.outputs, OUTPUT_PANEL);
    struct gradient_block b;
    for (b.output = outputs.begin; b.output < outputs.end; b.output += OUTPUT_PANEL) {
        b.outputs = least(OUTPUT_PANEL, outputs.end - b.output);
        transpose_outputs(&pass, b.output, b.outputs);
        for (b.input = 0; b.input < call->shape.inputs; b.input += INPUT_PANEL) {
            b.inputs = least(INPUT_PANEL, call->shape.inputs - b.input);
            compute_pair(&pass, &b);
        }
    }
}
