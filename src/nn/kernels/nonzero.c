/* Zeros of an argument: which of its rows have others, and which numbers these are. A network's
 * images have blank margins, and in a small batch many a pixel is blank in all of them. */
#include "isa.h"
#include "kept.h"

INLINE bool is_nonzero(const float *x, int64_t columns)
{
    vint bits = {0};
    for (int64_t c = 0; c < columns; c += VECTOR)
        bits |= (vint)vload(x + c);
    return vbits(bits & INT32_MAX) != 0; /* but for the sign */
}

int64_t KERNEL(nonzero_rows)(const float *x, int64_t rows, int64_t columns, int32_t *list)
{
    int64_t count = 0;
    for (int64_t r = 0; r < rows; r++) {
        list[count] = (int32_t)r;
        count += is_nonzero(x + r * columns, columns);
    }
    return count;
}

/* Of a block's columns, a bit each. */
INLINE uint32_t nonzero_bits(const float *x, int64_t columns)
{
    uint32_t bits = 0;
    for (int i = 0; i < SELECTION_BLOCK; i += VECTOR)
        bits |= vbits((vint)vload(x + i) & INT32_MAX) << i;
    return bits & ((UINT32_C(1) << columns) - 1);
}

/* In whole vectors: the block is read as such. */
INLINE void number_columns(int32_t first, int32_t column[SELECTION_BLOCK])
{
    static const int32_t places[SELECTION_BLOCK] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                    8, 9, 10, 11, 12, 13, 14, 15};
    for (int i = 0; i < SELECTION_BLOCK; i += VECTOR) {
        vint block;
        memcpy(&block, places + i, sizeof block);
        block += first;
        memcpy(column + i, &block, sizeof block);
    }
}

int32_t KERNEL(nonzero_entries)(const struct nonzeros *of)
{
    const struct nonzeros n = *of;
    int32_t next = n.entries;
    for (int64_t r = 0; r < n.rows; r++) {
        const float *x = n.x + r * n.stride;
        n.begin[r] = next;
        for (int64_t c = 0; c < n.columns; c += SELECTION_BLOCK) {
            const uint32_t bits = nonzero_bits(x + c, least(n.columns - c, SELECTION_BLOCK));
            int32_t column[SELECTION_BLOCK];
            number_columns((int32_t)(n.first + c), column);
            move_kept(column, x + c, bits, n.column + next, n.values + next);
            next += __builtin_popcount(bits);
        }
    }
    n.begin[n.rows] = next;
    return next;
}
