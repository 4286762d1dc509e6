/* 3x3 convolutions with stride 1 and padding 1, through three own families: direct summation for
 * few channels (direct_*.c), for small images (small_*.c), and Winograd's minimal filtering for all
 * others (winograd_*.c). Which one a shape goes through is a function of the shape alone
 * (convolution.c).
 *
 * Activations are [channel][height][width][columns], columns a multiple of KERNEL_LANES; weights
 * and their gradients are [outputs][inputs][3][3]. A column's result does not depend on the other
 * columns; gradients of weights sum over all columns, so dy must be zero in padding columns, and x
 * finite. Scratch is the caller's, of no meaning between calls. Against exact sums the greatest
 * error is about 1e-6 of the greatest value directly, 1e-5 by Winograd. */
#ifndef SWEEPSTAKE_NN_CONVOLUTION_KERNELS_H
#define SWEEPSTAKE_NN_CONVOLUTION_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "share.h"

struct kernels;

/* A 2D convolution; the functions of this header take kernel 3, stride 1 and padding 1 only. */
struct conv_shape {
    int64_t inputs, outputs; /* channels */
    int64_t height, width;   /* of the input */
    int kernel, stride, padding;
};

/* One convolution of activations. Forward: y = w * x + bias, then max(y, 0) when `rectify`.
 * Backward: from `x`, the gradient of the forward result [outputs][...], the gradient `y` of its
 * argument [inputs][...]. */
struct conv_data {
    struct conv_shape shape;
    int64_t columns;
    bool backward;
    const float *x, *w;
    const float *bias; /* a float for each channel of y; NULL: none */
    bool rectify;
    float *y;
    float *scratch;
    struct share share;
};

/* dw = the gradient of the weights, from the argument x and the gradient dy of the result. */
struct conv_gradient {
    struct conv_shape shape;
    int64_t columns;
    const float *x, *dy;
    float *dw;
    float *scratch;
    struct share share;
};

/* y = w * x + bias (NULL: none), then max(y, 0) when `rectify`. */
void conv3x3_forward(const struct kernels *kernels, const struct conv_shape *shape, int64_t columns,
                     const float *x, const float *w, const float *bias, bool rectify, float *y,
                     float *scratch);
/* dx from dy, the gradient of y. */
void conv3x3_backward_data(const struct kernels *kernels, const struct conv_shape *shape,
                           int64_t columns, const float *dy, const float *w, float *dx,
                           float *scratch);
/* dw from x and dy. */
void conv3x3_backward_weights(const struct kernels *kernels, const struct conv_shape *shape,
                              int64_t columns, const float *x, const float *dy, float *dw,
                              float *scratch);
/* Enough for any of the three with at most `columns`. */
int64_t conv3x3_scratch_floats(const struct conv_shape *shape, int64_t columns);

enum conv_method { CONV_DIRECT, CONV_SMALL, CONV_WINOGRAD, CONV_METHODS };

/* How a shape's activations are computed (`backward`: their gradients), and its weights' gradient.
 * Any method computes any shape. */
enum conv_method conv3x3_data_method(const struct conv_shape *shape, bool backward);
enum conv_method conv3x3_gradient_method(const struct conv_shape *shape);

/* Floats of scratch of one method. */
int64_t conv_data_scratch(enum conv_method method, const struct conv_shape *shape, int64_t columns,
                          bool backward);
int64_t conv_gradient_scratch(enum conv_method method, const struct conv_shape *shape,
                              int64_t columns);

#endif
