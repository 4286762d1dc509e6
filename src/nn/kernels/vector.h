/* The vectors of one instruction set. Kernel sources are compiled once for each, with KERNEL_ISA
 * set to its name and KERNEL_VECTOR to the floats of its vectors; they see a vector type and these
 * few operations, the rest is plain C arithmetic on vector types (GCC and clang). Multiply-adds are
 * explicit, so that rounding does not depend on what a compiler likes to contract. */
#ifndef SWEEPSTAKE_NN_VECTOR_H
#define SWEEPSTAKE_NN_VECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define VECTOR KERNEL_VECTOR /* 16: AVX-512, 8: AVX2 and FMA, 4: any CPU */

#ifdef __SSE__
#include <immintrin.h>
#endif
#if VECTOR == 4
#include <math.h>
#endif

#define KERNEL_PASTE(name, isa) name##_##isa
#define KERNEL_EXPAND(name, isa) KERNEL_PASTE(name, isa)
#define KERNEL(name) KERNEL_EXPAND(name, KERNEL_ISA)

typedef float vfloat __attribute__((vector_size(4 * VECTOR)));
typedef int32_t vint __attribute__((vector_size(4 * VECTOR)));
typedef uint8_t vbyte __attribute__((vector_size(VECTOR)));

/* Before a loop of a constant number of turns over an array of vectors: unrolled completely, the
 * array lives in registers. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define INLINE static inline __attribute__((always_inline))

INLINE int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

INLINE vfloat vload(const float *from)
{
    vfloat v;
    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void vstore(float *to, vfloat v)
{
    memcpy(to, &v, sizeof v);
}

/* Past the caches, to an address that is a multiple of the vector's size. */
INLINE void vstream(float *to, vfloat v)
{
#if VECTOR == 16
    _mm512_stream_ps(to, (__m512)v);
#elif VECTOR == 8
    _mm256_stream_ps(to, (__m256)v);
#elif defined __SSE__
    _mm_stream_ps(to, (__m128)v);
#else
    vstore(to, v);
#endif
}

/* Other threads see what was streamed before they see what is stored from here on. */
INLINE void vstream_end(void)
{
#ifdef __SSE__
    _mm_sfence();
#endif
}

INLINE vfloat vset(float x)
{
    return x - (vfloat){0};
}

/* Each of four numbers in all lanes; one load with AVX-512. */
INLINE void vset_four(const float from[4], vfloat to[4])
{
#if VECTOR == 16
    const __m512 four = _mm512_castps128_ps512(_mm_loadu_ps(from));
    for (int i = 0; i < 4; i++)
        to[i] = (vfloat)_mm512_permutexvar_ps(_mm512_set1_epi32(i), four);
#else
    for (int i = 0; i < 4; i++)
        to[i] = vset(from[i]);
#endif
}

/* v, loaded once for all its uses: compilers like to make its load a part of each. */
INLINE vfloat vkeep(vfloat v)
{
#ifdef __x86_64__
    __asm__("" : "+v"(v));
#endif
    return v;
}

/* `yes` where the lanes of `mask` are all ones, `no` where they are zero. */
INLINE vfloat vselect(vint mask, vfloat yes, vfloat no)
{
    return (vfloat)((mask & (vint)yes) | (~mask & (vint)no));
}

/* All ones where the byte is not 0. */
INLINE vint vmask(const uint8_t *bytes)
{
    vbyte v;
    memcpy(&v, bytes, sizeof v);
#if VECTOR == 16
    return (vint)_mm512_cvtepu8_epi32((__m128i)v) != 0;
#elif VECTOR == 8
    return (vint)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)v)) != 0;
#else
    return __builtin_convertvector(v, vint) != 0;
#endif
}

/* Bit i: whether lane i is not 0. */
INLINE uint32_t vbits(vint v)
{
#if VECTOR == 16
    return _mm512_test_epi32_mask((__m512i)v, (__m512i)v);
#elif VECTOR == 8
    return (uint32_t)_mm256_movemask_ps((__m256)(v != 0));
#else
    return (uint32_t)((v[0] != 0) | (v[1] != 0) << 1 | (v[2] != 0) << 2 | (v[3] != 0) << 3);
#endif
}

#if VECTOR == 16

INLINE vfloat vfma(vfloat a, vfloat b, vfloat c)
{
    return (vfloat)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

INLINE vfloat vsqrt(vfloat x)
{
    return (vfloat)_mm512_sqrt_ps((__m512)x);
}

/* Lane i of the result is lane place[i] of x. */
INLINE vfloat vpermute(vfloat x, vint place)
{
    return (vfloat)_mm512_permutexvar_ps((__m512i)place, (__m512)x);
}

/* The first `count` lanes; the others are zero, and memory behind them is not touched. */
INLINE vfloat vload_part(const float *from, int64_t count)
{
    return (vfloat)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
}

INLINE void vstore_part(float *to, vfloat v, int64_t count)
{
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)v);
}

/* a0 b0 a1 b1 ...: the first and the second half of the interleaved lanes. */
#define vzip_low(a, b)                                                                             \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define vzip_high(a, b)                                                                            \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

#else

INLINE vfloat vload_part(const float *from, int64_t count)
{
    float lanes[VECTOR] = {0};
    memcpy(lanes, from, (size_t)count * sizeof *from);
    return vload(lanes);
}

INLINE void vstore_part(float *to, vfloat v, int64_t count)
{
    memcpy(to, &v, (size_t)count * sizeof *to);
}

#if VECTOR == 8

INLINE vfloat vfma(vfloat a, vfloat b, vfloat c)
{
    return (vfloat)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

INLINE vfloat vsqrt(vfloat x)
{
    return (vfloat)_mm256_sqrt_ps((__m256)x);
}

INLINE vfloat vpermute(vfloat x, vint place)
{
    return (vfloat)_mm256_permutevar8x32_ps((__m256)x, (__m256i)place);
}

#define vzip_low(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define vzip_high(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)

#else

INLINE vfloat vfma(vfloat a, vfloat b, vfloat c)
{
    return a * b + c;
}

INLINE vfloat vsqrt(vfloat x)
{
    for (int i = 0; i < VECTOR; i++)
        x[i] = sqrtf(x[i]);
    return x;
}

INLINE vfloat vpermute(vfloat x, vint place)
{
    vfloat permuted;
    for (int i = 0; i < VECTOR; i++)
        permuted[i] = x[place[i]];
    return permuted;
}

#define vzip_low(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define vzip_high(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)

#endif
#endif

/* The sum of the lanes: halves are added to halves, in a fixed order. */
INLINE float vsum(vfloat v)
{
    float lanes[VECTOR];
    vstore(lanes, v);
    for (int half = VECTOR / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    return lanes[0];
}

#endif
