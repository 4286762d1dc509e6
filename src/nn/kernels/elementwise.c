/* Kernels that pass over activations once. Counts and strides are multiples of VECTOR. */
#include "isa.h"

void KERNEL(rectify)(const float *x, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i += VECTOR) {
        const vfloat v = vload(x + i);
        vstore(y + i, vselect(v <= 0, vset(0), v));
    }
}

void KERNEL(rectify_gradient)(const float *y, float *gradient, int64_t count)
{
    for (int64_t i = 0; i < count; i += VECTOR)
        vstore(gradient + i, vselect(vload(y + i) <= 0, vset(0), vload(gradient + i)));
}

void KERNEL(row_sums)(const float *x, float *sums, int64_t rows, int64_t columns)
{
    for (int64_t r = 0; r < rows; r++) {
        vfloat sum = vset(0);
        for (int64_t c = 0; c < columns; c += VECTOR)
            sum += vload(x + r * columns + c);
        sums[r] = vsum(sum);
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
