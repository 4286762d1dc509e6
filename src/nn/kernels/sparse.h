/* Layers on their surviving weights alone: what a sparse weight matrix is to the kernels, and the
 * calls of the two families, products (sparse_product.c) and 3x3 convolutions
 * (sparse_convolution.c).
 *
 * A pattern says which elements of a matrix are there; values are kept apart, an array in the order
 * of the pattern's entries. Columns are cut into bands, so that the part of the argument which one
 * band reads stays in a cache while all rows pass over it; within a band entries
 * stand row by row. Every element of a result is summed in the order of its row's entries, band
 * after band.
 *
 * Fully connected: rows are outputs, columns inputs. 3x3 convolutions: rows are outputs, columns
 * are [input][3][3], as in the dense weights. Backward the same functions run on the turned
 * pattern: rows are inputs, columns [output], or [output][3][3] with taps turned by 180 degrees. */
#ifndef SWEEPSTAKE_NN_SPARSE_H
#define SWEEPSTAKE_NN_SPARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "convolution.h"

struct sparse_pattern {
    int64_t rows, columns;
    int64_t band; /* columns of a band; the last may have fewer */
    int64_t bands, entries;
    const int32_t *begin;  /* [bands * rows + 1]: where row r of band b begins, at b * rows + r */
    const int32_t *column; /* [entries] */
};

struct sparse_weights {
    const struct sparse_pattern *pattern;
    const float *values; /* [entries] */
};

#define SELECTION_BLOCK 16 /* entries */

/* Those of a pattern's entries that stand in some of its columns: a pattern too, with its values.
 * Written by the kernel sparse_select; whose memory it is, nn/pattern.h says. */
struct sparse_selection {
    struct sparse_pattern pattern;
    /* The pattern's, and values: each with room for SELECTION_BLOCK more than all entries. */
    int32_t *begin, *column;
    float *values, *gradient;
    /* Of each band's entries one block after the other, the last one not full. */
    struct selection_block {
        int32_t begin; /* its first entry's place among the selected */
        uint32_t kept; /* bit i: whether entry i is selected */
    } * blocks;
};

/* y = W x + bias, then max(y, 0) when `rectify`; where `accumulate`, y = y + W x and bias is
 * unused. */
struct sparse_product {
    const struct sparse_pattern *pattern;
    const float *values; /* [entries] */
    int64_t columns;
    const float *x; /* [pattern->columns][x_stride] */
    int64_t x_stride;
    const float *bias; /* [rows]; NULL: none */
    bool rectify, accumulate;
    float *y; /* [rows][y_stride] */
    int64_t y_stride;
    struct share share; /* of the rows */
};

/* gradient[k] = the sum over all columns of dy[row of k] * x[column of k]. Columns whose dy is zero
 * must hold finite numbers in x. */
struct sparse_gradient {
    const struct sparse_pattern *pattern;
    int64_t columns;
    const float *x, *dy; /* [pattern->columns][x_stride], [rows][dy_stride] */
    int64_t x_stride, dy_stride;
    bool accumulate;    /* adds to what is there */
    float *gradient;    /* [entries] */
    struct share share; /* of the rows */
};

/* y = w * x + bias, then max(y, 0) when `rectify`; backward, x is the gradient of the result and
 * the pattern is the turned one. Channels of x: pattern->columns / 9, of y: pattern->rows. */
struct sparse_conv_data {
    const struct sparse_pattern *pattern;
    const float *values;
    int64_t height, width, columns;
    const float *x; /* [channel][height][width][columns] */
    const float *bias;
    bool rectify;
    float *y;
    float *scratch;     /* sparse_conv_scratch_floats */
    struct share share; /* of the columns */
};

/* gradient[k] of each surviving weight; as for struct sparse_gradient. */
struct sparse_conv_gradient {
    const struct sparse_pattern *pattern;
    int64_t height, width, columns;
    const float *x, *dy;
    float *gradient; /* [entries] */
    float *scratch;
    struct share share; /* of the rows */
};

#define MOST_BAND 1024 /* columns; a table of so many bits is kept in registers */

/* Columns of a band that suit the kernels: of a matrix with so many columns and that share of its
 * elements, and of a convolution with that share whose argument has so many channels of that width
 * (a multiple of 9). */
int64_t sparse_product_band(int64_t columns, double density);
int64_t sparse_selected_band(int64_t columns, double density); /* where entries are selected */
int64_t sparse_conv_band(int64_t channels, int64_t width, double density);

/* Enough for either convolution, whatever the bands: an argument of `channels` channels and a
 * result of `rows`. */
int64_t sparse_conv_scratch_floats(int64_t channels, int64_t rows, int64_t height, int64_t width);

#endif
