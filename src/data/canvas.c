/* Painting, by operations that every machine rounds alike and in loops that vectorise. */
#include "canvas.h"

#define CELL (FIGURE_SIDE / CANVAS_CELLS)

/* Bilinear between the nodes of the cell a pixel is in. */
static void spread(const float nodes[CANVAS_NODES], float texture[FIGURE_PIXELS])
{
    float along[CANVAS_CELLS + 1][FIGURE_SIDE];
    for (int line = 0; line <= CANVAS_CELLS; line++)
        for (int column = 0; column < FIGURE_SIDE; column++) {
            const float *left = nodes + line * (CANVAS_CELLS + 1) + column / CELL;
            float share = ((float)(column % CELL) + 0.5f) / CELL;
            along[line][column] = left[0] + share * (left[1] - left[0]);
        }
    for (int row = 0; row < FIGURE_SIDE; row++) {
        const float *above = along[row / CELL], *below = along[row / CELL + 1];
        float share = ((float)(row % CELL) + 0.5f) / CELL;
        for (int column = 0; column < FIGURE_SIDE; column++)
            texture[row * FIGURE_SIDE + column] =
                above[column] + share * (below[column] - above[column]);
    }
}

void canvas_paint(struct canvas *canvas, const struct paint *paint, const float *coverage)
{
    float texture[FIGURE_PIXELS];
    spread(paint->nodes, texture);
    for (int channel = 0; channel < CANVAS_CHANNELS; channel++) {
        float *pixels = canvas->pixels[channel];
        float base = paint->base[channel], tint = paint->tint[channel];
        for (int i = 0; i < FIGURE_PIXELS; i++) {
            float colour = base + tint * texture[i];
            pixels[i] = coverage ? pixels[i] + coverage[i] * (colour - pixels[i]) : colour;
        }
    }
}

void canvas_develop(const struct canvas *canvas, float noise, const uint8_t grain[CANVAS_BYTES],
                    uint8_t image[CANVAS_BYTES])
{
    const float *pixels = canvas->pixels[0];
    for (int i = 0; i < CANVAS_BYTES; i++) {
        float value = pixels[i] + noise * (((float)grain[i] - 127.5f) * (1.0f / 127.5f));
        value = value > 0.0f ? value : 0.0f;
        value = value < 1.0f ? value : 1.0f;
        image[i] = (uint8_t)(255.0f * value + 0.5f);
    }
}
