/* The points of an argument's patches. Up to GROUP units, which mostly are one tile of neighbouring
 * examples, are taken together, pixel by pixel: neighbouring lines of memory are fetched together.
 */
#include "winograd_transform.h"

#define GROUP 4
#define UNIT_VECTORS (KERNEL_LANES / VECTOR)

struct patch_group {
    struct winograd_square squares[GROUP];
    int count;
};

/* Column j of B^T x, for the examples from `lane` on. */
INLINE void transform_column(const struct winograd_square *s, const float *plane, int lane, int j,
                             vfloat lines[6][6])
{
    vfloat d[6], t[6];
    UNROLL
    for (int i = 0; i < 6; i++)
        d[i] = i >= s->top && i < s->bottom && j >= s->left && j < s->right
                   ? vload(plane + (s->origin + lane + i * s->row + j * s->column))
                   : vset(0);
    transform_patch_line(d, t);
    UNROLL
    for (int i = 0; i < 6; i++)
        lines[i][j] = t[i];
}

/* (B^T x) B */
INLINE void transform_lines(const vfloat lines[6][6], float *to, int64_t point_stride)
{
    UNROLL
    for (int i = 0; i < 6; i++) {
        vfloat t[6];
        transform_patch_line(lines[i], t);
        UNROLL
        for (int j = 0; j < 6; j++)
            vstore(to + (i * 6 + j) * point_stride, t[j]);
    }
}

static void transform_group(const struct patch_group *group, const float *plane, float *to,
                            int64_t point_stride)
{
    vfloat lines[GROUP][UNIT_VECTORS][6][6];
    for (int j = 0; j < 6; j++)
        for (int u = 0; u < group->count; u++)
            for (int v = 0; v < UNIT_VECTORS; v++)
                transform_column(&group->squares[u], plane, v * VECTOR, j, lines[u][v]);
    for (int u = 0; u < group->count; u++)
        for (int v = 0; v < UNIT_VECTORS; v++)
            transform_lines(lines[u][v], to + u * KERNEL_LANES + v * VECTOR, point_stride);
}

void KERNEL(winograd_transform_patches)(const struct winograd_patches *p)
{
    const struct winograd_tiling *t = p->tiling;
    const int64_t plane = t->height * t->width * t->columns;
    for (int64_t u = 0; u < p->units; u += GROUP) {
        struct patch_group group = {.count = (int)least(p->units - u, GROUP)};
        for (int i = 0; i < group.count; i++)
            group.squares[i] = winograd_square(t, p->first_unit + u + i, WINOGRAD_PATCH, 1);
        for (int64_t c = 0; c < p->channels; c++)
            transform_group(&group, p->x + c * plane, p->to + c * p->row + u * KERNEL_LANES,
                            p->point_stride);
    }
}
