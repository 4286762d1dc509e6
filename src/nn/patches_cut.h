/* A convolution cut into blocks of output pixels, and the patches of a block. */
#ifndef SWEEPSTAKE_NN_PATCHES_CUT_H
#define SWEEPSTAKE_NN_PATCHES_CUT_H

#include "kernels/convolution.h"

struct patches_cut {
    struct conv_shape shape;
    int64_t columns;
    int64_t depth;          /* of a patch */
    int64_t across, pixels; /* output pixels in a row, in all */
    int64_t block;          /* pixels in a block */
};

struct patches_cut patches_cut(const struct conv_shape *shape, int64_t columns);

/* The image is its own matrix of patches. */
bool patches_are_image(const struct conv_shape *shape);

/* Pixels of the block that begins at `begin`. */
int64_t patches_in_block(const struct patches_cut *cut, int64_t begin);

/* Patches [depth][count * columns] of the image x. */
void patches_gather(const struct patches_cut *cut, int64_t begin, int64_t count, const float *x,
                    float *patches);
/* Adds patches to the image dx. */
void patches_scatter(const struct kernels *kernels, const struct patches_cut *cut, int64_t begin,
                     int64_t count, const float *patches, float *dx);

#endif
