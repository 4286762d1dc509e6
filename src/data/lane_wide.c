/* Lanes with AVX-512: four tiles are transposed side by side, and converted a feature an
 * instruction. The operations are those of batch.c, so the bits too. */
#include "lane.h"

#if defined __x86_64__ && defined __linux__

#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512bw")))
#define WIDE_INLINE WIDE static inline __attribute__((always_inline))

/* A lane's scale in registers. */
struct scale {
    __m512 factors, offsets;
    __mmask16 there;
    bool is_scaled;
};

WIDE_INLINE struct scale scale_of(const struct lane *lane)
{
    return (struct scale){_mm512_loadu_ps(lane->scale.factors),
                          _mm512_loadu_ps(lane->scale.offsets),
                          (__mmask16)((1u << lane->count) - 1), lane->is_scaled};
}

WIDE_INLINE void store(__m128i bytes, struct scale scale, float *to)
{
    const __m512 x = _mm512_cvtepi32_ps(_mm512_maskz_cvtepu8_epi32(scale.there, bytes));
    const __m512 high = _mm512_set1_ps(RECIPROCAL_HIGH); /* its product is exact */
    const __m512 unit = _mm512_fmadd_ps(x, high, _mm512_mul_ps(x, _mm512_set1_ps(RECIPROCAL_LOW)));
    _mm512_storeu_ps(to, scale.is_scaled
                             ? _mm512_add_ps(_mm512_mul_ps(unit, scale.factors), scale.offsets)
                             : unit);
}

WIDE static size_t store_features(const struct lane *lane, const bytes16 *rows, size_t features)
{
    const struct scale scale = scale_of(lane);
    float *to = lane->to;
    for (size_t i = 0, stride = lane->stride; i < features; i++, to += stride)
        store((__m128i)rows[i], scale, to);
    return features;
}

/* Interleaves the low, then the high halves of each quarter of two rows; as in turn.h. */
WIDE_INLINE void interleave(const __m512i from[TILE], __m512i to[TILE])
{
    for (int i = 0; i < TILE / 2; i++) {
        to[2 * i] = _mm512_unpacklo_epi8(from[i], from[i + TILE / 2]);
        to[2 * i + 1] = _mm512_unpackhi_epi8(from[i], from[i + TILE / 2]);
    }
}

WIDE static size_t fill_tiles(const struct lane *at, size_t features)
{
    enum { TILES = 4 };
    const struct lane lane = *at;
    const struct scale scale = scale_of(at);
    size_t first = 0;
    for (; first + TILES * TILE <= features; first += TILES * TILE) {
        __m512i a[TILE], b[TILE];
        for (int32_t i = 0; i < TILE; i++) {
            a[i] =
                i < lane.count ? _mm512_loadu_si512(lane.rows[i] + first) : _mm512_setzero_si512();
            if (lane.next[i])
                __builtin_prefetch(lane.next[i] + first);
        }
        interleave(a, b);
        interleave(b, a);
        interleave(a, b);
        interleave(b, a);
        for (size_t i = 0; i < TILE; i++) {
            float *to = lane.to + (first + i) * lane.stride;
            const size_t tile = TILE * lane.stride;
            store(_mm512_extracti32x4_epi32(a[i], 0), scale, to);
            store(_mm512_extracti32x4_epi32(a[i], 1), scale, to + tile);
            store(_mm512_extracti32x4_epi32(a[i], 2), scale, to + 2 * tile);
            store(_mm512_extracti32x4_epi32(a[i], 3), scale, to + 3 * tile);
        }
    }
    return first;
}

static bool has_instructions(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

size_t lane_fill_wide(const struct lane *lane, size_t features)
{
    return has_instructions() ? fill_tiles(lane, features) : 0;
}

size_t lane_store_wide(const struct lane *lane, const bytes16 *rows, size_t features)
{
    return has_instructions() ? store_features(lane, rows, features) : 0;
}

#else

size_t lane_fill_wide(const struct lane *lane, size_t features)
{
    (void)lane;
    (void)features;
    return 0;
}

size_t lane_store_wide(const struct lane *lane, const bytes16 *rows, size_t features)
{
    (void)rows;
    return lane_fill_wide(lane, features);
}

#endif
