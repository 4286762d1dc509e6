/* Sums of the lanes of many vectors at once. */
#ifndef SWEEPSTAKE_NN_LANE_SUMS_H
#define SWEEPSTAKE_NN_LANE_SUMS_H

#include "vector.h"

#if VECTOR == 8

/* Lane i of the result is the sum of all lanes of sums[i]: as below, in steps that AVX2 has
 * instructions for. Lanes four apart are added first, then those two apart. */
INLINE vfloat vsum_each(vfloat sums[VECTOR])
{
    vfloat fours[4], pairs[2];
    UNROLL
    for (int i = 0; i < 4; i++) {
        const vfloat a = sums[i], b = sums[i + 4];
        fours[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) +
                   __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    }
    UNROLL
    for (int i = 0; i < 2; i++) {
        const vfloat a = fours[2 * i], b = fours[2 * i + 1];
        pairs[i] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13) +
                   __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
    }
    return __builtin_shufflevector(pairs[0], pairs[1], 0, 2, 8, 10, 4, 6, 12, 14) +
           __builtin_shufflevector(pairs[0], pairs[1], 1, 3, 9, 11, 5, 7, 13, 15);
}

#else

/* Lane i of the result is the sum of all lanes of sums[i]. Zipping vector i with vector i + n / 2
 * and adding the halves leaves half as many vectors, each with twice as many sums in it. */
INLINE vfloat vsum_each(vfloat sums[VECTOR])
{
    UNROLL
    for (int n = VECTOR; n > 1; n /= 2) {
        UNROLL
        for (int i = 0; i < n / 2; i++)
            sums[i] = vzip_low(sums[i], sums[i + n / 2]) + vzip_high(sums[i], sums[i + n / 2]);
    }
    return sums[0];
}

#endif

#endif
