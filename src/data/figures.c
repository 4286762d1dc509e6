/* Distances to figures. Only operations that every machine rounds alike, and no branches, so that
 * the loops over pixels vectorise. */
#include "figures.h"

#include <math.h>

static inline float larger(float a, float b)
{
    return a > b ? a : b;
}

static inline float smaller(float a, float b)
{
    return a < b ? a : b;
}

static inline float size_of(float value)
{
    return larger(value, -value);
}

/* Of a square around the centre with this half side. */
static inline float box(float x, float y, float half)
{
    return larger(size_of(x), size_of(y)) - half;
}

static inline float disc(float x, float y)
{
    return sqrtf(x * x + y * y) - 0.9f;
}

static inline float square(float x, float y)
{
    return box(x, y, 0.8f);
}

static inline float triangle(float x, float y)
{
    float sides = 0.8660254f * size_of(x) + 0.5f * y;
    return larger(sides, -y) - 0.55f;
}

static inline float cross(float x, float y)
{
    float wide = larger(size_of(x) - 1.0f, size_of(y) - 0.3f);
    float high = larger(size_of(y) - 1.0f, size_of(x) - 0.3f);
    return smaller(wide, high);
}

static inline float ring(float x, float y)
{
    return size_of(sqrtf(x * x + y * y) - 0.75f) - 0.22f;
}

/* A pentagram is where at most one of five half planes is left: the second largest distance. */
static inline float star(float x, float y)
{
    const float normals[5][2] = {{0.0f, 1.0f},
                                 {0.95105652f, 0.30901699f},
                                 {0.58778525f, -0.80901699f},
                                 {-0.58778525f, -0.80901699f},
                                 {-0.95105652f, 0.30901699f}};
    float first = -10.0f, second = -10.0f;
    for (int i = 0; i < 5; i++) {
        float distance = x * normals[i][0] + y * normals[i][1];
        second = larger(second, smaller(first, distance));
        first = larger(first, distance);
    }
    return second - 0.36f;
}

/* Three of them. */
static inline float bars(float x, float y)
{
    float from_outer = size_of(size_of(y) - 0.68f), from_middle = size_of(y);
    return larger(smaller(from_outer, from_middle) - 0.19f, size_of(x) - 0.9f);
}

/* Two by two fields, two of them filled. */
static inline float checker(float x, float y)
{
    float from_axis = smaller(size_of(x), size_of(y));
    float inside = x * y > 0.0f ? -from_axis : from_axis;
    return larger(inside, box(x, y, 0.9f));
}

static inline float frame(float x, float y)
{
    return size_of(box(x, y, 0.68f)) - 0.2f;
}

static inline float crescent(float x, float y)
{
    float bite = x - 0.45f;
    return larger(disc(x, y), 0.72f - sqrtf(bite * bite + y * y));
}

/* A pass over all pixels for each figure, with its distance inlined. */
#define DEFINE_COVER(name)                                                                         \
    static void cover_##name(const struct figure_pose *pose, float sharpness, float *coverage)     \
    {                                                                                              \
        for (int row = 0; row < FIGURE_SIDE; row++) {                                              \
            float down = (float)row - pose->row0;                                                  \
            for (int column = 0; column < FIGURE_SIDE; column++) {                                 \
                float right = (float)column - pose->column0;                                       \
                float x = pose->xx * right + pose->xy * down;                                      \
                float y = pose->yx * right + pose->yy * down;                                      \
                float inside = 0.5f - name(x, y) * sharpness;                                      \
                coverage[row * FIGURE_SIDE + column] = smaller(larger(inside, 0.0f), 1.0f);        \
            }                                                                                      \
        }                                                                                          \
    }

DEFINE_COVER(disc)
DEFINE_COVER(square)
DEFINE_COVER(triangle)
DEFINE_COVER(cross)
DEFINE_COVER(ring)
DEFINE_COVER(star)
DEFINE_COVER(bars)
DEFINE_COVER(checker)
DEFINE_COVER(frame)
DEFINE_COVER(crescent)

void figure_cover(enum figure figure, const struct figure_pose *pose, float sharpness,
                  float coverage[FIGURE_PIXELS])
{
    static void (*const covers[FIGURES])(const struct figure_pose *, float, float *) = {
        [FIGURE_DISC] = cover_disc,         [FIGURE_SQUARE] = cover_square,
        [FIGURE_TRIANGLE] = cover_triangle, [FIGURE_CROSS] = cover_cross,
        [FIGURE_RING] = cover_ring,         [FIGURE_STAR] = cover_star,
        [FIGURE_BARS] = cover_bars,         [FIGURE_CHECKER] = cover_checker,
        [FIGURE_FRAME] = cover_frame,       [FIGURE_CRESCENT] = cover_crescent,
    };
    covers[figure](pose, sharpness, coverage);
}
