/* Random numbers as a function of (stream, index): Philox4x32-10 and what is made of its bits.
 *
 * Everything here is exact integer arithmetic or IEEE double arithmetic of +, -, *, / and sqrt, so
 * that every machine computes the same bits. That is why Box-Muller brings its own logarithm and
 * sine: libm's differ in the last bit between versions, and between CPUs with and without FMA. */
#include "base/rng.h"

#include <Random123/philox.h>
#include <math.h>
#include <string.h>

void rng_block(struct rng_stream stream, uint64_t index, uint32_t out[4])
{
    philox4x32_ctr_t counter = {
        {(uint32_t)index, (uint32_t)(index >> 32), stream.purpose, stream.draw}};
    philox4x32_key_t key = {{(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)}};
    philox4x32_ctr_t bits = philox4x32(counter, key);
    memcpy(out, bits.v, sizeof bits.v);
}

uint32_t rng_u32(struct rng_stream stream, uint64_t index)
{
    uint32_t words[4];
    rng_block(stream, index, words);
    return words[0];
}

float rng_uniform(struct rng_stream stream, uint64_t index)
{
    return (float)(rng_u32(stream, index) >> 8) * 0x1p-24f;
}

static uint64_t join(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

uint64_t rng_below(struct rng_stream stream, uint64_t index, uint64_t bound)
{
    uint32_t words[4];
    rng_block(stream, index, words);
    __extension__ typedef unsigned __int128 product;
    return (uint64_t)((product)join(words[0], words[1]) * bound >> 64);
}

/* log(x) for normal x > 0: x = 2^e m with m in [sqrt(1/2), sqrt(2)), and
 * log(m) = 2 artanh((m - 1) / (m + 1)) by its series; relative error below 1e-15. */
static double log_exact(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint64_t sqrt_half = 0x3fe6a09e667f3bcd; /* the bits of sqrt(1/2) */
    int64_t exponent = (int64_t)(bits - sqrt_half) >> 52;
    bits -= (uint64_t)exponent << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    double s = (m - 1) / (m + 1), z = s * s;
    double series = 1.0 / 21;
    for (int n = 19; n >= 1; n -= 2)
        series = series * z + 1.0 / n;
    return (double)exponent * 0x1.62e42fefa39efp-1 + 2 * s * series;
}

/* Cosine and sine of 2 pi bits / 2^64: the top bits choose the quarter around the nearest of
 * 0, 1/4, 1/2, 3/4 turns, the others the angle in it, where the Taylor series are exact enough. */
static void cos_sin_turn(uint64_t bits, double *cosine, double *sine)
{
    uint64_t shifted = bits + (UINT64_C(1) << 61);
    unsigned quarter = (unsigned)(shifted >> 62);
    int64_t offset = (int64_t)(bits - ((uint64_t)quarter << 62)); /* in [-2^61, 2^61) */
    double x = (double)(offset >> 9) * (0x1.921fb54442d18p+2 * 0x1p-55), z = x * x;
    double c = 1.0, s = 1.0;
    for (int n = 16; n >= 2; n -= 2) {
        c = 1 - c * z * (1.0 / (n * (n - 1)));
        s = 1 - s * z * (1.0 / (n * (n + 1)));
    }
    s *= x;
    double turned_c = quarter & 1 ? -s : c, turned_s = quarter & 1 ? c : s;
    *cosine = quarter & 2 ? -turned_c : turned_c;
    *sine = quarter & 2 ? -turned_s : turned_s;
}

/* Numbers 2 block and 2 block + 1 of the stream. */
static void normal_pair(struct rng_stream stream, uint64_t block, float pair[2])
{
    uint32_t words[4];
    rng_block(stream, block, words);
    double u = (double)((join(words[0], words[1]) >> 11) + 1) * 0x1p-53; /* in (0, 1] */
    double radius = sqrt(-2 * log_exact(u)), cosine, sine;
    cos_sin_turn(join(words[2], words[3]), &cosine, &sine);
    pair[0] = (float)(radius * cosine);
    pair[1] = (float)(radius * sine);
}

void rng_normal(struct rng_stream stream, uint64_t first, float *out, size_t count)
{
    float pair[2];
    size_t done = 0;
    if (count > 0 && first % 2 == 1) {
        normal_pair(stream, first / 2, pair);
        out[done++] = pair[1];
    }
    for (; count - done >= 2; done += 2)
        normal_pair(stream, (first + done) / 2, out + done);
    if (done < count) {
        normal_pair(stream, (first + done) / 2, pair);
        out[done] = pair[0];
    }
}

void rng_permutation(struct rng_stream stream, uint32_t salt, uint32_t *out, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = i;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t last = i - 1;
        uint64_t other = rng_below(stream, join(last, salt), i);
        uint32_t kept = out[last];
        out[last] = out[other];
        out[other] = kept;
    }
}
