/* Winograd convolution of activations, forward and backward: backward is the same convolution with
 * the filters turned by 180 degrees and their channels exchanged.
 *
 * The work is cut into blocks of BLOCK_UNITS units. A block's argument becomes points
 * [36][from][BLOCK_COLUMNS]; then the channels of the result are taken RESULT_PANEL at a time: at
 * each point a product of the panel's filters [from][RESULT_PANEL] with the argument's points,
 * whose sums [36][RESULT_PANEL][BLOCK_COLUMNS] become pixels at once. Products run over at most
 * ARGUMENT_SLICE channels of the argument, so that the filters and points of one product stay in
 * the first-level cache and what a panel needs in the second; every sum is still over the channels
 * in ascending order.
 *
 * The filters' points are made while the first block needs them, and kept for the others; with one
 * block alone each slice is used up while it is in the cache, and the whole, four times as large as
 * the weights, never exists. */
#include "winograd_data.h"
#include "filters.h"
#include "winograd_transform.h"

struct data_pass {
    const struct conv_data *call;
    struct winograd_data_layout layout;
    float *x, *y, *filters, *taps;
    struct piece blocks, panels; /* that this call computes */
    int64_t first_unit, units;   /* of the block */
};

static void transform_argument(const struct data_pass *pass)
{
    const struct winograd_data_layout *l = &pass->layout;
    const struct winograd_patches patches = {
        .tiling = &l->tiling,
        .first_unit = pass->first_unit,
        .units = pass->units,
        .x = pass->call->x,
        .channels = l->from,
        .to = pass->x,
        .row = BLOCK_COLUMNS,
        .point_stride = l->x_stride,
    };
    KERNEL(winograd_transform_patches)(&patches);
}

/* The filters */

INLINE void transform_filter(const float *from, float *to, int64_t point_stride)
{
    vfloat lines[6][3];
    UNROLL
    for (int j = 0; j < 3; j++) {
        vfloat g[3], t[6];
        UNROLL
        for (int i = 0; i < 3; i++)
            g[i] = vload(from + (i * 3 + j) * RESULT_PANEL);
        transform_filter_line(g, t);
        UNROLL
        for (int i = 0; i < 6; i++)
            lines[i][j] = t[i];
    }
    UNROLL
    for (int i = 0; i < 6; i++) {
        vfloat t[6];
        transform_filter_line(lines[i], t);
        UNROLL
        for (int j = 0; j < 6; j++)
            vstore(to + (i * 6 + j) * point_stride, t[j]);
    }
}

/* Points [36][ARGUMENT_SLICE][RESULT_PANEL] of the block's filters. */
static void transform_filters(struct data_pass *pass, const struct filter_block *b, float *to)
{
    KERNEL(gather_filters)(pass->call, b, pass->taps);
    for (int64_t k = 0; k < b->from_count; k++)
        for (int64_t lane = 0; lane < RESULT_PANEL; lane += VECTOR)
            transform_filter(pass->taps + k * FILTER_TAPS * RESULT_PANEL + lane,
                             to + k * RESULT_PANEL + lane, ARGUMENT_SLICE * RESULT_PANEL);
}

/* The products */

static void multiply_points(const struct data_pass *pass, const struct filter_block *b,
                            const float *filters)
{
    const struct winograd_data_layout *l = &pass->layout;
    for (int p = 0; p < WINOGRAD_POINTS; p++) {
        const struct product product = {
            .rows = b->to_count,
            .columns = pass->units * KERNEL_LANES,
            .depth = b->from_count,
            .a = filters + p * ARGUMENT_SLICE * RESULT_PANEL,
            .a_row = 1,
            .a_depth = RESULT_PANEL,
            .b = pass->x + p * l->x_stride + b->from * BLOCK_COLUMNS,
            .b_stride = BLOCK_COLUMNS,
            .c = pass->y + p * l->y_stride,
            .c_stride = BLOCK_COLUMNS,
            .accumulate = b->from > 0,
        };
        KERNEL(product)(&product);
    }
}

/* The result */

/* Stores to `to`, and has the cache fetch the same pixels `next` floats further on. */
INLINE void transform_result(const struct winograd_square *s, const float *from,
                             int64_t point_stride, float bias, bool rectify, float *to,
                             int64_t next)
{
    vfloat lines[4][6];
    UNROLL
    for (int j = 0; j < 6; j++) {
        vfloat m[6], y[4];
        UNROLL
        for (int i = 0; i < 6; i++)
            m[i] = vload(from + (i * 6 + j) * point_stride);
        transform_result_line(m, y);
        UNROLL
        for (int i = 0; i < 4; i++)
            lines[i][j] = y[i];
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        vfloat y[4];
        transform_result_line(lines[i], y);
        UNROLL
        for (int j = 0; j < 4; j++) {
            const vfloat sum = y[j] + vset(bias);
            if (i >= s->bottom || j >= s->right)
                continue;
            float *pixel = to + i * s->row + j * s->column;
            __builtin_prefetch(pixel + next, 1);
            vstore(pixel, rectify ? vselect(sum <= 0, vset(0), sum) : sum);
        }
    }
}

static void transform_panel(const struct data_pass *pass, const struct filter_block *b)
{
    const struct winograd_data_layout *l = &pass->layout;
    const struct conv_data *call = pass->call;
    const int64_t plane = l->tiling.height * l->tiling.width * l->tiling.columns;
    struct winograd_square squares[BLOCK_UNITS];
    for (int u = 0; u < pass->units; u++)
        squares[u] = winograd_square(&l->tiling, pass->first_unit + u, WINOGRAD_TILE, 0);
    for (int64_t c = 0; c < b->to_count; c++) {
        const float bias = call->bias ? call->bias[b->to + c] : 0;
        const int64_t next = c + 1 < b->to_count ? plane : 0;
        for (int u = 0; u < pass->units; u++)
            for (int lane = 0; lane < KERNEL_LANES; lane += VECTOR)
                transform_result(&squares[u], pass->y + c * BLOCK_COLUMNS + u * KERNEL_LANES + lane,
                                 l->y_stride, bias, call->rectify,
                                 call->y + (b->to + c) * plane + squares[u].origin + lane, next);
    }
}

static void compute_panel(struct data_pass *pass, int64_t panel)
{
    const struct winograd_data_layout *l = &pass->layout;
    struct filter_block b = {.to = panel * RESULT_PANEL,
                             .to_count = least(RESULT_PANEL, l->to - panel * RESULT_PANEL)};
    for (int64_t slice = 0; slice < l->slices; slice++) {
        b.from = l->from * slice / l->slices;
        b.from_count = l->from * (slice + 1) / l->slices - b.from;
        float *filters = pass->filters;
        if (l->keeps_filters)
            filters += (panel * l->slices + slice) * l->filter_floats;
        if (pass->first_unit == pass->blocks.begin * BLOCK_UNITS)
            transform_filters(pass, &b, filters);
        multiply_points(pass, &b, filters);
    }
    transform_panel(pass, &b);
}

/* Blocks, for each of which the argument is transformed once; panels where blocks are too few. */
static void take_share(struct data_pass *pass)
{
    const struct share share = pass->call->share, whole = {0};
    const int64_t blocks = (pass->layout.tiling.units + BLOCK_UNITS - 1) / BLOCK_UNITS;
    const bool by_block = share_suffices(share, blocks);
    pass->blocks = share_piece(by_block ? share : whole, blocks, 1);
    pass->panels = share_piece(by_block ? whole : share, pass->layout.panels, 1);
}

void KERNEL(winograd_data)(const struct conv_data *call)
{
    struct data_pass pass = {
        .call = call,
        .layout = winograd_data_layout(&call->shape, call->columns, call->backward),
    };
    const struct winograd_data_layout *l = &pass.layout;
    pass.x = call->scratch + l->x;
    pass.y = call->scratch + l->y;
    pass.taps = call->scratch + l->taps;
    pass.filters = call->scratch + l->filters;
    take_share(&pass);
    for (int64_t block = pass.blocks.begin; block < pass.blocks.end; block++) {
        pass.first_unit = block * BLOCK_UNITS;
        pass.units = least(BLOCK_UNITS, l->tiling.units - pass.first_unit);
        transform_argument(&pass);
        for (int64_t panel = pass.panels.begin; panel < pass.panels.end; panel++)
            compute_panel(&pass, panel);
    }
}
