/* The transforms of winograd.h on vectors, one dimension at a time; and the points of an argument,
 * which activations and gradients of weights both start from. */
#ifndef SWEEPSTAKE_NN_WINOGRAD_TRANSFORM_H
#define SWEEPSTAKE_NN_WINOGRAD_TRANSFORM_H

#include "isa.h"
#include "winograd.h"

/* t = B^T d */
INLINE void transform_patch_line(const vfloat d[6], vfloat t[6])
{
    const vfloat four = vset(4), five = vset(5), two = vset(2);
    const vfloat a = vfma(-four, d[2], d[4]), b = vfma(-four, d[1], d[3]);
    const vfloat c = d[4] - d[2], e = d[3] - d[1];
    t[0] = vfma(four, d[0], vfma(-five, d[2], d[4]));
    t[1] = a + b;
    t[2] = a - b;
    t[3] = vfma(two, e, c);
    t[4] = vfma(-two, e, c);
    t[5] = vfma(four, d[1], vfma(-five, d[3], d[5]));
}

/* y = A^T m */
INLINE void transform_result_line(const vfloat m[6], vfloat y[4])
{
    const vfloat s = m[1] + m[2], d = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
    y[0] = (m[0] + s) + s2;
    y[1] = vfma(vset(2), d2, d);
    y[2] = vfma(vset(4), s2, s);
    y[3] = vfma(vset(8), d2, d) + m[5];
}

/* t = A d, the transpose of transform_result_line. */
INLINE void transform_gradient_line(const vfloat d[4], vfloat t[6])
{
    const vfloat s = d[0] + d[2], o = d[1] + d[3];
    const vfloat s2 = vfma(vset(4), d[2], d[0]);
    const vfloat o2 = vset(2) * vfma(vset(4), d[3], d[1]);
    t[0] = d[0];
    t[1] = s + o;
    t[2] = s - o;
    t[3] = s2 + o2;
    t[4] = s2 - o2;
    t[5] = d[3];
}

/* t = G g */
INLINE void transform_filter_line(const vfloat g[3], vfloat t[6])
{
    const vfloat s = vset(-1.0f / 6) * (g[0] + g[2]), d = vset(-1.0f / 6) * g[1];
    const vfloat s2 = vset(1.0f / 24) * vfma(vset(4), g[2], g[0]), d2 = vset(1.0f / 12) * g[1];
    t[0] = vset(1.0f / 4) * g[0];
    t[1] = s + d;
    t[2] = s - d;
    t[3] = s2 + d2;
    t[4] = s2 - d2;
    t[5] = g[2];
}

/* g = G^T t, the transpose of transform_filter_line. */
INLINE void transform_filter_gradient_line(const vfloat t[6], vfloat g[3])
{
    const vfloat s = vset(-1.0f / 6) * (t[1] + t[2]), d = vset(-1.0f / 6) * (t[1] - t[2]);
    const vfloat s2 = vset(1.0f / 24) * (t[3] + t[4]), d2 = vset(1.0f / 12) * (t[3] - t[4]);
    g[0] = vfma(vset(1.0f / 4), t[0], s) + s2;
    g[1] = d + d2;
    g[2] = vfma(vset(4), s2, s) + t[5];
}

/* Points of an argument: to[point * point_stride + channel * row + example], for `units` units from
 * `first_unit` on, whose examples lie one behind the other. */
struct winograd_patches {
    const struct winograd_tiling *tiling;
    int64_t first_unit, units;
    const float *x;
    int64_t channels;
    float *to;
    int64_t row, point_stride;
};

void KERNEL(winograd_transform_patches)(const struct winograd_patches *patches);

#endif
