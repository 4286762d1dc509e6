/* Selection of the smallest magnitudes, exact and in linear time whatever the values: the magnitude
 * that separates is found digit by digit through histograms of the float's bits, then one sweep
 * clears the mask. Only integers are compared, so that the result cannot depend on the treatment of
 * denormals, and nothing is allocated. */
#include <string.h>

#include "mask.h"

/* The 31 bits of a magnitude as three digits, the highest first. */
struct digit {
    int shift, bits;
};
enum { DIGIT_COUNT = 3, MOST_VALUES = 1 << 11 };
static const struct digit digits[DIGIT_COUNT] = {{20, 11}, {10, 10}, {0, 10}};

/* |x| as an integer in the same order; all NaNs are one value above infinity. */
static uint32_t magnitude_key(float x)
{
    const uint32_t first_nan = 0x7f800001;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits &= 0x7fffffff;
    return bits < first_nan ? bits : first_nan;
}

/* Every key below `key` goes, and the first `ties` of those equal to it. */
struct cutoff {
    uint32_t key;
    int64_t ties;
};

/* Counts the kept elements by their digit, among those whose digits above it are those of `key`. */
static void count_digit(const float *weights, const uint8_t *mask, struct span span, uint32_t key,
                        struct digit digit, int64_t histogram[MOST_VALUES])
{
    int above = digit.shift + digit.bits;
    uint32_t value_mask = (1u << digit.bits) - 1;
    for (int64_t i = span.offset; i < span.offset + span.count; i++) {
        uint32_t other = magnitude_key(weights[i]);
        if (mask[i] && other >> above == key >> above)
            histogram[other >> digit.shift & value_mask]++;
    }
}

/* The cutoff at the key of rank `rank` (from 1) among the kept elements of the spans. */
static struct cutoff find_cutoff(const float *weights, const uint8_t *mask,
                                 const struct span *spans, int span_count, int64_t rank)
{
    struct cutoff cutoff = {0, rank};
    for (int d = 0; d < DIGIT_COUNT; d++) {
        int64_t histogram[MOST_VALUES] = {0};
        for (int s = 0; s < span_count; s++)
            count_digit(weights, mask, spans[s], cutoff.key, digits[d], histogram);
        uint32_t value = 0;
        while (cutoff.ties > histogram[value])
            cutoff.ties -= histogram[value++];
        cutoff.key |= value << digits[d].shift;
    }
    return cutoff;
}

void mask_drop_smallest(const float *weights, const struct span *spans, int span_count,
                        int64_t dropped, uint8_t *mask)
{
    if (dropped == 0)
        return;
    struct cutoff cutoff = find_cutoff(weights, mask, spans, span_count, dropped);
    for (int s = 0; s < span_count; s++) {
        for (int64_t i = spans[s].offset; i < spans[s].offset + spans[s].count; i++) {
            uint32_t key = magnitude_key(weights[i]);
            if (!mask[i] || key > cutoff.key || (key == cutoff.key && cutoff.ties == 0))
                continue;
            cutoff.ties -= key == cutoff.key;
            mask[i] = 0;
        }
    }
}
