/* The kernels as plain loops: what the others are tested against. */
#include <math.h>
#include <string.h>

#include "kernels.h"
#include "reference_convolution.h"
#include "reference_images.h"
#include "reference_sparse.h"
#include "reference_sparse_convolution.h"

static void reference_product(const struct product *p)
{
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t j = 0; j < p->columns; j++) {
            float sum = p->bias ? p->bias[i] : 0;
            if (p->accumulate)
                sum = p->c[i * p->c_stride + j];
            for (int64_t k = 0; k < p->depth; k++)
                sum += p->a[i * p->a_row + k * p->a_depth] * p->b[k * p->b_stride + j];
            p->c[i * p->c_stride + j] = p->rectify && sum <= 0 ? 0 : sum;
        }
}

static void reference_transpose(const float *from, int64_t from_stride, float *to,
                                int64_t to_stride, int64_t rows, int64_t columns)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            to[c * to_stride + r] = from[r * from_stride + c];
}

static int64_t reference_nonzero_rows(const float *x, int64_t rows, int64_t columns, int32_t *list)
{
    int64_t count = 0;
    for (int64_t r = 0; r < rows; r++) {
        int64_t c = 0;
        while (c < columns && x[r * columns + c] == 0)
            c++;
        if (c < columns)
            list[count++] = (int32_t)r;
    }
    return count;
}

static int32_t reference_nonzero_entries(const struct nonzeros *n)
{
    int32_t next = n->entries;
    for (int64_t r = 0; r < n->rows; r++) {
        n->begin[r] = next;
        for (int64_t c = 0; c < n->columns; c++)
            if (n->x[r * n->stride + c] != 0) {
                n->column[next] = (int32_t)(n->first + c);
                n->values[next++] = n->x[r * n->stride + c];
            }
    }
    n->begin[n->rows] = next;
    return next;
}

static void reference_rectify(const float *x, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] <= 0 ? 0 : x[i];
}

static void reference_add_gradients(const float *a, const float *b, const float *y, float *sum,
                                    int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        sum[i] = y && y[i] <= 0 ? 0 : a[i] + (b ? b[i] : 0);
}

static void reference_add(const float *a, const float *b, bool rectify, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const float sum = a[i] + b[i];
        y[i] = rectify && sum <= 0 ? 0 : sum;
    }
}

static void reference_row_sums(const float *x, float *sums, int64_t rows, int64_t columns)
{
    for (int64_t r = 0; r < rows; r++) {
        sums[r] = 0;
        for (int64_t c = 0; c < columns; c++)
            sums[r] += x[r * columns + c];
    }
}

static void reference_multiply(const float *x, const float *factor, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] * factor[i];
}

/* The loss of one column; adds its gradient. */
static double column_loss(const struct softmax_loss *loss, int32_t column, int32_t *predicted)
{
    const float *z = loss->logits + column;
    const int64_t stride = loss->columns, label = loss->labels[column];
    double sum = 0;
    *predicted = 0;
    for (int32_t c = 1; c < loss->classes; c++)
        if (z[c * stride] > z[*predicted * stride])
            *predicted = c;
    const float greatest = z[*predicted * stride];
    for (int32_t c = 0; c < loss->classes; c++)
        sum += exp((double)(z[c * stride] - greatest));
    for (int32_t c = 0; loss->gradient && c < loss->classes; c++) {
        const double p = exp((double)(z[c * stride] - greatest)) / sum - (c == label);
        loss->gradient[c * stride + column] = (float)(p / loss->examples);
    }
    return log(sum) + (double)(greatest - z[label * stride]);
}

static void reference_softmax_loss(struct softmax_loss *loss)
{
    if (loss->gradient)
        memset(loss->gradient, 0,
               (size_t)loss->classes * (size_t)loss->columns * sizeof *loss->gradient);
    for (int32_t column = 0; column < loss->examples; column++) {
        int32_t predicted;
        loss->loss_sum += column_loss(loss, column, &predicted);
        loss->correct += predicted == loss->labels[column];
    }
}

static void reference_clear_masked(float *block, const uint8_t *mask, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        block[i] = mask[i] ? block[i] : 0;
}

static void reference_sgd(const struct sgd_update *u)
{
    for (int64_t i = 0; i < u->count; i++) {
        const bool kept = !u->mask || u->mask[i];
        float g = kept ? u->gradients[i] : 0;
        u->gradients[i] = g;
        float direction = g + u->weight_decay * u->weights[i];
        if (u->velocity) {
            const float v = u->momentum * u->velocity[i] + direction;
            u->velocity[i] = kept ? v : 0;
            direction = u->nesterov ? direction + u->momentum * v : v;
        }
        u->weights[i] = kept ? u->weights[i] - u->rate * direction : 0;
    }
}

static void reference_adam(const struct adam_update *u)
{
    for (int64_t i = 0; i < u->count; i++) {
        const bool kept = !u->mask || u->mask[i];
        float g = kept ? u->gradients[i] : 0;
        u->gradients[i] = g;
        g += u->weight_decay * u->weights[i];
        const float first = u->beta1 * u->first[i] + (1 - u->beta1) * g;
        const float second = u->beta2 * u->second[i] + (1 - u->beta2) * g * g;
        const float change = u->step * first / (sqrtf(second) * u->second_scale + u->epsilon);
        u->first[i] = kept ? first : 0;
        u->second[i] = kept ? second : 0;
        u->weights[i] = kept ? u->weights[i] - change : 0;
    }
}

const struct kernels kernels_reference = {
    .isa = "reference",
    .product = reference_product,
    .transpose = reference_transpose,
    .nonzero_rows = reference_nonzero_rows,
    .nonzero_entries = reference_nonzero_entries,
    .rectify = reference_rectify,
    .add_gradients = reference_add_gradients,
    .add = reference_add,
    .row_sums = reference_row_sums,
    .multiply = reference_multiply,
    .max_pool = reference_max_pool,
    .max_pool_gradient = reference_max_pool_gradient,
    .mean_of_rows = reference_mean_of_rows,
    .spread_over_rows = reference_spread_over_rows,
    .moments = reference_moments,
    .normalize = reference_normalize,
    .norm_gradient_sums = reference_norm_gradient_sums,
    .norm_gradient = reference_norm_gradient,
    .softmax_loss = reference_softmax_loss,
    .sgd = reference_sgd,
    .adam = reference_adam,
    .clear_masked = reference_clear_masked,
    .sparse_product = reference_sparse_product,
    .sparse_gradient = reference_sparse_gradient,
    .sparse_select = reference_sparse_select,
    .sparse_spread = reference_sparse_spread,
    .sparse_conv_data = reference_sparse_conv_data,
    .sparse_conv_gradient = reference_sparse_conv_gradient,
    .gather = reference_gather,
    .conv_data = {reference_conv_data, reference_conv_data, reference_conv_data},
    .conv_gradient = {reference_conv_gradient, reference_conv_gradient, reference_conv_gradient},
};
