/* The points of an argument's patches. Units that lie side by side are taken together, channel by
 * channel, so that neighbouring lines are fetched together. */
#include "winograd_transform.h"

#define GROUP 4

/* to = B^T x B of one vector; `whole`: no pixel lies outside of the image. */
INLINE void transform_patch(const struct winograd_square *s, const float *from, float *to,
                            int64_t point_stride, const bool whole)
{
    vfloat lines[6][6];
    UNROLL
    for (int j = 0; j < 6; j++) {
        vfloat d[6], t[6];
        UNROLL
        for (int i = 0; i < 6; i++)
            d[i] = whole || (j >= s->left && j < s->right && i >= s->top && i < s->bottom)
                       ? vload(from + i * s->row + j * s->column)
                       : vset(0);
        transform_patch_line(d, t);
        UNROLL
        for (int i = 0; i < 6; i++)
            lines[i][j] = t[i];
    }
    UNROLL
    for (int i = 0; i < 6; i++) {
        vfloat t[6];
        transform_patch_line(lines[i], t);
        UNROLL
        for (int j = 0; j < 6; j++)
            vstore(to + (i * 6 + j) * point_stride, t[j]);
    }
}

/* The points of one unit. */
static void transform_unit(const struct winograd_square *s, const float *plane, float *to,
                           int64_t point_stride)
{
    const float *from = plane + s->origin;
    if (s->top == 0 && s->left == 0 && s->bottom == 6 && s->right == 6)
        for (int lane = 0; lane < KERNEL_LANES; lane += VECTOR)
            transform_patch(s, from + lane, to + lane, point_stride, true);
    else
        for (int lane = 0; lane < KERNEL_LANES; lane += VECTOR)
            transform_patch(s, from + lane, to + lane, point_stride, false);
}

void KERNEL(winograd_transform_patches)(const struct winograd_tiling *tiling, int64_t first,
                                        int64_t units, const float *x, int64_t channels, float *to,
                                        int64_t row, int64_t point_stride)
{
    const int64_t plane = tiling->height * tiling->width * tiling->columns;
    for (int64_t u = 0; u < units; u += GROUP) {
        struct winograd_square squares[GROUP];
        const int count = (int)(units - u < GROUP ? units - u : GROUP);
        for (int i = 0; i < count; i++)
            squares[i] = winograd_square(tiling, first + u + i, WINOGRAD_PATCH, 1);
        for (int64_t c = 0; c < channels; c++)
            for (int i = 0; i < count; i++)
                transform_unit(&squares[i], x + c * plane, to + c * row + (u + i) * KERNEL_LANES,
                               point_stride);
    }
}
