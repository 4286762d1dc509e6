/* Transposes in blocks of VECTOR x VECTOR: zipping vector i with vector i + VECTOR / 2,
 * log2(VECTOR) times, turns rows into columns. */
#include "isa.h"

INLINE void zip_rows(vfloat rows[VECTOR])
{
    vfloat zipped[VECTOR];
    UNROLL
    for (int i = 0; i < VECTOR / 2; i++) {
        zipped[2 * i] = vzip_low(rows[i], rows[i + VECTOR / 2]);
        zipped[2 * i + 1] = vzip_high(rows[i], rows[i + VECTOR / 2]);
    }
    memcpy(rows, zipped, sizeof zipped);
}

/* `rows` below VECTOR: the last row stands for the missing ones. */
INLINE void transpose_block(const float *from, int64_t from_stride, float *to, int64_t to_stride,
                            int64_t rows)
{
    vfloat x[VECTOR];
    UNROLL
    for (int i = 0; i < VECTOR; i++)
        x[i] = vload(from + (i < rows ? i : rows - 1) * from_stride);
    UNROLL
    for (int turn = 1; turn < VECTOR; turn *= 2)
        zip_rows(x);
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
