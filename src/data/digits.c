/* The generator `digits`: handwriting-like grey digits drawn from strokes, so that nothing needs a
 * download.
 *
 * Example i of a part is a function of (seed, part, i) alone, whatever the number of examples. It
 * is the same bytes on every machine: only operations that IEEE 754 rounds exactly are used (no
 * library function but the square root), none is contracted, and random numbers are counters.
 *
 * How much the writing varies was calibrated on lenet-300-100 with the paper's settings: dense,
 * about 98% of the test examples with 55,000 training examples and 95% with 9,000; at 4.5%
 * remaining, tickets at 98% and their reinit controls at 95%. */
#include "dice.h"
#include "digits_raster.h"
#include "digits_shapes.h"
#include "generator.h"

#define CLASSES 10

#define TREMBLE 0.20 /* displacement of control points, shape units */

/* Blocks of random bits of one example. Shapes use the first half, noise the second. */
#define EXAMPLE_BLOCKS 256
#define NOISE_BLOCK 128

/* How one example is written: (x, y) of the shape goes through a bend, then an affine map. */
struct hand {
    double xx, xy, yx, yy, x0, y0; /* affine, pixels a shape unit */
    double bend_x, bend_y;
};

/* The order in which the dice are rolled is part of the version: one roll a statement. */
static struct hand draw_hand(struct dice *dice)
{
    double half = dice_around(dice, 0.22); /* tan of half the angle: rotation without sin and cos */
    double cosine = (1 - half * half) / (1 + half * half), sine = 2 * half / (1 + half * half);
    double shear = dice_around(dice, 0.6);
    double wide = dice_between(dice, 7.0, 10.5);
    double high = dice_between(dice, 8.0, 10.5);
    struct hand hand = {
        .xx = cosine * wide,
        .xy = (-sine + shear) * high,
        .yx = sine * wide,
        .yy = cosine * high,
    };
    hand.x0 = 13.5 + dice_around(dice, 3.0);
    hand.y0 = 13.5 + dice_around(dice, 3.0);
    hand.bend_x = dice_around(dice, 0.35);
    hand.bend_y = dice_around(dice, 0.35);
    return hand;
}

static struct ink draw_ink(struct dice *dice)
{
    struct ink ink;
    ink.half_width = (float)dice_between(dice, 0.7, 1.6);
    ink.softness = (float)dice_between(dice, 1.0, 2.0);
    ink.darkness = (float)dice_between(dice, 0.6, 1.0);
    ink.blur = (float)dice_between(dice, 0.0, 0.25);
    ink.noise = (float)dice_between(dice, 0.0, 0.4);
    return ink;
}

static struct point place(const struct hand *hand, double x, double y)
{
    double u = x + hand->bend_x * y * y, v = y + hand->bend_y * x * x;
    return (struct point){(float)(hand->xx * u + hand->xy * v + hand->x0),
                          (float)(hand->yx * u + hand->yy * v + hand->y0)};
}

static void draw_stroke(struct raster *raster, const struct stroke *stroke, const struct hand *hand,
                        struct dice *dice)
{
    struct point points[SHAPE_POINTS];
    for (int i = 0; i < stroke->points; i++) {
        double x = stroke->at[i][0] / 100.0 + dice_around(dice, TREMBLE);
        double y = stroke->at[i][1] / 100.0 + dice_around(dice, TREMBLE);
        points[i] = place(hand, x, y);
    }
    if (stroke->kind == STROKE_SMOOTH)
        raster_curve(raster, points, stroke->points);
    else
        raster_lines(raster, points, stroke->points);
}

static uint8_t draw_example(struct rng_stream stream, uint64_t example, uint8_t *image)
{
    uint64_t block = example * EXAMPLE_BLOCKS;
    struct dice dice = dice_at(stream, block);
    uint32_t label = dice_below(&dice, CLASSES);
    const struct shape *shape = &digit_shapes[label][dice_below(&dice, SHAPE_STYLES)];
    struct hand hand = draw_hand(&dice);
    struct ink ink = draw_ink(&dice);
    struct raster raster;
    raster_clear(&raster);
    for (int i = 0; i < SHAPE_STROKES && shape->strokes[i].kind != STROKE_NONE; i++)
        draw_stroke(&raster, &shape->strokes[i], &hand, &dice);
    uint8_t grain[RASTER_PIXELS];
    dice_grain(stream, block + NOISE_BLOCK, grain, RASTER_PIXELS);
    raster_develop(&raster, &ink, grain, image);
    return (uint8_t)label;
}

const struct generator digits_generator = {
    .name = "digits",
    .version = 1,
    .channels = 1,
    .height = RASTER_SIDE,
    .width = RASTER_SIDE,
    .classes = CLASSES,
    .train = 60000,
    .test = 10000,
    .draw = draw_example,
};
