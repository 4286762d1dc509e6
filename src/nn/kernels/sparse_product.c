/* Products of a sparse matrix with activations, and the gradient of its values.
 *
 * A panel of columns is taken at a time. Forward, the sums of ROWS rows' panels stay in registers
 * while each of their entries is broadcast and multiplied by its row of x: a load a multiply-add
 * is what bounds the speed, so that entries' columns and values are loaded some at a time. For the
 * gradient the row's panel of dy stays in registers instead, an entry's product with x is summed to
 * one vector, and VECTOR entries are reduced to their sums together. */
#include "isa.h"
#include "lane_sums.h"

#define LANE_VECTORS (KERNEL_LANES / VECTOR)
/* Lanes of a panel. Sums of the gradient are as long as its panels: other ones, other bits. */
#define GRADIENT_LANES (VECTOR > 4 ? 4 : 2)
#define MOST_LANES (VECTOR == 16 ? 6 : GRADIENT_LANES)
#define MOST_VECTORS (MOST_LANES * LANE_VECTORS)
#define ROWS (VECTOR == 16 ? 2 : 1) /* at once, as far as there are registers */
#define FEW 4                       /* entries */

/* Rows of one band, and where their panel begins. */
struct panel {
    const int32_t *begin; /* of the first row's entries; those of the others follow */
    int64_t row;
    int64_t column, lanes; /* of x and y; KERNEL_LANES columns a lane */
    bool first, last;      /* band */
};

INLINE void add_products(const float *x, vfloat value, const int vectors, vfloat sums[MOST_VECTORS])
{
    UNROLL
    for (int v = 0; v < vectors; v++)
        sums[v] = vfma(value, vload(x + v * VECTOR), sums[v]);
}

INLINE void add_entry(const struct sparse_product *p, int64_t entry, int64_t at, const int vectors,
                      vfloat sums[MOST_VECTORS])
{
    add_products(p->x + p->pattern->column[entry] * p->x_stride + at, vset(p->values[entry]),
                 vectors, sums);
}

/* The same for FEW entries, in fewer loads. */
INLINE void add_few(const struct sparse_product *p, int64_t entry, int64_t at, const int vectors,
                    vfloat sums[MOST_VECTORS])
{
    vfloat values[FEW];
    uint64_t pairs[FEW / 2]; /* of columns, the first in the lower half (x86) */
    vset_four(p->values + entry, values);
    memcpy(pairs, p->pattern->column + entry, sizeof pairs);
    UNROLL
    for (int i = 0; i < FEW; i++) {
        const int64_t column = (int64_t)(pairs[i / 2] >> i % 2 * 32 & UINT32_MAX);
        add_products(p->x + column * p->x_stride + at, values[i], vectors, sums);
    }
}

INLINE void start_row(const struct sparse_product *p, const struct panel *at, int64_t row,
                      const int vectors, vfloat sums[MOST_VECTORS])
{
    const float *y = p->y + row * p->y_stride + at->column;
    const vfloat bias = vset(p->bias ? p->bias[row] : 0);
    UNROLL
    for (int v = 0; v < vectors; v++)
        sums[v] = at->first && !p->accumulate ? bias : vload(y + v * VECTOR);
}

INLINE void finish_row(const struct sparse_product *p, const struct panel *at, int64_t row,
                       const int vectors, vfloat sums[MOST_VECTORS])
{
    float *y = p->y + row * p->y_stride + at->column;
    UNROLL
    for (int v = 0; v < vectors; v++)
        vstore(y + v * VECTOR,
               at->last && p->rectify ? vselect(sums[v] <= 0, vset(0), sums[v]) : sums[v]);
}

INLINE void multiply_panel(const void *call, const struct panel *at, const int rows,
                           const int vectors)
{
    const struct sparse_product p = *(const struct sparse_product *)call;
    vfloat sums[ROWS][MOST_VECTORS];
    int64_t k[ROWS], end[ROWS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        k[r] = at->begin[r];
        end[r] = at->begin[r + 1];
        start_row(&p, at, at->row + r, vectors, sums[r]);
    }
    int64_t both = rows == 2 ? least(end[0] - k[0], end[rows - 1] - k[rows - 1]) : 0;
    for (; both >= FEW; both -= FEW) {
        UNROLL
        for (int r = 0; r < rows; r++) {
            add_few(&p, k[r], at->column, vectors, sums[r]);
            k[r] += FEW;
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        for (; k[r] < end[r]; k[r]++)
            add_entry(&p, k[r], at->column, vectors, sums[r]);
        finish_row(&p, at, at->row + r, vectors, sums[r]);
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
    vfloat dy[MOST_VECTORS];
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

INLINE void gradient_panel(const void *call, const struct panel *at, const int rows,
                           const int vectors)
{
    (void)rows; /* one */
    const struct sparse_gradient *g = call;
    const float *from = g->dy + at->row * g->dy_stride + at->column;
    const int32_t *column = g->pattern->column;
    struct row_of_dy row = {.x = g->x + at->column, .stride = g->x_stride};
    const bool add = g->accumulate || at->column > 0;
    vfloat sums[VECTOR];
    UNROLL
    for (int v = 0; v < vectors; v++)
        row.dy[v] = vload(from + v * VECTOR);
    const int64_t end = at->begin[1];
    int64_t k = at->begin[0];
    for (; k + VECTOR <= end; k += VECTOR) {
        UNROLL
        for (int i = 0; i < VECTOR; i++)
            sums[i] = entry_products(&row, column[k + i], vectors);
        store_sums(sums, VECTOR, add, g->gradient + k);
    }
    if (k == end)
        return;
    for (int i = 0; i < VECTOR; i++)
        sums[i] = k + i < end ? entry_products(&row, column[k + i], vectors) : vset(0);
    store_sums(sums, end - k, add, g->gradient + k);
}

/* What is done with so many rows' panels that are `vectors` wide. */
typedef void panel_visit(const void *call, const struct panel *at, const int rows,
                         const int vectors);

/* In whole lanes, so that the loops of a panel unroll. */
INLINE void visit_panel(panel_visit *visit, const void *call, const struct panel *at,
                        const int rows)
{
    switch (at->lanes) {
    case 1:
        visit(call, at, rows, LANE_VECTORS);
        break;
    case 2:
        visit(call, at, rows, 2 * LANE_VECTORS);
        break;
#if VECTOR > 4
    case 3:
        visit(call, at, rows, 3 * LANE_VECTORS);
        break;
    case 4:
        visit(call, at, rows, 4 * LANE_VECTORS);
        break;
#endif
#if VECTOR == 16
    case 5:
        visit(call, at, rows, 5 * LANE_VECTORS);
        break;
    case 6:
        visit(call, at, rows, 6 * LANE_VECTORS);
        break;
#endif
    }
}

/* A band's rows, `at_once` together where so many are left. */
INLINE void visit_rows(panel_visit *visit, const void *call, struct panel at, struct piece rows,
                       const int at_once)
{
    const int32_t *begin = at.begin;
    for (at.row = rows.begin; at.row < rows.end; at.row += at_once) {
        at.begin = begin + at.row;
        if (at.row + at_once <= rows.end)
            visit_panel(visit, call, &at, at_once);
        else
            visit_panel(visit, call, &at, 1);
    }
}

/* Panel by panel of `lanes` lanes at most, band by band, row by row. */
INLINE void for_each_panel(const struct sparse_pattern *pattern, struct share share,
                           int64_t columns, const int64_t lanes, const int at_once,
                           panel_visit *visit, const void *call)
{
    const struct piece rows = share_piece(share, pattern->rows, at_once);
    const int64_t panel = lanes * KERNEL_LANES;
    for (int64_t column = 0; column < columns; column += panel)
        for (int64_t b = 0; b < pattern->bands; b++) {
            const struct panel at = {.begin = pattern->begin + b * pattern->rows,
                                     .column = column,
                                     .lanes = least(panel, columns - column) / KERNEL_LANES,
                                     .first = b == 0,
                                     .last = b + 1 == pattern->bands};
            visit_rows(visit, call, at, rows, at_once);
        }
}

void KERNEL(sparse_product)(const struct sparse_product *p)
{
    for_each_panel(p->pattern, p->share, p->columns, MOST_LANES, ROWS, multiply_panel, p);
}

void KERNEL(sparse_gradient)(const struct sparse_gradient *g)
{
    for_each_panel(g->pattern, g->share, g->columns, GRADIENT_LANES, 1, gradient_panel, g);
}

void KERNEL(gather)(const float *from, const int32_t *place, int64_t count, float *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = from[place[i]];
}
