/* Random numbers without state: Philox4x32-10 (Salmon et al., SC 2011; Random123) maps
 * (stream, index) to bits, so that any number can be asked for in any order, by any rank.
 * The mapping is part of the format: changing it changes every result. It uses exact integer arithmetic and
 * IEEE +, -, *, / and sqrt only (no libm), so that every machine gets the same bits. */
#ifndef SWEEPSTAKE_BASE_RNG_H
#define SWEEPSTAKE_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Values are frozen: they are in the counter. */
enum rng_purpose {
    RNG_INIT = 1,
    RNG_ORDER = 2,
    RNG_AUGMENT = 3,
    RNG_DROPOUT = 4,
    RNG_MASK = 5,
    RNG_SPLIT = 6,
    RNG_GENERATOR = 7,
    RNG_SIMULATION = 8, /* of schedules: no result depends on it */
};

/* One sequence of 2^64 blocks: key = seed, counter = {index, purpose, draw}. */
struct rng_stream {
    uint64_t seed;
    uint32_t purpose; /* enum rng_purpose */
    uint32_t draw;    /* 0 is the experiment's own; controls use 1, 2, ... */
};

/* The 128 random bits at `index`. */
void rng_block(struct rng_stream stream, uint64_t index, uint32_t out[4]);
/* The first word of the block at `index`. */
uint32_t rng_u32(struct rng_stream stream, uint64_t index);
/* In [0, 1), 24 bits. */
float rng_uniform(struct rng_stream stream, uint64_t index);
/* In [0, bound), bound >= 1, without bias worth the name (64-bit multiply). */
uint64_t rng_below(struct rng_stream stream, uint64_t index, uint64_t bound);
/* out[i] = standard normal number `first + i` of the stream, whatever `first` and `count`
 * (Box-Muller in double precision, rounded to float; block b gives numbers 2b and 2b + 1; 8.6 is the largest). */
void rng_normal(struct rng_stream stream, uint64_t first, float *out, size_t count);
/* out = a permutation of 0..count-1 (Fisher-Yates over blocks (salt << 32) + i; count < 2^32). */
void rng_permutation(struct rng_stream stream, uint32_t salt, uint32_t *out, uint32_t count);

#endif
