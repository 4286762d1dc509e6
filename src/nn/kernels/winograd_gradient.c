/* Winograd gradient of weights: dw = G^T [sum over tiles and examples (A dy A^T) . (B^T x B)] G.
 *
 * The sums run over the examples, which are innermost, so one operand must be turned round for the
 * products: dy, whose tiles do not overlap. Its pixels are transposed before they are transformed;
 * x's points [36][inputs][examples] are broadcast, dy's [36][examples][OUTPUT_PANEL] give the
 * vectors, and each point's sums lie as [inputs][outputs].
 *
 * Tiles are taken GRADIENT_UNITS at a time. Between these blocks the sums wait in scratch; in the
 * last one each pair of panels (INPUT_PANEL x OUTPUT_PANEL channels) is transformed to weights as
 * soon as it is complete. Where one block is all, the sums of one pair are all that ever exist. */
#include "winograd_gradient.h"
#include "filters.h"
#include "transpose.h"
#include "winograd_transform.h"

struct gradient_pass {
    const struct conv_gradient *call;
    struct winograd_gradient_layout layout;
    float *x, *dy, *pixels, *taps, *dw;
    struct piece inputs, outputs; /* channels whose weights this call computes */
    int64_t first_unit, units;    /* of the block */
};

/* The gradient of the result */

/* The block's tiles of dy, for KERNEL_LANES outputs from `first` on. */
struct tiles {
    struct winograd_square squares[GRADIENT_UNITS];
    int64_t first, outputs; /* present outputs, may be more */
};

/* Pixel (i, j) of a unit: [example][output]. */
static float *pixel_of(const struct gradient_pass *pass, int64_t unit, int i, int j)
{
    return pass->pixels + unit * UNIT_PIXELS +
           (i * WINOGRAD_TILE + j) * KERNEL_LANES * KERNEL_LANES;
}

static void transpose_pixel(const float *from, int64_t plane, int64_t outputs, float *to)
{
    for (int64_t o = 0; o < KERNEL_LANES; o += VECTOR)
        for (int64_t e = 0; e < KERNEL_LANES; e += VECTOR)
            transpose_part(from + o * plane + e, plane, outputs - o, to + e * KERNEL_LANES + o,
                           KERNEL_LANES, VECTOR, VECTOR);
}

/* Transposes the pixels of all units that lie in the image, neighbouring lines together. */
static void gather_pixels(const struct gradient_pass *pass, const struct tiles *tiles)
{
    const struct winograd_tiling *t = &pass->layout.tiling;
    const int64_t plane = t->height * t->width * t->columns;
    const float *dy = pass->call->dy + tiles->first * plane;
    for (int i = 0; i < WINOGRAD_TILE; i++)
        for (int j = 0; j < WINOGRAD_TILE; j++)
            for (int64_t unit = 0; unit < pass->units; unit++) {
                const struct winograd_square *s = &tiles->squares[unit];
                if (i < s->bottom && j < s->right)
                    transpose_pixel(dy + s->origin + i * s->row + j * s->column, plane,
                                    tiles->outputs, pixel_of(pass, unit, i, j));
            }
}

INLINE void transform_gradient(const struct winograd_square *s, const float *pixels, float *to,
                               int64_t point_stride)
{
    vfloat lines[6][4];
    UNROLL
    for (int j = 0; j < 4; j++) {
        vfloat d[4], t[6];
        UNROLL
        for (int i = 0; i < 4; i++)
            d[i] = i < s->bottom && j < s->right
                       ? vload(pixels + (i * 4 + j) * KERNEL_LANES * KERNEL_LANES)
                       : vset(0);
        transform_gradient_line(d, t);
        UNROLL
        for (int i = 0; i < 6; i++)
            lines[i][j] = t[i];
    }
    UNROLL
    for (int i = 0; i < 6; i++) {
        vfloat t[6];
        transform_gradient_line(lines[i], t);
        UNROLL
        for (int j = 0; j < 6; j++)
            vstore(to + (i * 6 + j) * point_stride, t[j]);
    }
}

/* The points of the block's dy. */
static void transform_outputs(const struct gradient_pass *pass)
{
    const struct winograd_gradient_layout *l = &pass->layout;
    struct tiles tiles;
    for (int64_t unit = 0; unit < pass->units; unit++)
        tiles.squares[unit] =
            winograd_square(&l->tiling, pass->first_unit + unit, WINOGRAD_TILE, 0);
    for (tiles.first = pass->outputs.begin; tiles.first < pass->outputs.end;
         tiles.first += KERNEL_LANES) {
        const int64_t place = tiles.first - pass->outputs.begin;
        float *to =
            pass->dy + place / OUTPUT_PANEL * WINOGRAD_POINTS * l->dy_stride + place % OUTPUT_PANEL;
        tiles.outputs = l->outputs - tiles.first;
        gather_pixels(pass, &tiles);
        for (int64_t unit = 0; unit < pass->units; unit++)
            for (int64_t e = 0; e < KERNEL_LANES; e++)
                for (int64_t o = 0; o < KERNEL_LANES; o += VECTOR)
                    transform_gradient(
                        &tiles.squares[unit], pixel_of(pass, unit, 0, 0) + e * KERNEL_LANES + o,
                        to + (unit * KERNEL_LANES + e) * OUTPUT_PANEL + o, l->dy_stride);
    }
}

static void transform_inputs(const struct gradient_pass *pass)
{
    const struct winograd_gradient_layout *l = &pass->layout;
    const struct winograd_tiling *t = &l->tiling;
    const struct winograd_patches patches = {
        .tiling = t,
        .first_unit = pass->first_unit,
        .units = pass->units,
        .x = pass->call->x + pass->inputs.begin * t->height * t->width * t->columns,
        .channels = pass->inputs.end - pass->inputs.begin,
        .to = pass->x,
        .row = l->examples,
        .point_stride = l->x_stride,
    };
    KERNEL(winograd_transform_patches)(&patches);
}

/* The products */

static void multiply_points(const struct gradient_pass *pass, const struct gradient_block *b,
                            float *sums)
{
    const struct winograd_gradient_layout *l = &pass->layout;
    const int64_t output_panel = (b->output - pass->outputs.begin) / OUTPUT_PANEL;
    const float *dy = pass->dy + output_panel * WINOGRAD_POINTS * l->dy_stride;
    for (int p = 0; p < WINOGRAD_POINTS; p++) {
        const struct product product = {
            .rows = b->inputs,
            .columns = (b->outputs + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES,
            .depth = pass->units * KERNEL_LANES,
            .a = pass->x + p * l->x_stride + (b->input - pass->inputs.begin) * l->examples,
            .a_row = l->examples,
            .a_depth = 1,
            .b = dy + p * l->dy_stride,
            .b_stride = OUTPUT_PANEL,
            .c = sums + p * l->dw_stride,
            .c_stride = OUTPUT_PANEL,
            .accumulate = pass->first_unit > 0,
        };
        KERNEL(product)(&product);
    }
}

/* The weights */

INLINE void transform_taps(const float *from, int64_t point_stride, float *to)
{
    vfloat lines[3][6];
    UNROLL
    for (int j = 0; j < 6; j++) {
        vfloat t[6], g[3];
        UNROLL
        for (int i = 0; i < 6; i++)
            t[i] = vload(from + (i * 6 + j) * point_stride);
        transform_filter_gradient_line(t, g);
        UNROLL
        for (int i = 0; i < 3; i++)
            lines[i][j] = g[i];
    }
    UNROLL
    for (int i = 0; i < 3; i++) {
        vfloat g[3];
        transform_filter_gradient_line(lines[i], g);
        UNROLL
        for (int j = 0; j < 3; j++)
            vstore(to + (i * 3 + j) * OUTPUT_PANEL, g[j]);
    }
}

static void transform_weights(const struct gradient_pass *pass, const struct gradient_block *b,
                              const float *sums)
{
    for (int64_t i = 0; i < b->inputs; i++)
        for (int64_t o = 0; o < b->outputs; o += VECTOR)
            transform_taps(sums + i * OUTPUT_PANEL + o, pass->layout.dw_stride,
                           pass->taps + i * FILTER_TAPS * OUTPUT_PANEL + o);
    KERNEL(scatter_filters)(pass->taps, b, pass->call);
}

/* Panels, counted from the first of this call's channels. */
static void compute_pair(struct gradient_pass *pass, int64_t input_panel, int64_t output_panel)
{
    const struct winograd_gradient_layout *l = &pass->layout;
    struct gradient_block b = {.input = pass->inputs.begin + input_panel * INPUT_PANEL,
                               .output = pass->outputs.begin + output_panel * OUTPUT_PANEL};
    b.inputs = least(INPUT_PANEL, pass->inputs.end - b.input);
    b.outputs = least(OUTPUT_PANEL, pass->outputs.end - b.output);
    float *sums = pass->dw;
    if (l->keeps_sums)
        sums += (output_panel * l->input_panels + input_panel) * l->dw_floats;
    multiply_points(pass, &b, sums);
    if (pass->first_unit + pass->units == l->tiling.units)
        transform_weights(pass, &b, sums);
}

static void compute_block(struct gradient_pass *pass)
{
    const int64_t inputs = pass->inputs.end - pass->inputs.begin;
    const int64_t outputs = pass->outputs.end - pass->outputs.begin;
    transform_inputs(pass);
    transform_outputs(pass);
    for (int64_t output = 0; output * OUTPUT_PANEL < outputs; output++)
        for (int64_t input = 0; input * INPUT_PANEL < inputs; input++)
            compute_pair(pass, input, output);
}

/* Outputs, whose transform costs more than that of the inputs, which all shares then do; inputs
 * where outputs are too few. */
static void take_share(struct gradient_pass *pass)
{
    const struct share share = pass->call->share, whole = {0};
    const struct winograd_gradient_layout *l = &pass->layout;
    const bool by_output = share_suffices(share, l->outputs / KERNEL_LANES);
    pass->outputs = share_piece(by_output ? share : whole, l->outputs, KERNEL_LANES);
    pass->inputs = share_piece(by_output ? whole : share, l->inputs, INPUT_UNIT);
}

void KERNEL(winograd_gradient)(const struct conv_gradient *call)
{
    struct gradient_pass pass = {
        .call = call,
        .layout = winograd_gradient_layout(&call->shape, call->columns),
    };
    const struct winograd_gradient_layout *l = &pass.layout;
    pass.x = call->scratch + l->x;
    pass.dy = call->scratch + l->dy;
    pass.pixels = call->scratch + l->pixels;
    pass.taps = call->scratch + l->taps;
    pass.dw = call->scratch + l->dw;
    const int64_t block = l->examples / KERNEL_LANES;
    take_share(&pass);
    for (; pass.first_unit < l->tiling.units; pass.first_unit += block) {
        pass.units = least(block, l->tiling.units - pass.first_unit);
        compute_block(&pass);
    }
}
