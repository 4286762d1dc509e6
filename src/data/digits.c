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
#include <inttypes.h>
#include <stdio.h>

#include "digits_raster.h"
#include "digits_shapes.h"
#include "source.h"

#define VERSION 1 /* raised with every change of the examples: it is in task keys */
#define CLASSES 10
#define TRAIN_DEFAULT 60000
#define TEST_DEFAULT 10000

#define TREMBLE 0.20 /* displacement of control points, shape units */

/* Blocks of random bits of one example. Shapes use the first half, noise the second. */
#define EXAMPLE_BLOCKS 256
#define NOISE_BLOCK 128

/* A cursor over an example's random words. */
struct dice {
    struct rng_stream stream;
    uint64_t block;
    int used; /* of `words` */
    uint32_t words[4];
};

static uint32_t roll(struct dice *dice)
{
    if (dice->used == 4) {
        rng_block(dice->stream, dice->block++, dice->words);
        dice->used = 0;
    }
    return dice->words[dice->used++];
}

/* 0..sides-1 */
static uint32_t roll_below(struct dice *dice, uint32_t sides)
{
    return (uint32_t)(((uint64_t)roll(dice) * sides) >> 32);
}

/* low..high, uniform */
static double roll_between(struct dice *dice, double low, double high)
{
    return low + (high - low) * ((double)roll(dice) * 0x1p-32);
}

/* -size..size, denser near 0 */
static double roll_around(struct dice *dice, double size)
{
    return size * (((double)roll(dice) + (double)roll(dice)) * 0x1p-32 - 1.0);
}

/* How one example is written: (x, y) of the shape goes through a bend, then an affine map. */
struct hand {
    double xx, xy, yx, yy, x0, y0; /* affine, pixels a shape unit */
    double bend_x, bend_y;
};

/* The order in which the dice are rolled is part of the version: one roll a statement. */
static struct hand draw_hand(struct dice *dice)
{
    double half = roll_around(dice, 0.22); /* tan of half the angle: rotation without sin and cos */
    double cosine = (1 - half * half) / (1 + half * half), sine = 2 * half / (1 + half * half);
    double shear = roll_around(dice, 0.6);
    double wide = roll_between(dice, 7.0, 10.5);
    double high = roll_between(dice, 8.0, 10.5);
    struct hand hand = {
        .xx = cosine * wide,
        .xy = (-sine + shear) * high,
        .yx = sine * wide,
        .yy = cosine * high,
    };
    hand.x0 = 13.5 + roll_around(dice, 3.0);
    hand.y0 = 13.5 + roll_around(dice, 3.0);
    hand.bend_x = roll_around(dice, 0.35);
    hand.bend_y = roll_around(dice, 0.35);
    return hand;
}

static struct ink draw_ink(struct dice *dice)
{
    struct ink ink;
    ink.half_width = (float)roll_between(dice, 0.7, 1.6);
    ink.softness = (float)roll_between(dice, 1.0, 2.0);
    ink.darkness = (float)roll_between(dice, 0.6, 1.0);
    ink.blur = (float)roll_between(dice, 0.0, 0.25);
    ink.noise = (float)roll_between(dice, 0.0, 0.4);
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
        double x = stroke->at[i][0] / 100.0 + roll_around(dice, TREMBLE);
        double y = stroke->at[i][1] / 100.0 + roll_around(dice, TREMBLE);
        points[i] = place(hand, x, y);
    }
    if (stroke->kind == STROKE_SMOOTH)
        raster_curve(raster, points, stroke->points);
    else
        raster_lines(raster, points, stroke->points);
}

/* A random byte a pixel. */
static void draw_grain(struct rng_stream stream, uint64_t block, uint8_t grain[RASTER_PIXELS])
{
    for (int i = 0; i < RASTER_PIXELS; i += 16) {
        uint32_t words[4];
        rng_block(stream, block++, words);
        for (int byte = 0; byte < 16; byte++)
            grain[i + byte] = (uint8_t)(words[byte / 4] >> 8 * (byte % 4));
    }
}

static uint8_t draw_example(struct rng_stream stream, uint64_t example, uint8_t *image)
{
    uint64_t block = example * EXAMPLE_BLOCKS;
    struct dice dice = {.stream = stream, .block = block, .used = 4};
    uint32_t label = roll_below(&dice, CLASSES);
    const struct shape *shape = &digit_shapes[label][roll_below(&dice, SHAPE_STYLES)];
    struct hand hand = draw_hand(&dice);
    struct ink ink = draw_ink(&dice);
    struct raster raster;
    raster_clear(&raster);
    for (int i = 0; i < SHAPE_STROKES && shape->strokes[i].kind != STROKE_NONE; i++)
        draw_stroke(&raster, &shape->strokes[i], &hand, &dice);
    uint8_t grain[RASTER_PIXELS];
    draw_grain(stream, block + NOISE_BLOCK, grain);
    raster_develop(&raster, &ink, grain, image);
    return (uint8_t)label;
}

static void draw_part(const struct dataset_request *request, uint32_t part, int64_t count,
                      uint8_t *images, uint8_t *labels)
{
    struct rng_stream stream = {(uint64_t)request->seed, RNG_GENERATOR, part};
    for (int64_t i = 0; i < count; i++)
        labels[i] = draw_example(stream, (uint64_t)i, images + i * RASTER_PIXELS);
}

static int digits_describe(const struct dataset_request *request, struct dataset_info *info,
                           struct error *err)
{
    (void)err;
    *info = (struct dataset_info){
        .channels = 1,
        .height = RASTER_SIDE,
        .width = RASTER_SIDE,
        .classes = CLASSES,
        .train = request->train == -1 ? TRAIN_DEFAULT : request->train,
        .test = request->test == -1 ? TEST_DEFAULT : request->test,
    };
    return 0;
}

static int digits_fill(const struct dataset_request *request, struct dataset *dataset,
                       struct error *err)
{
    (void)err;
    const struct dataset_info *info = &dataset->info;
    draw_part(request, 0, info->train + info->validation, dataset->train_images,
              dataset->train_labels);
    draw_part(request, 1, info->test, dataset->test_images, dataset->test_labels);
    return 0;
}

static struct hash128 digits_content(const struct dataset_info *info,
                                     const struct dataset_request *request)
{
    char text[128];
    int length = snprintf(text, sizeof text,
                          "digits %d: seed %" PRId64 ", %" PRId64 " training, %" PRId64 " test",
                          VERSION, request->seed, info->train + info->validation, info->test);
    return hash128_of(text, (size_t)length);
}

const struct data_source digits_source = {
    .describe = digits_describe, .fill = digits_fill, .content = digits_content};
