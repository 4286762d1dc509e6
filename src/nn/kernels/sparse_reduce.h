/* Sums of the lanes of many vectors at once. */
#ifndef SWEEPSTAKE_NN_SPARSE_REDUCE_H
#define SWEEPSTAKE_NN_SPARSE_REDUCE_H

#include "vector.h"

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
