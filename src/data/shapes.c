/* The generator `shapes`: colour pictures of ten figures (figures.h), 32 x 32, so that
 * convolutional grids run with no download. The label is that of the large figure; small ones of
 * any kind lie about it, ground and figures have textures of their own, and everything is noisy.
 *
 * Example i of a part is a function of (seed, part, i) alone, whatever the number of examples, and
 * the same bytes on every machine (see digits.c for how).
 *
 * Calibrated so that there is something to learn: of 10,000 examples, a narrow conv-2 (16 channels)
 * knows two thirds of the test set after 1,000 iterations and lenet-300-100 a third. */
#include "canvas.h"
#include "dice.h"
#include "generator.h"

/* Blocks of random bits of one example. The drawing uses the first half, noise the second. */
#define EXAMPLE_BLOCKS 512
#define NOISE_BLOCK 256

#define MOST_CLUTTER 3 /* small figures */

/* The order in which the dice are rolled is part of the version: one roll a statement. */

/* Turned by up to 30 degrees, a little wider or narrower than high. `radius` in pixels. */
static struct figure_pose draw_pose(struct dice *dice, double radius, double spread)
{
    double half = dice_between(dice, -0.27, 0.27); /* tan of half the angle: no sin, no cos */
    double cosine = (1 - half * half) / (1 + half * half), sine = 2 * half / (1 + half * half);
    double wide = 1 / (radius * dice_between(dice, 0.8, 1.2));
    double high = 1 / (radius * dice_between(dice, 0.8, 1.2));
    struct figure_pose pose = {
        .xx = (float)(cosine * wide),
        .xy = (float)(sine * wide),
        .yx = (float)(-sine * high),
        .yy = (float)(cosine * high),
    };
    pose.column0 = (float)(15.5 + dice_between(dice, -spread, spread));
    pose.row0 = (float)(15.5 + dice_between(dice, -spread, spread));
    return pose;
}

static struct paint draw_paint(struct dice *dice, double tint)
{
    struct paint paint;
    for (int channel = 0; channel < CANVAS_CHANNELS; channel++) {
        paint.base[channel] = (float)dice_between(dice, 0.1, 0.9);
        paint.tint[channel] = (float)dice_between(dice, -tint, tint);
    }
    for (int node = 0; node < CANVAS_NODES; node++)
        paint.nodes[node] = (float)dice_between(dice, -1.0, 1.0);
    return paint;
}

/* Keeps the colour's distance from the ground's: where they are near, it goes to the other side. */
static void set_off(struct dice *dice, const struct paint *ground, struct paint *paint)
{
    for (int channel = 0; channel < CANVAS_CHANNELS; channel++) {
        float from = ground->base[channel];
        float distance = (float)dice_between(dice, 0.15, 0.6);
        paint->base[channel] = from > 0.5f ? from - distance : from + distance;
    }
}

static void add_figure(struct canvas *canvas, enum figure figure, const struct figure_pose *pose,
                       double sharpness, const struct paint *paint)
{
    float coverage[FIGURE_PIXELS];
    figure_cover(figure, pose, (float)sharpness, coverage);
    canvas_paint(canvas, paint, coverage);
}

static void add_clutter(struct canvas *canvas, struct dice *dice)
{
    uint32_t count = dice_below(dice, MOST_CLUTTER + 1);
    for (uint32_t i = 0; i < count; i++) {
        enum figure figure = (enum figure)dice_below(dice, FIGURES);
        double radius = dice_between(dice, 2.0, 4.0);
        struct figure_pose pose = draw_pose(dice, radius, 14.0);
        struct paint paint = draw_paint(dice, 0.1);
        add_figure(canvas, figure, &pose, radius, &paint);
    }
}

static uint8_t draw_example(struct rng_stream stream, uint64_t example, uint8_t *image)
{
    uint64_t block = example * EXAMPLE_BLOCKS;
    struct dice dice = dice_at(stream, block);
    enum figure figure = (enum figure)dice_below(&dice, FIGURES);
    struct canvas canvas;
    struct paint ground = draw_paint(&dice, 0.2);
    canvas_paint(&canvas, &ground, NULL);
    add_clutter(&canvas, &dice);
    double radius = dice_between(&dice, 9.0, 13.0);
    struct figure_pose pose = draw_pose(&dice, radius, 3.0);
    struct paint paint = draw_paint(&dice, 0.15);
    set_off(&dice, &ground, &paint);
    double sharpness = radius / dice_between(&dice, 1.0, 2.5);
    add_figure(&canvas, figure, &pose, sharpness, &paint);
    double noise = dice_between(&dice, 0.0, 0.3);
    uint8_t grain[CANVAS_BYTES];
    dice_grain(stream, block + NOISE_BLOCK, grain, CANVAS_BYTES);
    canvas_develop(&canvas, (float)noise, grain, image);
    return (uint8_t)figure;
}

const struct generator shapes_generator = {
    .name = "shapes",
    .version = 1,
    .channels = CANVAS_CHANNELS,
    .height = FIGURE_SIDE,
    .width = FIGURE_SIDE,
    .classes = FIGURES,
    .train = 50000,
    .test = 10000,
    .draw = draw_example,
};
