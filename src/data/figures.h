/* The ten figures of the generator `shapes`, by distance: how far a point is from a figure's edge,
 * negative inside. Part of the generator's version. */
#ifndef DATA_FIGURES_H
#define DATA_FIGURES_H

#define FIGURE_SIDE 32 /* pixels */
#define FIGURE_PIXELS (FIGURE_SIDE * FIGURE_SIDE)

/* In the order of the labels. */
enum figure {
    FIGURE_DISC,
    FIGURE_SQUARE,
    FIGURE_TRIANGLE,
    FIGURE_CROSS,
    FIGURE_RING,
    FIGURE_STAR,
    FIGURE_BARS,
    FIGURE_CHECKER,
    FIGURE_FRAME,
    FIGURE_CRESCENT,
    FIGURES
};

/* Where a figure lies: pixel (column, row) is the figure's (x, y), which spans about -1..1, by
 * x = xx (column - column0) + xy (row - row0), y alike. */
struct figure_pose {
    float xx, xy, yx, yy, column0, row0;
};

/* How much of each pixel the figure covers, 0 to 1; sharpness: 1 / width of the edge, in its own
 * units. */
void figure_cover(enum figure figure, const struct figure_pose *pose, float sharpness,
                  float coverage[FIGURE_PIXELS]);

#endif
