/* Sparse products as plain loops, summed in double precision. */
#include "reference_sparse.h"

#include <stdbool.h>

/* The band and row of an entry, as band * rows + row. */
static int64_t place_of(const struct sparse_pattern *pattern, int64_t entry)
{
    int64_t place = 0;
    while (pattern->begin[place + 1] <= entry)
        place++;
    return place;
}

void reference_sparse_product(const struct sparse_product *p)
{
    const struct sparse_pattern *pattern = p->pattern;
    for (int64_t r = 0; r < pattern->rows; r++)
        for (int64_t c = 0; c < p->columns; c++) {
            double sum = p->bias ? (double)p->bias[r] : 0;
            if (p->accumulate)
                sum = (double)p->y[r * p->y_stride + c];
            for (int64_t b = 0; b < pattern->bands; b++) {
                const int32_t *begin = pattern->begin + b * pattern->rows + r;
                for (int32_t k = begin[0]; k < begin[1]; k++)
                    sum +=
                        (double)p->values[k] * (double)p->x[pattern->column[k] * p->x_stride + c];
            }
            p->y[r * p->y_stride + c] = p->rectify && sum <= 0 ? 0 : (float)sum;
        }
}

void reference_sparse_gradient(const struct sparse_gradient *g)
{
    const struct sparse_pattern *pattern = g->pattern;
    for (int64_t k = 0; k < pattern->entries; k++) {
        const float *dy = g->dy + place_of(pattern, k) % pattern->rows * g->dy_stride;
        const float *x = g->x + pattern->column[k] * g->x_stride;
        double sum = g->accumulate ? (double)g->gradient[k] : 0;
        for (int64_t c = 0; c < g->columns; c++)
            sum += (double)dy[c] * (double)x[c];
        g->gradient[k] = (float)sum;
    }
}

void reference_gather(const float *from, const int32_t *place, int64_t count, float *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = from[place[i]];
}

static bool is_listed(const int32_t *columns, int64_t count, int32_t column)
{
    for (int64_t i = 0; i < count; i++)
        if (columns[i] == column)
            return true;
    return false;
}

/* The block of the pattern's entry k, which is its band's place-th. */
static int64_t block_of(const struct sparse_pattern *pattern, int64_t k, int64_t *place)
{
    int64_t block = 0, b = 0;
    for (; k >= pattern->begin[(b + 1) * pattern->rows]; b++)
        block += (pattern->begin[(b + 1) * pattern->rows] - pattern->begin[b * pattern->rows]) /
                     SELECTION_BLOCK +
                 1;
    *place = k - pattern->begin[b * pattern->rows];
    return block + *place / SELECTION_BLOCK;
}

void reference_sparse_select(const struct sparse_weights *weights, const int32_t *columns,
                             int64_t count, struct sparse_selection *to)
{
    const struct sparse_pattern *from = weights->pattern;
    int32_t next = 0;
    for (int64_t i = 0; i < from->bands * from->rows; i++) {
        to->begin[i] = next;
        for (int32_t k = from->begin[i]; k < from->begin[i + 1]; k++) {
            int64_t place;
            struct selection_block *block = &to->blocks[block_of(from, k, &place)];
            if (place % SELECTION_BLOCK == 0)
                *block = (struct selection_block){next, 0};
            if (!is_listed(columns, count, from->column[k]))
                continue;
            block->kept |= 1u << place % SELECTION_BLOCK;
            to->column[next] = from->column[k];
            to->values[next++] = weights->values[k];
        }
    }
    to->begin[from->bands * from->rows] = next;
    to->pattern.entries = next;
}

void reference_sparse_spread(const struct sparse_selection *selection,
                             const struct sparse_pattern *pattern, float *gradient)
{
    const float *from = selection->gradient;
    for (int64_t k = 0; k < pattern->entries; k++) {
        int64_t place;
        const struct selection_block *block = &selection->blocks[block_of(pattern, k, &place)];
        gradient[k] = block->kept >> place % SELECTION_BLOCK & 1 ? *from++ : 0;
    }
}
