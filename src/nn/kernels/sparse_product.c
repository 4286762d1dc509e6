/* Products of a sparse matrix with activations, and the gradient of its values.
 *
 * PANEL columns are taken at a time. Forward, the sums of one row's panel stay in registers while
 * each of its entries is broadcast and multiplied by its row of x: one load a multiply-add, which
 * is what bounds the speed. For the gradient the row's panel of dy stays in registers instead, an
 * entry's product with x is summed to one vector, and VECTOR entries are reduced to their sums
 * together. */
#include "isa.h"
#include "sparse_reduce.h"

#define LANE_VECTORS (KERNEL_LANES / VECTOR)
#define PANEL_LANES (VECTOR > 4 ? 4 : 2)
#define PANEL_VECTORS (PANEL_LANES * LANE_VECTORS)
#define PANEL (PANEL_LANES * KERNEL_LANES)
#define CHAINS (VECTOR == 16 ? 2 : 1) /* of sums over entries, as far as there are registers */

/* A row's entries in one band, and where its panel begins. */
struct panel {
    int64_t begin, end, row;
    int64_t column, lanes; /* of x and y; KERNEL_LANES columns a lane */
    bool first, last;      /* band */
};

INLINE void add_entry(const struct sparse_product *p, int64_t entry, int64_t at, const int vectors,
                      vfloat sums[PANEL_VECTORS])
{
    const vfloat value = vset(p->values[entry]);
    const float *x = p->x + p->pattern->column[entry] * p->x_stride + at;
    UNROLL
    for (int v = 0; v < vectors; v++)
        sums[v] = vfma(value, vload(x + v * VECTOR), sums[v]);
}

INLINE void multiply_panel(const void *call, const struct panel *at, const int vectors)
{
    const struct sparse_product p = *(const struct sparse_product *)call;
    float *y = p.y + at->row * p.y_stride + at->column;
    const vfloat bias = vset(p.bias ? p.bias[at->row] : 0);
    vfloat sums[CHAINS][PANEL_VECTORS] = {0};
    UNROLL
    for (int v = 0; v < vectors; v++)
        sums[0][v] = at->first ? bias : vload(y + v * VECTOR);
    int64_t k = at->begin;
    for (; k + CHAINS <= at->end; k += CHAINS) {
        UNROLL
        for (int chain = 0; chain < CHAINS; chain++)
            add_entry(&p, k + chain, at->column, vectors, sums[chain]);
    }
    if (k < at->end)
        add_entry(&p, k, at->column, vectors, sums[0]);
    UNROLL
    for (int v = 0; v < vectors; v++) {
        const vfloat sum = CHAINS == 2 ? sums[0][v] + sums[1][v] : sums[0][v];
        vstore(y + v * VECTOR, at->last && p.rectify ? vselect(sum <= 0, vset(0), sum) : sum);
    }
}

/* gradient[0 .. count - 1] (+)= the sums of `count` entries' products; count is at most VECTOR. */
INLINE void store_sums(vfloat sums[VECTOR], int64_t count, bool add, float *gradient)
{
    vfloat result = vsum_each(sums);
    if (count == VECTOR) {
        vstore(gradient, add ? vload(gradient) + result : result);
        return;
    }
    if (add)
        result += vload_part(gradient, count);
    vstore_part(gradient, result, count);
}

/* What the gradients of one row's entries are made of. */
struct row_of_dy {
    vfloat dy[PANEL_VECTORS];
    const float *x;
    int64_t stride;
};

INLINE vfloat entry_products(const struct row_of_dy *row, int32_t column, const int vectors)
{
    const float *x = row->x + column * row->stride;
    vfloat sum = row->dy[0] * vload(x);
    UNROLL
    for (int v = 1; v < vectors; v++)
        sum = vfma(row->dy[v], vload(x + v * VECTOR), sum);
    return sum;
}

INLINE void gradient_panel(const void *call, const struct panel *at, const int vectors)
{
    const struct sparse_gradient *g = call;
    const float *from = g->dy + at->row * g->dy_stride + at->column;
    const int32_t *column = g->pattern->column;
    struct row_of_dy row = {.x = g->x + at->column, .stride = g->x_stride};
    const bool add = g->accumulate || at->column > 0;
    vfloat sums[VECTOR];
    UNROLL
    for (int v = 0; v < vectors; v++)
        row.dy[v] = vload(from + v * VECTOR);
    int64_t k = at->begin;
    for (; k + VECTOR <= at->end; k += VECTOR) {
        UNROLL
        for (int i = 0; i < VECTOR; i++)
            sums[i] = entry_products(&row, column[k + i], vectors);
        store_sums(sums, VECTOR, add, g->gradient + k);
    }
    if (k == at->end)
        return;
    for (int i = 0; i < VECTOR; i++)
        sums[i] = k + i < at->end ? entry_products(&row, column[k + i], vectors) : vset(0);
    store_sums(sums, at->end - k, add, g->gradient + k);
}

/* What is done with a panel that is `vectors` wide. */
typedef void panel_visit(const void *call, const struct panel *at, const int vectors);

/* In whole lanes, so that the loops of a panel unroll. */
INLINE void visit_panel(panel_visit *visit, const void *call, const struct panel *at)
{
    switch (at->lanes) {
    case 1:
        visit(call, at, LANE_VECTORS);
        break;
    case 2:
        visit(call, at, 2 * LANE_VECTORS);
        break;
#if PANEL_LANES == 4
    case 3:
        visit(call, at, 3 * LANE_VECTORS);
        break;
    case 4:
        visit(call, at, 4 * LANE_VECTORS);
        break;
#endif
    }
}

/* Panel by panel, band by band, row by row. */
INLINE void for_each_panel(const struct sparse_pattern *pattern, struct share share,
                           int64_t columns, panel_visit *visit, const void *call)
{
    const struct piece rows = share_piece(share, pattern->rows, 1);
    for (int64_t column = 0; column < columns; column += PANEL)
        for (int64_t b = 0; b < pattern->bands; b++)
            for (int64_t r = rows.begin; r < rows.end; r++) {
                const int32_t *begin = pattern->begin + b * pattern->rows + r;
                const struct panel at = {.begin = begin[0],
                                         .end = begin[1],
                                         .row = r,
                                         .column = column,
                                         .lanes = least(PANEL, columns - column) / KERNEL_LANES,
                                         .first = b == 0,
                                         .last = b + 1 == pattern->bands};
                visit_panel(visit, call, &at);
            }
}

void KERNEL(sparse_product)(const struct sparse_product *p)
{
    for_each_panel(p->pattern, p->share, p->columns, multiply_panel, p);
}

void KERNEL(sparse_gradient)(const struct sparse_gradient *g)
{
    for_each_panel(g->pattern, g->share, g->columns, gradient_panel, g);
}

void KERNEL(gather)(const float *from, const int32_t *place, int64_t count, float *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = from[place[i]];
}
