/* The kernels of pooling and batch norm as plain loops: what the others are tested against. */
#include <math.h>
#include <string.h>

#include "reference_images.h"

void reference_max_pool(const struct max_pool *pool, const float *x, float *y, uint8_t *winners)
{
    const int64_t rows = (pool->height - pool->kernel) / pool->stride + 1;
    const int64_t across = (pool->width - pool->kernel) / pool->stride + 1;
    for (int64_t at = 0; at < pool->channels * rows * across * pool->columns; at++) {
        const int64_t column = at % pool->columns, window = at / pool->columns;
        const int64_t channel = window / (rows * across);
        const int64_t top = window / across % rows * pool->stride;
        const int64_t left = window % across * pool->stride;
        float best = -INFINITY;
        int64_t winner = 0;
        for (int64_t i = 0; i < pool->kernel * pool->kernel; i++) {
            const int64_t pixel = (channel * pool->height + top + i / pool->kernel) * pool->width +
                                  left + i % pool->kernel;
            const float v = x[pixel * pool->columns + column];
            if (v > best || isnan(v)) {
                best = v;
                winner = i;
            }
        }
        y[at] = pool->rectify && best <= 0 ? 0 : best;
        if (winners)
            winners[at] = (uint8_t)winner;
    }
}

void reference_max_pool_gradient(const struct max_pool *pool, const float *dy,
                                 const uint8_t *winners, float *dx)
{
    const int64_t rows = (pool->height - pool->kernel) / pool->stride + 1;
    const int64_t across = (pool->width - pool->kernel) / pool->stride + 1;
    memset(dx, 0,
           (size_t)(pool->channels * pool->height * pool->width * pool->columns) * sizeof *dx);
    for (int64_t at = 0; at < pool->channels * rows * across * pool->columns; at++) {
        const int64_t column = at % pool->columns, window = at / pool->columns;
        const int64_t top = window / across % rows * pool->stride + winners[at] / pool->kernel;
        const int64_t left = window % across * pool->stride + winners[at] % pool->kernel;
        const int64_t pixel = (window / (rows * across) * pool->height + top) * pool->width + left;
        dx[pixel * pool->columns + column] += dy[at];
    }
}

void reference_mean_of_rows(const float *x, float *y, int64_t rows, int64_t columns)
{
    for (int64_t c = 0; c < columns; c++) {
        float sum = 0;
        for (int64_t r = 0; r < rows; r++)
            sum += x[r * columns + c];
        y[c] = sum / (float)rows;
    }
}

void reference_spread_over_rows(const float *y, float *x, int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < rows * columns; i++)
        x[i] = y[i % columns] / (float)rows;
}

void reference_moments(const struct norm *norm, const float *x, struct moments *moments)
{
    const double count = (double)(norm->pixels * norm->examples);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < norm->pixels * norm->columns; i++)
        sum += i % norm->columns < norm->examples ? (double)x[i] : 0;
    for (int64_t i = 0; i < norm->pixels * norm->columns; i++) {
        const double difference = (double)x[i] - sum / count;
        squares += i % norm->columns < norm->examples ? difference * difference : 0;
    }
    *moments = (struct moments){(float)(sum / count), (float)(squares / count)};
}

static float normalized(const struct affine *affine, float x)
{
    const float y = x * affine->scale + affine->shift;
    return affine->rectify && y <= 0 ? 0 : y;
}

void reference_normalize(const struct norm *norm, const struct affine *affine, const float *x,
                         float *y)
{
    for (int64_t i = 0; i < norm->pixels * norm->columns; i++)
        y[i] = normalized(affine, x[i]);
}

static double kept_gradient(const struct affine *affine, float x, float dy)
{
    return affine->rectify && normalized(affine, x) <= 0 ? 0 : (double)dy;
}

void reference_norm_gradient_sums(const struct norm *norm, const struct affine *affine,
                                  const float *x, const float *dy, struct norm_sums *sums)
{
    double sum = 0, product = 0;
    for (int64_t i = 0; i < norm->pixels * norm->columns; i++) {
        if (i % norm->columns >= norm->examples)
            continue;
        const double gradient = kept_gradient(affine, x[i], dy[i]);
        sum += gradient;
        product += gradient * (double)((x[i] - affine->mean) * affine->inverse);
    }
    *sums = (struct norm_sums){(float)sum, (float)product};
}

void reference_norm_gradient(const struct norm *norm, const struct affine *affine,
                             const struct norm_sums *sums, const float *x, const float *dy,
                             float *dx)
{
    const double count = (double)(norm->pixels * norm->examples);
    for (int64_t i = 0; i < norm->pixels * norm->columns; i++) {
        const double part = (double)((x[i] - affine->mean) * affine->inverse);
        const double gradient = kept_gradient(affine, x[i], dy[i]) - (double)sums->dy / count -
                                part * (double)sums->dy_x / count;
        dx[i] = i % norm->columns < norm->examples ? (float)((double)affine->scale * gradient) : 0;
    }
}
