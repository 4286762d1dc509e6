/* A 28 x 28 drawing: lines and curves leave their distance to every pixel near them; developing
 * turns distances into grey levels. Coordinates are pixels, (0, 0) the centre of the first, y down.
 */
#ifndef DATA_DIGITS_RASTER_H
#define DATA_DIGITS_RASTER_H

#include <stdint.h>

#define RASTER_SIDE 28
#define RASTER_PIXELS (RASTER_SIDE * RASTER_SIDE)

struct point {
    float x, y;
};

struct raster {
    float squares[RASTER_PIXELS]; /* squared distance to the nearest stroke */
};

/* What the pen and the paper are like. Lengths in pixels, grey levels from 0 to 1. */
struct ink {
    float half_width;
    float softness; /* width of the edge */
    float darkness; /* grey level of a stroke's middle */
    float blur;     /* share that goes to each neighbour in a row or column, 0 .. 1/3 */
    float noise;    /* largest change of a pixel */
};

void raster_clear(struct raster *raster);
/* Straight lines from point to point. */
void raster_lines(struct raster *raster, const struct point *points, int count);
/* A smooth curve (Catmull and Rom, 1974) through the points. */
void raster_curve(struct raster *raster, const struct point *points, int count);
/* Grey levels; grain is a random byte a pixel. */
void raster_develop(const struct raster *raster, const struct ink *ink,
                    const uint8_t grain[RASTER_PIXELS], uint8_t image[RASTER_PIXELS]);

#endif
