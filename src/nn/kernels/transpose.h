/* Transposes of blocks of VECTOR x VECTOR in registers. */
#ifndef SWEEPSTAKE_NN_TRANSPOSE_H
#define SWEEPSTAKE_NN_TRANSPOSE_H

#include "vector.h"

/* Zipping vector i with vector i + VECTOR / 2, log2(VECTOR) times, turns rows into columns. */
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

INLINE void transpose_registers(vfloat rows[VECTOR])
{
    UNROLL
    for (int turn = 1; turn < VECTOR; turn *= 2)
        zip_rows(rows);
}

/* to[c][r] = from[r][c] for c < columns and r < lanes, where rows from `rows` on count as zero.
 * None of the counts is above VECTOR. */
INLINE void transpose_part(const float *from, int64_t from_stride, const int64_t rows, float *to,
                           int64_t to_stride, const int64_t columns, const int64_t lanes)
{
    vfloat x[VECTOR];
    UNROLL
    for (int i = 0; i < VECTOR; i++) {
        if (i >= rows)
            x[i] = vset(0);
        else if (columns == VECTOR)
            x[i] = vload(from + i * from_stride);
        else
            x[i] = vload_part(from + i * from_stride, columns);
    }
    transpose_registers(x);
    UNROLL
    for (int i = 0; i < VECTOR; i++) {
        if (i >= columns)
            break;
        if (lanes == VECTOR)
            vstore(to + i * to_stride, x[i]);
        else
            vstore_part(to + i * to_stride, x[i], lanes);
    }
}

#endif
