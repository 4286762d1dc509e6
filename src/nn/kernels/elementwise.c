/* Kernels that pass over activations once. Counts and strides are multiples of VECTOR. */
#include "isa.h"
#include "lane_sums.h"

void KERNEL(rectify)(const float *x, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i += VECTOR) {
        const vfloat v = vload(x + i);
        vstore(y + i, vselect(v <= 0, vset(0), v));
    }
}

INLINE void add_gradient_vectors(const float *a, const float *b, const float *y, float *sum,
                                 int64_t count)
{
    for (int64_t i = 0; i < count; i += VECTOR) {
        vfloat v = vload(a + i);
        if (b)
            v += vload(b + i);
        if (y)
            v = vselect(vload(y + i) <= 0, vset(0), v);
        vstore(sum + i, v);
    }
}

void KERNEL(add_gradients)(const float *a, const float *b, const float *y, float *sum,
                           int64_t count)
{
    if (b && y)
        add_gradient_vectors(a, b, y, sum, count);
    else if (b)
        add_gradient_vectors(a, b, NULL, sum, count);
    else
        add_gradient_vectors(a, NULL, y, sum, count);
}

void KERNEL(add)(const float *a, const float *b, bool rectify, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i += VECTOR) {
        const vfloat sum = vload(a + i) + vload(b + i);
        vstore(y + i, rectify ? vselect(sum <= 0, vset(0), sum) : sum);
    }
}

void KERNEL(row_sums)(const float *x, float *sums, int64_t rows, int64_t columns)
{
    for (int64_t first = 0; first < rows; first += VECTOR) {
        const int64_t count = least(rows - first, VECTOR);
        vfloat lanes[VECTOR] = {{0}};
        for (int64_t r = 0; r < count; r++)
            for (int64_t c = 0; c < columns; c += VECTOR)
                lanes[r] += vload(x + (first + r) * columns + c);
        vstore_part(sums + first, vsum_each(lanes), count);
    }
}

void KERNEL(mean_of_rows)(const float *x, float *y, int64_t rows, int64_t columns)
{
    for (int64_t c = 0; c < columns; c += VECTOR) {
        vfloat sum = vset(0);
        for (int64_t r = 0; r < rows; r++)
            sum += vload(x + r * columns + c);
        vstore(y + c, sum / (float)rows);
    }
}

void KERNEL(spread_over_rows)(const float *y, float *x, int64_t rows, int64_t columns)
{
    for (int64_t c = 0; c < columns; c += VECTOR) {
        const vfloat share = vload(y + c) / (float)rows;
        for (int64_t r = 0; r < rows; r++)
            vstore(x + r * columns + c, share);
    }
}

void KERNEL(multiply)(const float *x, const float *factor, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i += VECTOR)
        vstore(y + i, vload(x + i) * vload(factor + i));
}

void KERNEL(clear_masked)(float *block, const uint8_t *mask, int64_t count)
{
    for (int64_t i = 0; i < count; i += VECTOR)
        vstore(block + i, (vfloat)((vint)vload(block + i) & vmask(mask + i)));
}
