/* Transposes of matrices in blocks of VECTOR x VECTOR. */
#include "transpose.h"
#include "isa.h"

/* `rows` below VECTOR: the last row stands for the missing ones. */
INLINE void transpose_block(const float *from, int64_t from_stride, float *to, int64_t to_stride,
                            int64_t rows)
{
    vfloat x[VECTOR];
    UNROLL
    for (int i = 0; i < VECTOR; i++)
        x[i] = vload(from + (i < rows ? i : rows - 1) * from_stride);
    transpose_registers(x);
    UNROLL
    for (int i = 0; i < VECTOR; i++)
        vstore(to + i * to_stride, x[i]);
}

void KERNEL(transpose)(const float *from, int64_t from_stride, float *to, int64_t to_stride,
                       int64_t rows, int64_t columns)
{
    for (int64_t c = 0; c < columns; c += VECTOR) {
        int64_t r = 0;
        for (; r + VECTOR <= rows; r += VECTOR)
            transpose_block(from + r * from_stride + c, from_stride, to + c * to_stride + r,
                            to_stride, VECTOR);
        if (r < rows)
            transpose_block(from + r * from_stride + c, from_stride, to + c * to_stride + r,
                            to_stride, rows - r);
    }
}
