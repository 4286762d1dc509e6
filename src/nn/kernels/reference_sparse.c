/* Sparse products as plain loops, summed in double precision. */
#include "reference_sparse.h"

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
