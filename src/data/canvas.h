/* A colour picture while the generator `shapes` paints it. */
#ifndef DATA_CANVAS_H
#define DATA_CANVAS_H

#include <stdint.h>

#include "figures.h"

#define CANVAS_CHANNELS 3
#define CANVAS_BYTES (CANVAS_CHANNELS * FIGURE_PIXELS)
#define CANVAS_CELLS 4 /* of a texture's lattice, along each side */
#define CANVAS_NODES ((CANVAS_CELLS + 1) * (CANVAS_CELLS + 1))

struct canvas {
    float pixels[CANVAS_CHANNELS][FIGURE_PIXELS]; /* grey levels, about 0 to 1 */
};

/* A colour that varies over the picture: value = base + tint x texture, where the texture runs
 * smoothly between random nodes from -1 to 1. */
struct paint {
    float base[CANVAS_CHANNELS], tint[CANVAS_CHANNELS];
    float nodes[CANVAS_NODES];
};

/* Covers the share `coverage` of each pixel; NULL = all of it. */
void canvas_paint(struct canvas *canvas, const struct paint *paint, const float *coverage);

/* Bytes, after noise of at most `noise` from a random byte each. */
void canvas_develop(const struct canvas *canvas, float noise, const uint8_t grain[CANVAS_BYTES],
                    uint8_t image[CANVAS_BYTES]);

#endif
