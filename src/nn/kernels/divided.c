/* Owns the table that divides calls, and how products and convolutions are: their kernels take a
 * share. Each share has its part of the scratch.
 *
 * Not divided: what is small in every network (softmax, pooling of whole channels), and batch norm,
 * whose layer divides its channels. */
#include "divided.h"

#include "crew.h"
#include "divided_passes.h"
#include "panels.h"
#include "sparse_convolution.h"

static const struct kernels *plain;

int64_t divided_scratch_floats(int64_t floats)
{
    return crew_threads() * whole_lanes(floats);
}

/* --- products --- */

static void share_product(const void *call, struct share share)
{
    struct product product = *(const struct product *)call;
    product.share = share;
    plain->product(&product);
}

static void divide_product(const struct product *p)
{
    crew_run(share_product, p, p->rows * p->columns * p->depth >= CREW_MULTIPLY_ADDS);
}

static void share_sparse_product(const void *call, struct share share)
{
    struct sparse_product product = *(const struct sparse_product *)call;
    product.share = share;
    plain->sparse_product(&product);
}

static void divide_sparse_product(const struct sparse_product *p)
{
    crew_run(share_sparse_product, p, p->pattern->entries * p->columns >= CREW_MULTIPLY_ADDS);
}

static void share_sparse_gradient(const void *call, struct share share)
{
    struct sparse_gradient gradient = *(const struct sparse_gradient *)call;
    gradient.share = share;
    plain->sparse_gradient(&gradient);
}

static void divide_sparse_gradient(const struct sparse_gradient *g)
{
    crew_run(share_sparse_gradient, g, g->pattern->entries * g->columns >= CREW_MULTIPLY_ADDS);
}

/* --- 3x3 convolutions --- */

/* A call of one of the methods. */
struct conv_call {
    enum conv_method method;
    const void *call;
};

static bool is_large(const struct conv_shape *shape, int64_t columns)
{
    return shape->inputs * shape->outputs * shape->height * shape->width * columns >=
           CREW_MULTIPLY_ADDS / FILTER_TAPS;
}

static void share_conv_data(const void *of, struct share share)
{
    const struct conv_call *c = of;
    struct conv_data call = *(const struct conv_data *)c->call;
    call.share = share;
    call.scratch += share.part * whole_lanes(conv_data_scratch(c->method, &call.shape, call.columns,
                                                               call.backward));
    plain->conv_data[c->method](&call);
}

static void divide_conv_data(enum conv_method method, const struct conv_data *call)
{
    crew_run(share_conv_data, &(struct conv_call){method, call},
             is_large(&call->shape, call->columns));
}

static void divide_direct_data(const struct conv_data *call)
{
    divide_conv_data(CONV_DIRECT, call);
}

static void divide_small_data(const struct conv_data *call)
{
    divide_conv_data(CONV_SMALL, call);
}

static void divide_winograd_data(const struct conv_data *call)
{
    divide_conv_data(CONV_WINOGRAD, call);
}

static void share_conv_gradient(const void *of, struct share share)
{
    const struct conv_call *c = of;
    struct conv_gradient call = *(const struct conv_gradient *)c->call;
    call.share = share;
    call.scratch +=
        share.part * whole_lanes(conv_gradient_scratch(c->method, &call.shape, call.columns));
    plain->conv_gradient[c->method](&call);
}

static void divide_conv_gradient(enum conv_method method, const struct conv_gradient *call)
{
    crew_run(share_conv_gradient, &(struct conv_call){method, call},
             is_large(&call->shape, call->columns));
}

static void divide_direct_gradient(const struct conv_gradient *call)
{
    divide_conv_gradient(CONV_DIRECT, call);
}

static void divide_small_gradient(const struct conv_gradient *call)
{
    divide_conv_gradient(CONV_SMALL, call);
}

static void divide_winograd_gradient(const struct conv_gradient *call)
{
    divide_conv_gradient(CONV_WINOGRAD, call);
}

static int64_t sparse_scratch(const struct sparse_pattern *pattern, int64_t height, int64_t width)
{
    return whole_lanes(
        sparse_conv_scratch_floats(pattern->columns / SPARSE_TAPS, pattern->rows, height, width));
}

static void share_sparse_conv_data(const void *of, struct share share)
{
    struct sparse_conv_data call = *(const struct sparse_conv_data *)of;
    call.share = share;
    call.scratch += share.part * sparse_scratch(call.pattern, call.height, call.width);
    plain->sparse_conv_data(&call);
}

static void divide_sparse_conv_data(const struct sparse_conv_data *c)
{
    crew_run(share_sparse_conv_data, c,
             c->pattern->entries * c->height * c->width * c->columns >= CREW_MULTIPLY_ADDS);
}

static void share_sparse_conv_gradient(const void *of, struct share share)
{
    struct sparse_conv_gradient call = *(const struct sparse_conv_gradient *)of;
    call.share = share;
    call.scratch += share.part * sparse_scratch(call.pattern, call.height, call.width);
    plain->sparse_conv_gradient(&call);
}

static void divide_sparse_conv_gradient(const struct sparse_conv_gradient *c)
{
    crew_run(share_sparse_conv_gradient, c,
             c->pattern->entries * c->height * c->width * c->columns >= CREW_MULTIPLY_ADDS);
}

/* --- the table --- */

const struct kernels *kernels_divide(const struct kernels *kernels)
{
    static struct kernels divided;
    if (crew_threads() == 1)
        return kernels;
    plain = kernels;
    divided = *kernels;
    divided.product = divide_product;
    divided.sparse_product = divide_sparse_product;
    divided.sparse_gradient = divide_sparse_gradient;
    divided.conv_data[CONV_DIRECT] = divide_direct_data;
    divided.conv_data[CONV_SMALL] = divide_small_data;
    divided.conv_data[CONV_WINOGRAD] = divide_winograd_data;
    divided.conv_gradient[CONV_DIRECT] = divide_direct_gradient;
    divided.conv_gradient[CONV_SMALL] = divide_small_gradient;
    divided.conv_gradient[CONV_WINOGRAD] = divide_winograd_gradient;
    divided.sparse_conv_data = divide_sparse_conv_data;
    divided.sparse_conv_gradient = divide_sparse_conv_gradient;
    divide_passes(kernels, &divided);
    return &divided;
}
