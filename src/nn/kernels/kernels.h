/* The arithmetic of the network engine, as tables of functions: one table an instruction set, all
 * compiled from the same source, and one plain reference that the tests compare them with.
 *
 * Rules of every kernel: the result depends on its arguments' values alone (not on alignment, nor
 * on where a column stands among others); `columns` and activation strides are multiples of
 * KERNEL_LANES; nothing is read or written outside the given extents except where a comment says
 * so. */
#ifndef SWEEPSTAKE_NN_KERNELS_H
#define SWEEPSTAKE_NN_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "convolution.h"
#include "sparse.h"

struct error;

#define KERNEL_LANES 16 /* the widest vector, in floats */

/* So many floats in whole lanes. */
static inline int64_t whole_lanes(int64_t floats)
{
    return (floats + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

/* The same in an odd number of lanes: rows so far apart spread over all sets of a cache, where with
 * a power of two they would meet in a few. */
static inline int64_t odd_lanes(int64_t floats)
{
    return whole_lanes(floats) | KERNEL_LANES;
}

/* C = A B + bias, then max(C, 0) when `rectify`; where `accumulate`, C = C + A B and bias is
 * unused. A's element (i, k) is a[i * a_row + k * a_depth]. Rows of B are readable up to the next
 * multiple of KERNEL_LANES columns; only `columns` of C are written. Every element is summed over k
 * in ascending order, whatever the shape. */
struct product {
    int64_t rows, columns, depth;
    const float *a;
    int64_t a_row, a_depth;
    const float *b; /* [depth][b_stride] */
    int64_t b_stride;
    float *c; /* [rows][c_stride] */
    int64_t c_stride;
    const float *bias; /* [rows]; NULL: none */
    bool rectify, accumulate;
    struct share share; /* of the rows */
};

/* The numbers of x [rows][stride] other than 0 in its first `columns` columns, as a band of a
 * sparse matrix. Rows of x are readable up to the next multiple of KERNEL_LANES columns. */
struct nonzeros {
    int64_t rows, columns;
    const float *x;
    int64_t stride;
    int64_t first;   /* the matrix's column that is x's first */
    int32_t entries; /* of the bands before */
    int32_t *begin;  /* [rows + 1], the band's */
    int32_t *column; /* of the matrix, with room for SELECTION_BLOCK more than all entries */
    float *values;
};

/* Softmax cross-entropy of logits [classes][columns] over the first `examples` columns. */
struct softmax_loss {
    const float *logits;
    float *gradient; /* [classes][columns] of the mean loss, zero in padding columns; NULL: not
                        wanted */
    const uint8_t *labels;
    int32_t classes, examples, columns;
    /* Added to, example by example, so that it does not matter how examples are cut into batches.
     */
    double loss_sum;
    int64_t correct; /* argmax is the label; the lower class wins ties */
};

/* Max pooling of images [height][width][columns]; windows lie inside the image. A winner is the
 * position in its window, row by row, of the first greatest element; a NaN is greater than all. */
struct max_pool {
    int64_t channels, height, width, kernel, stride, columns;
    bool rectify; /* then y = max(y, 0) */
};

/* Windows along a side of so many pixels. */
static inline int64_t max_pool_windows(const struct max_pool *pool, int64_t side)
{
    return (side - pool->kernel) / pool->stride + 1;
}

/* Batch norm of one channel [pixels][columns], of which the first `examples` columns count. */
struct norm {
    int64_t pixels, examples, columns;
};

struct moments {
    float mean, variance; /* biased */
};

/* y = (x - mean) * inverse * weight + bias, computed as x * scale + shift; then max(y, 0) when
 * `rectify`. */
struct affine {
    float mean, inverse; /* 1 / deviation */
    float scale, shift;
    bool rectify;
};

/* Sums over the channel of dy, and of dy * (x - mean) * inverse, where y is not cut off. */
struct norm_sums {
    float dy, dy_x;
};

/* One step of an optimiser over a whole block; `count` is a multiple of KERNEL_LANES. Where mask is
 * 0, weight, gradient and moments become 0.0f. NULL: nothing is masked. */
struct sgd_update {
    int64_t count;
    float *weights, *gradients, *velocity; /* velocity NULL: no momentum */
    const uint8_t *mask;
    float rate, momentum, weight_decay;
    bool nesterov;
};

struct adam_update {
    int64_t count;
    float *weights, *gradients, *first, *second;
    const uint8_t *mask;
    float beta1, beta2, epsilon, weight_decay;
    float step;         /* rate / (1 - beta1^t) */
    float second_scale; /* 1 / sqrt(1 - beta2^t) */
};

struct kernels {
    const char *isa;
    void (*product)(const struct product *product);
    /* to[c][r] = from[r][c] for all r < rows and c < columns. Rows of `from` are readable up to the
     * next multiple of KERNEL_LANES columns. */
    void (*transpose)(const float *from, int64_t from_stride, float *to, int64_t to_stride,
                      int64_t rows, int64_t columns);
    /* Lists which rows of x [rows][columns] have a number other than 0, ascending; returns how
     * many. What is in the list behind them is unspecified. */
    int64_t (*nonzero_rows)(const float *x, int64_t rows, int64_t columns, int32_t *list);
    /* Writes the band; returns how many entries there are with it. */
    int32_t (*nonzero_entries)(const struct nonzeros *nonzeros);
    /* y = max(x, 0), NaN stays NaN; y may be x. */
    void (*rectify)(const float *x, float *y, int64_t count);
    /* sum = a + b (NULL: nothing), and 0 where y <= 0 (NULL: nowhere); sum may be a or b. */
    void (*add_gradients)(const float *a, const float *b, const float *y, float *sum,
                          int64_t count);
    /* y = a + b, then max(y, 0) when `rectify`; y may be a or b. */
    void (*add)(const float *a, const float *b, bool rectify, float *y, int64_t count);
    /* sums[r] = sum of x[r][0..columns-1]. */
    void (*row_sums)(const float *x, float *sums, int64_t rows, int64_t columns);
    /* y = x * factor, element by element; y may be x. */
    void (*multiply)(const float *x, const float *factor, float *y, int64_t count);
    void (*max_pool)(const struct max_pool *pool, const float *x, float *y, uint8_t *winners);
    /* dx = dy at the winners, 0 elsewhere. */
    void (*max_pool_gradient)(const struct max_pool *pool, const float *dy, const uint8_t *winners,
                              float *dx);
    /* y[c] = the mean of x[0..rows-1][c]; and x[r] = y / rows. */
    void (*mean_of_rows)(const float *x, float *y, int64_t rows, int64_t columns);
    void (*spread_over_rows)(const float *y, float *x, int64_t rows, int64_t columns);
    void (*moments)(const struct norm *norm, const float *x, struct moments *moments);
    void (*normalize)(const struct norm *norm, const struct affine *affine, const float *x,
                      float *y);
    void (*norm_gradient_sums)(const struct norm *norm, const struct affine *affine, const float *x,
                               const float *dy, struct norm_sums *sums);
    void (*norm_gradient)(const struct norm *norm, const struct affine *affine,
                          const struct norm_sums *sums, const float *x, const float *dy, float *dx);
    void (*softmax_loss)(struct softmax_loss *loss);
    void (*sgd)(const struct sgd_update *update);
    void (*adam)(const struct adam_update *update);
    /* block = 0.0f where mask is 0. */
    void (*clear_masked)(float *block, const uint8_t *mask, int64_t count);
    /* Layers on their surviving weights; see sparse.h. */
    void (*sparse_product)(const struct sparse_product *product);
    void (*sparse_gradient)(const struct sparse_gradient *gradient);
    /* Selects the weights in `count` columns, ascending. */
    void (*sparse_select)(const struct sparse_weights *weights, const int32_t *columns,
                          int64_t count, struct sparse_selection *selection);
    /* gradient[k] of the pattern selected from = that of the selection, 0 where not selected. */
    void (*sparse_spread)(const struct sparse_selection *selection,
                          const struct sparse_pattern *pattern, float *gradient);
    void (*sparse_conv_data)(const struct sparse_conv_data *call);
    void (*sparse_conv_gradient)(const struct sparse_conv_gradient *call);
    /* to[i] = from[place[i]]. */
    void (*gather)(const float *from, const int32_t *place, int64_t count, float *to);
    /* 3x3 convolutions; see convolution.h. */
    void (*conv_data[CONV_METHODS])(const struct conv_data *call);
    void (*conv_gradient[CONV_METHODS])(const struct conv_gradient *call);
};

extern const struct kernels kernels_reference;

/* The table of an instruction set by name; NULL when unknown, not compiled in, or the CPU lacks it.
 */
const struct kernels *kernels_find(const char *isa);

/* The table in use, which divides calls where there are several threads (crew.h); NULL and a usage
 * error when SWEEPSTAKE_ISA names one that cannot be used. */
const struct kernels *kernels_current(struct error *err);

#endif
