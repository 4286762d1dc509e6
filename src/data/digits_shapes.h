/* The strokes that the generator `digits` draws: several ways to write each digit.
 * Part of the generator's version: a change here changes every example. */
#ifndef DATA_DIGITS_SHAPES_H
#define DATA_DIGITS_SHAPES_H

#include <stdint.h>

#define SHAPE_STROKES 3
#define SHAPE_POINTS 12
#define SHAPE_STYLES 3

enum stroke_kind { STROKE_NONE, STROKE_STRAIGHT, STROKE_SMOOTH };

/* Straight pieces, or a smooth curve, through the points. */
struct stroke {
    enum stroke_kind kind;
    int points;
    int8_t at[SHAPE_POINTS][2]; /* x, y in hundredths, y down; the digit spans -100..100 */
};

struct shape {
    struct stroke strokes[SHAPE_STROKES]; /* up to the first STROKE_NONE */
};

extern const struct shape digit_shapes[10][SHAPE_STYLES];

#endif
