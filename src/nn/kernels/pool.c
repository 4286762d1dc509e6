/* Max pooling, vectorised over the batch. */
#include "isa.h"

INLINE void store_winners(uint8_t *to, vint winners)
{
    const vbyte bytes = __builtin_convertvector(winners, vbyte);
    memcpy(to, &bytes, sizeof bytes);
}

INLINE vint load_winners(const uint8_t *from)
{
    vbyte bytes;
    memcpy(&bytes, from, sizeof bytes);
    return __builtin_convertvector(bytes, vint);
}

/* The greatest element of one window, whose first one stands at `x`. */
INLINE void pool_window(const struct max_pool *pool, const int kernel, const float *x, float *y,
                        uint8_t *winners)
{
    vfloat best = vload(x);
    vint winner = {0};
    for (int i = 0; i < kernel; i++)
        for (int j = 0; j < kernel; j++) {
            const vfloat v = vload(x + (i * pool->width + j) * pool->columns);
            const vint better = (v > best) | (v != v);
            best = vselect(better, v, best);
            winner = (better & (i * kernel + j)) | (~better & winner);
        }
    vstore(y, pool->rectify ? vselect(best <= 0, vset(0), best) : best);
    if (winners)
        store_winners(winners, winner);
}

void KERNEL(max_pool)(const struct max_pool *pool, const float *x, float *y, uint8_t *winners)
{
    const int64_t rows = max_pool_windows(pool, pool->height);
    const int64_t across = max_pool_windows(pool, pool->width);
    int64_t at = 0;
    for (int64_t channel = 0; channel < pool->channels; channel++)
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < across; c++) {
                const int64_t pixel =
                    (channel * pool->height + r * pool->stride) * pool->width + c * pool->stride;
                for (int64_t i = 0; i < pool->columns; i += VECTOR, at += VECTOR) {
                    const float *window = x + pixel * pool->columns + i;
                    uint8_t *to = winners ? winners + at : NULL;
                    if (pool->kernel == 2)
                        pool_window(pool, 2, window, y + at, to);
                    else
                        pool_window(pool, (int)pool->kernel, window, y + at, to);
                }
            }
}

/* Gives one window's gradient to its winner; `first`: no window before it covers these pixels. */
INLINE void spread_window(const struct max_pool *pool, const int kernel, const bool first,
                          vfloat dy, vint winner, float *dx)
{
    for (int i = 0; i < kernel; i++)
        for (int j = 0; j < kernel; j++) {
            float *to = dx + (i * pool->width + j) * pool->columns;
            const vfloat share = vselect(winner == i * kernel + j, dy, vset(0));
            vstore(to, first ? share : vload(to) + share);
        }
}

void KERNEL(max_pool_gradient)(const struct max_pool *pool, const float *dy, const uint8_t *winners,
                               float *dx)
{
    const int64_t rows = max_pool_windows(pool, pool->height);
    const int64_t across = max_pool_windows(pool, pool->width);
    const bool exact = pool->kernel == 2 && pool->stride == 2 && pool->height % 2 == 0 &&
                       pool->width % 2 == 0; /* windows cover each pixel once */
    const int64_t image = pool->height * pool->width * pool->columns;
    int64_t at = 0;
    for (int64_t channel = 0; channel < pool->channels; channel++, dx += image) {
        if (!exact)
            memset(dx, 0, (size_t)image * sizeof *dx);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < across; c++) {
                const int64_t pixel = r * pool->stride * pool->width + c * pool->stride;
                for (int64_t i = 0; i < pool->columns; i += VECTOR, at += VECTOR) {
                    float *to = dx + pixel * pool->columns + i;
                    const vint winner = load_winners(winners + at);
                    if (exact)
                        spread_window(pool, 2, true, vload(dy + at), winner, to);
                    else
                        spread_window(pool, (int)pool->kernel, false, vload(dy + at), winner, to);
                }
            }
    }
}
