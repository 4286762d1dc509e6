/* Transposes of bytes: examples stand one after the other, batches have them innermost. */
#ifndef DATA_TURN_H
#define DATA_TURN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "batch.h"

#define TILE BATCH_LANE /* examples of a lane, and bytes of each that are turned together */
#define INLINE static inline __attribute__((always_inline))

typedef uint8_t bytes16 __attribute__((vector_size(TILE)));

/* Interleaves the low, then the high halves of two rows. Four rounds of it over rows i and i + 8
 * transpose 16 x 16 bytes. */
INLINE bytes16 interleave_low(bytes16 a, bytes16 b)
{
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

INLINE bytes16 interleave_high(bytes16 a, bytes16 b)
{
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                   31);
}

INLINE void interleave_rows(const bytes16 from[TILE], bytes16 to[TILE])
{
    for (int i = 0; i < TILE / 2; i++) {
        to[2 * i] = interleave_low(from[i], from[i + TILE / 2]);
        to[2 * i + 1] = interleave_high(from[i], from[i + TILE / 2]);
    }
}

/* turned[j][i] = rows[i][from + j] for `bytes` bytes of `count` rows, zero for others; at most TILE
 * of both. */
INLINE void turn_tile(const uint8_t *const *rows, int32_t count, size_t from, size_t bytes,
                      bytes16 turned[TILE])
{
    bytes16 other[TILE];
    memset(turned, 0, TILE * sizeof *turned);
    for (int32_t i = 0; i < count; i++)
        memcpy(&turned[i], rows[i] + from, bytes);
    interleave_rows(turned, other);
    interleave_rows(other, turned);
    interleave_rows(turned, other);
    interleave_rows(other, turned);
}

#endif
