/* Zeros of an argument: which of its rows have others, and which numbers these are. A network's
 * images have blank margins, and in a small batch many a pixel is blank in all of them. */
#include "isa.h"

INLINE bool is_nonzero(const float *x, int64_t columns)
{
    vint bits = {0};
    for (int64_t c = 0; c < columns; c += VECTOR)
        bits |= (vint)vload(x + c);
    return vbits(bits & INT32_MAX) != 0; /* but for the sign */
}

void KERNEL(nonzero_rows)(const float *x, int64_t rows, int64_t columns, int64_t panel,
                          int32_t *lists)
{
    for (int64_t c = 0; c < columns; c += panel, lists += 1 + rows) {
        const int64_t across = least(panel, columns - c);
        int32_t count = 0;
        for (int64_t r = 0; r < rows; r++) {
            lists[1 + count] = (int32_t)r;
            count += is_nonzero(x + r * columns + c, across);
        }
        lists[0] = count;
    }
}

/* Of up to 64 columns, a bit each. */
INLINE uint64_t nonzero_bits(const float *x, int64_t columns)
{
    uint64_t bits = 0;
    for (int64_t c = 0; c < columns; c += VECTOR)
        bits |= (uint64_t)vbits((vint)vload(x + c) & INT32_MAX) << c;
    return bits << (64 - columns) >> (64 - columns);
}

static int64_t count_nonzeros(const struct nonzeros *n)
{
    int64_t count = 0;
    for (int64_t r = 0; r < n->rows; r++)
        for (int64_t c = 0; c < n->columns; c += 64)
            count += __builtin_popcountll(
                nonzero_bits(n->x + r * n->stride + c, least(n->columns - c, 64)));
    return count;
}

int64_t KERNEL(nonzero_entries)(const struct nonzeros *n)
{
    const int64_t count = count_nonzeros(n);
    int32_t next = 0;
    if (count > n->most)
        return count;
    for (int64_t r = 0; r < n->rows; r++) {
        n->begin[r] = next;
        for (int64_t c = 0; c < n->columns; c += 64) {
            const float *x = n->x + r * n->stride + c;
            uint64_t bits = nonzero_bits(x, least(n->columns - c, 64));
            for (; bits != 0; bits &= bits - 1, next++) {
                const int32_t place = __builtin_ctzll(bits);
                n->column[next] = (int32_t)c + place;
                n->values[next] = x[place];
            }
        }
    }
    n->begin[n->rows] = next;
    return count;
}
