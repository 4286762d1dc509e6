/* Convolution of activations for small images and many channels, forward and backward: where most
 * pixels lie at an edge, Winograd's patches would be mostly padding.
 *
 * Every pixel of the result is the sum, over the pixels of the argument that it meets, of a product
 * of one tap's filters with that pixel of all channels; padding is never multiplied. BLOCK_COLUMNS
 * columns of the argument are copied to [pixel][from][column]; then RESULT_PANEL channels of the
 * result at a time are summed in [pixel][RESULT_PANEL][column], ARGUMENT_SLICE channels of the
 * argument after the other, so that a slice's weights are read and turned round once for all pixels
 * and are used up while they are in the cache. */
#include "filters.h"
#include "small.h"

struct small_pass {
    const struct conv_data *call;
    struct small_data_layout layout;
    float *x, *y, *taps;
    int64_t column, columns; /* of the batch */
};

static void copy_argument(const struct small_pass *pass)
{
    const struct small_data_layout *l = &pass->layout;
    const int64_t columns = pass->call->columns;
    for (int64_t c = 0; c < l->from; c++)
        for (int64_t p = 0; p < l->pixels; p++)
            memcpy(pass->x + (p * l->from + c) * BLOCK_COLUMNS,
                   pass->call->x + (c * l->pixels + p) * columns + pass->column,
                   (size_t)pass->columns * sizeof *pass->x);
}

/* Adds a slice's products for the pixel `pixel` of the result. */
static void add_pixel(const struct small_pass *pass, const struct filter_block *b, int64_t pixel)
{
    const struct conv_shape *shape = &pass->call->shape;
    const int64_t row = pixel / shape->width, column = pixel % shape->width;
    bool accumulate = b->from > 0;
    for (int64_t tap = 0; tap < FILTER_TAPS; tap++) {
        const int64_t i = row + tap / FILTER_WIDTH - 1, j = column + tap % FILTER_WIDTH - 1;
        if (i < 0 || i >= shape->height || j < 0 || j >= shape->width)
            continue;
        const struct product product = {
            .rows = b->to_count,
            .columns = pass->columns,
            .depth = b->from_count,
            .a = pass->taps + tap * RESULT_PANEL,
            .a_row = 1,
            .a_depth = FILTER_TAPS * RESULT_PANEL,
            .b = pass->x + ((i * shape->width + j) * pass->layout.from + b->from) * BLOCK_COLUMNS,
            .b_stride = BLOCK_COLUMNS,
            .c = pass->y + pixel * RESULT_PANEL * BLOCK_COLUMNS,
            .c_stride = BLOCK_COLUMNS,
            .accumulate = accumulate,
        };
        KERNEL(product)(&product);
        accumulate = true;
    }
}

static void store_panel(const struct small_pass *pass, const struct filter_block *b)
{
    const struct conv_data *call = pass->call;
    const int64_t pixels = pass->layout.pixels;
    for (int64_t c = 0; c < b->to_count; c++) {
        const vfloat bias = vset(call->bias ? call->bias[b->to + c] : 0);
        for (int64_t p = 0; p < pixels; p++) {
            const float *from = pass->y + (p * RESULT_PANEL + c) * BLOCK_COLUMNS;
            float *to = call->y + ((b->to + c) * pixels + p) * call->columns + pass->column;
            for (int64_t lane = 0; lane < pass->columns; lane += VECTOR) {
                const vfloat sum = vload(from + lane) + bias;
                vstore(to + lane, call->rectify ? vselect(sum <= 0, vset(0), sum) : sum);
            }
        }
    }
}

static void compute_panel(const struct small_pass *pass, int64_t to)
{
    const struct small_data_layout *l = &pass->layout;
    struct filter_block b = {.to = to, .to_count = least(RESULT_PANEL, l->to - to)};
    for (b.from = 0; b.from < l->from; b.from += ARGUMENT_SLICE) {
        b.from_count = least(ARGUMENT_SLICE, l->from - b.from);
        KERNEL(gather_filters)(pass->call, &b, pass->taps);
        for (int64_t pixel = 0; pixel < l->pixels; pixel++)
            add_pixel(pass, &b, pixel);
    }
    store_panel(pass, &b);
}

void KERNEL(small_data)(const struct conv_data *call)
{
    struct small_pass pass = {.call = call,
                              .layout = small_data_layout(&call->shape, call->backward)};
    pass.x = call->scratch + pass.layout.x;
    pass.y = call->scratch + pass.layout.y;
    pass.taps = call->scratch + pass.layout.taps;
    const struct piece channels = share_piece(call->share, pass.layout.to, RESULT_PANEL);
    for (; pass.column < call->columns; pass.column += BLOCK_COLUMNS) {
        pass.columns = least(BLOCK_COLUMNS, call->columns - pass.column);
        copy_argument(&pass);
        for (int64_t to = channels.begin; to < channels.end; to += RESULT_PANEL)
            compute_panel(&pass, to);
    }
}
