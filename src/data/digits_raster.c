/* Drawing strokes by distance. Only additions, products, quotients, comparisons and square roots of
 * floats, in a fixed order: every machine gives the same bytes. A line touches only the rows within
 * REACH of it, and whole rows there, so that the inner loops are of fixed length and vectorise. */
#include "digits_raster.h"

#include <math.h>

#define REACH 3.5f      /* pixels: beyond the widest stroke and its edge */
#define FAR (100 * 100) /* a squared distance outside of every stroke */
#define CURVE_PIECES 3  /* lines a piece of a curve between two points */

void raster_clear(struct raster *raster)
{
    for (int i = 0; i < RASTER_PIXELS; i++)
        raster->squares[i] = FAR;
}

static float clamp(float value, float low, float high)
{
    value = value > low ? value : low;
    return value < high ? value : high;
}

static void draw_row(float squares[RASTER_SIDE], float y, struct point from, struct point along,
                     float scale)
{
    float down = y - from.y, start = down * along.y;
    for (int i = 0; i < RASTER_SIDE; i++) {
        float right = (float)i - from.x;
        float t = clamp((right * along.x + start) * scale, 0.0f, 1.0f);
        float dx = right - t * along.x, dy = down - t * along.y;
        float square = dx * dx + dy * dy;
        squares[i] = square < squares[i] ? square : squares[i];
    }
}

static void draw_line(struct raster *raster, struct point from, struct point to)
{
    struct point along = {to.x - from.x, to.y - from.y};
    float scale = 1.0f / (along.x * along.x + along.y * along.y + 1e-6f);
    float upper = from.y < to.y ? from.y : to.y, lower = from.y < to.y ? to.y : from.y;
    int first = (int)clamp(upper - REACH + 1.0f, 0.0f, RASTER_SIDE);
    int end = (int)clamp(lower + REACH + 1.0f, 0.0f, RASTER_SIDE);
    for (int row = first; row < end; row++)
        draw_row(raster->squares + row * RASTER_SIDE, (float)row, from, along, scale);
}

void raster_lines(struct raster *raster, const struct point *points, int count)
{
    for (int i = 0; i + 1 < count; i++)
        draw_line(raster, points[i], points[i + 1]);
}

static float spline(float a, float b, float c, float d, float t)
{
    return b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

void raster_curve(struct raster *raster, const struct point *points, int count)
{
    struct point last = points[0];
    for (int i = 0; i + 1 < count; i++) {
        struct point a = points[i > 0 ? i - 1 : 0], b = points[i], c = points[i + 1];
        struct point d = points[i + 2 < count ? i + 2 : count - 1];
        for (int piece = 1; piece <= CURVE_PIECES; piece++) {
            float t = (float)piece / CURVE_PIECES;
            struct point next = {spline(a.x, b.x, c.x, d.x, t), spline(a.y, b.y, c.y, d.y, t)};
            draw_line(raster, last, next);
            last = next;
        }
    }
}

/* [share, 1 - 2 share, share] along one direction; what falls off the edge is lost. */
static void blur(const float *from, float *to, float share, int step, int across)
{
    for (int line = 0; line < RASTER_SIDE; line++) {
        const float *in = from + line * across;
        float *out = to + line * across, before = 0.0f;
        for (int i = 0; i < RASTER_SIDE; i++) {
            float after = i + 1 < RASTER_SIDE ? in[(i + 1) * step] : 0.0f;
            out[i * step] = (1.0f - 2.0f * share) * in[i * step] + share * (before + after);
            before = in[i * step];
        }
    }
}

void raster_develop(const struct raster *raster, const struct ink *ink,
                    const uint8_t grain[RASTER_PIXELS], uint8_t image[RASTER_PIXELS])
{
    float grey[RASTER_PIXELS], blurred[RASTER_PIXELS];
    float sharpness = 1.0f / ink->softness;
    for (int i = 0; i < RASTER_PIXELS; i++) {
        float inside = (ink->half_width - sqrtf(raster->squares[i])) * sharpness + 0.5f;
        grey[i] = ink->darkness * clamp(inside, 0.0f, 1.0f);
    }
    blur(grey, blurred, ink->blur, 1, RASTER_SIDE);
    blur(blurred, grey, ink->blur, RASTER_SIDE, 1);
    for (int i = 0; i < RASTER_PIXELS; i++) {
        float noise = ink->noise * ((float)grain[i] - 127.5f) * (1.0f / 127.5f);
        image[i] = (uint8_t)(255.0f * clamp(grey[i] + noise, 0.0f, 1.0f) + 0.5f);
    }
}
