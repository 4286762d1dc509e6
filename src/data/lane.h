/* A lane: examples of a batch whose columns stand side by side, and what fills one with the widest
 * vectors there are. */
#ifndef DATA_LANE_H
#define DATA_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "turn.h"

/* byte / 255 rounded once, without a division: 1/255 is split into a part short enough for an exact
 * product and the rest, so that the sum is the only rounding that matters. A test compares all 256.
 */
#define RECIPROCAL_HIGH 0x1.01p-8f
#define RECIPROCAL_LOW 0x1.010102p-24f

/* Of a channel, for each column of a lane: columns without an example have zeros, which makes zeros
 * of whatever is there. */
struct lane_scale {
    float factors[TILE], offsets[TILE];
};

struct lane {
    const uint8_t *rows[TILE]; /* of this channel */
    const uint8_t *next[TILE]; /* of the lane after this one; NULL: to be left alone */
    int32_t count, width;      /* examples, columns */
    float *to;                 /* the channel's feature 0 */
    size_t stride;
    struct lane_scale scale;
    bool is_scaled; /* else factors are 1 and offsets 0 where examples are */
};

/* Sets the first features of a lane of 16 columns, a channel's, all but the last 63 at most;
 * returns how many. None where the CPU does not have these instructions. */
size_t lane_fill_wide(const struct lane *lane, size_t features);

/* Sets all features, whose bytes stand in a row each; returns how many, or 0 as above. */
size_t lane_store_wide(const struct lane *lane, const bytes16 *rows, size_t features);

#endif
