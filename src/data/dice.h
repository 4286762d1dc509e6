/* A cursor over the random words of one generated example. */
#ifndef DATA_DICE_H
#define DATA_DICE_H

#include <stdint.h>

#include "base/rng.h"

struct dice {
    struct rng_stream stream;
    uint64_t block; /* the next one */
    int used;       /* of `words`; 4 = all */
    uint32_t words[4];
};

/* The words from `block` on. */
struct dice dice_at(struct rng_stream stream, uint64_t block);

/* 0..sides-1 */
uint32_t dice_below(struct dice *dice, uint32_t sides);
/* low..high, uniform */
double dice_between(struct dice *dice, double low, double high);
/* -size..size, denser near 0 */
double dice_around(struct dice *dice, double size);

/* Random bytes: `count`, a multiple of 16, from `block` on. */
void dice_grain(struct rng_stream stream, uint64_t block, uint8_t *grain, int count);

#endif
