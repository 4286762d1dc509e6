/* Owns how passes are divided: cut into calls for fewer elements, rows or channels. */
#include "divided_passes.h"

#include <stddef.h>

#include "crew.h"

static const struct kernels *plain;

/* --- passes over elements --- */

struct elements {
    const float *a, *b, *c;
    float *to;
    bool rectify;
    int64_t count;
};

/* The share's elements; NULL stays NULL. */
static struct elements share_elements(const void *of, struct share share)
{
    struct elements e = *(const struct elements *)of;
    const struct piece piece = share_piece(share, e.count, KERNEL_LANES);
    e.a += piece.begin;
    e.b = e.b ? e.b + piece.begin : NULL;
    e.c = e.c ? e.c + piece.begin : NULL;
    e.to += piece.begin;
    e.count = piece.end - piece.begin;
    return e;
}

static void share_rectify(const void *of, struct share share)
{
    const struct elements e = share_elements(of, share);
    plain->rectify(e.a, e.to, e.count);
}

static void divide_rectify(const float *x, float *y, int64_t count)
{
    crew_run(share_rectify, &(struct elements){.a = x, .to = y, .count = count},
             count >= CREW_FLOATS);
}

static void share_add_gradients(const void *of, struct share share)
{
    const struct elements e = share_elements(of, share);
    plain->add_gradients(e.a, e.b, e.c, e.to, e.count);
}

static void divide_add_gradients(const float *a, const float *b, const float *y, float *sum,
                                 int64_t count)
{
    crew_run(share_add_gradients,
             &(struct elements){.a = a, .b = b, .c = y, .to = sum, .count = count},
             count >= CREW_FLOATS);
}

static void share_add(const void *of, struct share share)
{
    const struct elements e = share_elements(of, share);
    plain->add(e.a, e.b, e.rectify, e.to, e.count);
}

static void divide_add(const float *a, const float *b, bool rectify, float *y, int64_t count)
{
    crew_run(share_add,
             &(struct elements){.a = a, .b = b, .to = y, .rectify = rectify, .count = count},
             count >= CREW_FLOATS);
}

static void share_multiply(const void *of, struct share share)
{
    const struct elements e = share_elements(of, share);
    plain->multiply(e.a, e.b, e.to, e.count);
}

static void divide_multiply(const float *x, const float *factor, float *y, int64_t count)
{
    crew_run(share_multiply, &(struct elements){.a = x, .b = factor, .to = y, .count = count},
             count >= CREW_FLOATS);
}

static void share_sgd(const void *of, struct share share)
{
    struct sgd_update update = *(const struct sgd_update *)of;
    const struct piece piece = share_piece(share, update.count, KERNEL_LANES);
    update.count = piece.end - piece.begin;
    update.weights += piece.begin;
    update.gradients += piece.begin;
    update.velocity = update.velocity ? update.velocity + piece.begin : NULL;
    update.mask = update.mask ? update.mask + piece.begin : NULL;
    plain->sgd(&update);
}

static void divide_sgd(const struct sgd_update *update)
{
    crew_run(share_sgd, update, update->count >= CREW_FLOATS);
}

static void share_adam(const void *of, struct share share)
{
    struct adam_update update = *(const struct adam_update *)of;
    const struct piece piece = share_piece(share, update.count, KERNEL_LANES);
    update.count = piece.end - piece.begin;
    update.weights += piece.begin;
    update.gradients += piece.begin;
    update.first += piece.begin;
    update.second += piece.begin;
    update.mask = update.mask ? update.mask + piece.begin : NULL;
    plain->adam(&update);
}

static void divide_adam(const struct adam_update *update)
{
    crew_run(share_adam, update, update->count >= CREW_FLOATS);
}

/* --- passes over rows and channels --- */

struct matrix {
    const float *from;
    float *to;
    int64_t from_stride, to_stride, rows, columns;
};

static void share_transpose(const void *of, struct share share)
{
    const struct matrix *m = of;
    const struct piece piece = share_piece(share, m->rows, KERNEL_LANES);
    plain->transpose(m->from + piece.begin * m->from_stride, m->from_stride, m->to + piece.begin,
                     m->to_stride, piece.end - piece.begin, m->columns);
}

static void divide_transpose(const float *from, int64_t from_stride, float *to, int64_t to_stride,
                             int64_t rows, int64_t columns)
{
    crew_run(share_transpose, &(struct matrix){from, to, from_stride, to_stride, rows, columns},
             rows * columns >= CREW_FLOATS);
}

static void share_row_sums(const void *of, struct share share)
{
    const struct matrix *m = of;
    const struct piece piece = share_piece(share, m->rows, 1);
    plain->row_sums(m->from + piece.begin * m->columns, m->to + piece.begin,
                    piece.end - piece.begin, m->columns);
}

static void divide_row_sums(const float *x, float *sums, int64_t rows, int64_t columns)
{
    crew_run(share_row_sums,
             &(struct matrix){.from = x, .to = sums, .rows = rows, .columns = columns},
             rows * columns >= CREW_FLOATS);
}

struct pooling {
    const struct max_pool *pool;
    const float *from;
    float *to;
    uint8_t *winners;             /* kept forward; NULL: not wanted */
    const uint8_t *known_winners; /* backward */
};

static int64_t image_floats(const struct max_pool *pool)
{
    return pool->height * pool->width * pool->columns;
}

static int64_t result_floats(const struct max_pool *pool)
{
    return max_pool_windows(pool, pool->height) * max_pool_windows(pool, pool->width) *
           pool->columns;
}

static void share_max_pool(const void *of, struct share share)
{
    const struct pooling *p = of;
    struct max_pool pool = *p->pool;
    const struct piece piece = share_piece(share, pool.channels, 1);
    const int64_t place = piece.begin * result_floats(&pool);
    pool.channels = piece.end - piece.begin;
    plain->max_pool(&pool, p->from + piece.begin * image_floats(&pool), p->to + place,
                    p->winners ? p->winners + place : NULL);
}

static void divide_max_pool(const struct max_pool *pool, const float *x, float *y, uint8_t *winners)
{
    crew_run(share_max_pool,
             &(struct pooling){.pool = pool, .from = x, .to = y, .winners = winners},
             pool->channels * image_floats(pool) >= CREW_FLOATS);
}

static void share_max_pool_gradient(const void *of, struct share share)
{
    const struct pooling *p = of;
    struct max_pool pool = *p->pool;
    const struct piece piece = share_piece(share, pool.channels, 1);
    const int64_t place = piece.begin * result_floats(&pool);
    pool.channels = piece.end - piece.begin;
    plain->max_pool_gradient(&pool, p->from + place, p->known_winners + place,
                             p->to + piece.begin * image_floats(&pool));
}

static void divide_max_pool_gradient(const struct max_pool *pool, const float *dy,
                                     const uint8_t *winners, float *dx)
{
    crew_run(share_max_pool_gradient,
             &(struct pooling){.pool = pool, .from = dy, .to = dx, .known_winners = winners},
             pool->channels * image_floats(pool) >= CREW_FLOATS);
}

void divide_passes(const struct kernels *kernels, struct kernels *divided)
{
    plain = kernels;
    divided->rectify = divide_rectify;
    divided->add_gradients = divide_add_gradients;
    divided->add = divide_add;
    divided->multiply = divide_multiply;
    divided->sgd = divide_sgd;
    divided->adam = divide_adam;
    divided->transpose = divide_transpose;
    divided->row_sums = divide_row_sums;
    divided->max_pool = divide_max_pool;
    divided->max_pool_gradient = divide_max_pool_gradient;
}
