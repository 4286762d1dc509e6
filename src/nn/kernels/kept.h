/* Moving the kept ones of a block of entries together. */
#ifndef SWEEPSTAKE_NN_KEPT_H
#define SWEEPSTAKE_NN_KEPT_H

#include "sparse.h"
#include "vector.h"

/* move_kept: of SELECTION_BLOCK columns and values those whose bit is set, one after the other.
 * SELECTION_BLOCK of each are written, the last ones of no meaning. */

#if VECTOR == 16

INLINE void move_kept(const int32_t *column, const float *value, uint32_t kept, int32_t *to_column,
                      float *to_value)
{
    const __mmask16 mask = (__mmask16)kept;
    const __m512i columns = _mm512_maskz_compress_epi32(mask, _mm512_loadu_si512(column));
    _mm512_storeu_si512(to_column, columns);
    _mm512_storeu_ps(to_value, _mm512_maskz_compress_ps(mask, _mm512_loadu_ps(value)));
}

#elif VECTOR == 8

#define FEW 4 /* entries that are moved together */

/* For each set of them, a bit each: which they are. */
static const int32_t members[1 << FEW][FEW] = {
    {0}, {0},    {1},    {0, 1},    {2},    {0, 2},    {1, 2},    {0, 1, 2},
    {3}, {0, 3}, {1, 3}, {0, 1, 3}, {2, 3}, {0, 2, 3}, {1, 2, 3}, {0, 1, 2, 3},
};

INLINE __m128 take(const void *from, const int32_t *lanes)
{
    return _mm_permutevar_ps(_mm_loadu_ps(from), _mm_loadu_si128((const void *)lanes));
}

INLINE void move_kept(const int32_t *column, const float *value, uint32_t kept, int32_t *to_column,
                      float *to_value)
{
    UNROLL
    for (int i = 0; i < SELECTION_BLOCK; i += FEW) {
        const uint32_t few = kept >> i & ((1u << FEW) - 1);
        _mm_storeu_ps((void *)to_column, take(column + i, members[few]));
        _mm_storeu_ps(to_value, take(value + i, members[few]));
        to_column += __builtin_popcount(few);
        to_value += __builtin_popcount(few);
    }
}

#else

INLINE void move_kept(const int32_t *column, const float *value, uint32_t kept, int32_t *to_column,
                      float *to_value)
{
    int64_t next = 0;
    for (int i = 0; i < SELECTION_BLOCK; i++) {
        to_column[next] = column[i];
        to_value[next] = value[i];
        next += kept >> i & 1;
    }
}

#endif
#endif
