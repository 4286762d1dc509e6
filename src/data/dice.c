/* Random numbers of the generators, by exact arithmetic. */
#include "dice.h"

struct dice dice_at(struct rng_stream stream, uint64_t block)
{
    return (struct dice){.stream = stream, .block = block, .used = 4};
}

static uint32_t roll(struct dice *dice)
{
    if (dice->used == 4) {
        rng_block(dice->stream, dice->block++, dice->words);
        dice->used = 0;
    }
    return dice->words[dice->used++];
}

uint32_t dice_below(struct dice *dice, uint32_t sides)
{
    return (uint32_t)(((uint64_t)roll(dice) * sides) >> 32);
}

double dice_between(struct dice *dice, double low, double high)
{
    return low + (high - low) * ((double)roll(dice) * 0x1p-32);
}

double dice_around(struct dice *dice, double size)
{
    double first = (double)roll(dice);
    return size * ((first + (double)roll(dice)) * 0x1p-32 - 1.0);
}

void dice_grain(struct rng_stream stream, uint64_t block, uint8_t *grain, int count)
{
    for (int i = 0; i < count; i += 16) {
        uint32_t words[4];
        rng_block(stream, block++, words);
        for (int byte = 0; byte < 16; byte++)
            grain[i + byte] = (uint8_t)(words[byte / 4] >> 8 * (byte % 4));
    }
}
