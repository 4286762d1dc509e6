/* Transposes of matrices in blocks of VECTOR x VECTOR. */
#include "transpose.h"
#include "isa.h"

/* Neither count is above VECTOR. In place of rows that are missing the last one is read. */
INLINE void transpose_block(const float *from, int64_t from_stride, float *to, int64_t to_stride,
                            int64_t rows, int64_t columns)
{
    vfloat x[VECTOR];
    UNROLL
    for (int i = 0; i < VECTOR; i++)
        x[i] = vload(from + (i < rows ? i : rows - 1) * from_stride);
    transpose_registers(x);
    UNROLL
    for (int i = 0; i < VECTOR; i++) {
        if (i >= columns)
            break;
        if (rows == VECTOR)
            vstore(to + i * to_stride, x[i]);
        else
            vstore_part(to + i * to_stride, x[i], rows);
    }
}

void KERNEL(transpose)(const float *from, int64_t from_stride, float *to, int64_t to_stride,
                       int64_t rows, int64_t columns)
{
    for (int64_t c = 0; c < columns; c += VECTOR) {
        const int64_t across = least(columns - c, VECTOR);
        int64_t r = 0;
        for (; r + VECTOR <= rows && across == VECTOR; r += VECTOR)
            transpose_block(from + r * from_stride + c, from_stride, to + c * to_stride + r,
                            to_stride, VECTOR, VECTOR);
        for (; r < rows; r += VECTOR)
            transpose_block(from + r * from_stride + c, from_stride, to + c * to_stride + r,
                            to_stride, least(rows - r, VECTOR), across);
    }
}
