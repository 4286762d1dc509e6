/* Layers on a part of their weights, beside the same layers with all of them: our own dense
 * kernels, oneDNN's direct convolutions, OpenBLAS's products. Masks are uniform random. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <cblas.h>

#include "../../src/nn/convolution_sparse.h"
#include "../../src/nn/pattern.h"
#include "base/rng.h"
#include "bench.h"
#include "bench_onednn.h"

static const double densities[] = {0.5, 0.2, 0.1, 0.05, 0.02};
#define DENSITIES (sizeof densities / sizeof *densities)

static const char *const passes[] = {"forward", "backward data", "backward weights"};
#define PASSES (sizeof passes / sizeof *passes)

static const struct {
    struct conv_shape shape;
    int64_t columns;
} convolutions[] = {
    {{64, 64, 32, 32, 3, 1, 1}, 64},   /* conv-2, vgg-19 */
    {{128, 128, 16, 16, 3, 1, 1}, 64}, /* conv-4, vgg-19 */
    {{256, 256, 8, 8, 3, 1, 1}, 64},   /* conv-6, vgg-19 */
    {{16, 16, 32, 32, 3, 1, 1}, 128},  /* resnet-18 */
    {{512, 512, 4, 4, 3, 1, 1}, 64},   /* vgg-19 */
    {{3, 64, 32, 32, 3, 1, 1}, 64},    /* first layers */
};

static const struct {
    int64_t inputs, outputs, columns;
} products[] = {
    {784, 300, 64},   /* lenet-300-100 */
    {16384, 256, 64}, /* conv-2 */
};

struct work {
    struct conv_shape shape; /* a product is a 1x1 convolution of one pixel */
    int64_t columns;
    size_t pass;
    struct sparse_pattern pattern, turned;
    int32_t *place;
    float *x, *y, *w; /* gradients where the pass is backward; w has room for all weights */
    float *scratch;
    struct onednn *onednn;
};

static void run_sparse(void *of, const void *with)
{
    const struct work *w = of;
    const struct sparse_weights weights = {&w->pattern, w->w}, turned = {&w->turned, w->w};
    if (w->pass == 0)
        convolution_sparse_forward(with, &w->shape, w->columns, &weights, w->x, NULL, false, w->y,
                                   w->scratch);
    else if (w->pass == 1)
        convolution_sparse_backward_data(with, &w->shape, w->columns, &turned, w->y, w->x,
                                         w->scratch);
    else
        convolution_sparse_backward_weights(with, &w->shape, w->columns, &w->pattern, w->x, w->y,
                                            w->w, w->scratch);
}

static void run_dense_convolution(void *of, const void *with)
{
    const struct work *w = of;
    if (w->pass == 0)
        conv3x3_forward(with, &w->shape, w->columns, w->x, w->w, NULL, false, w->y, w->scratch);
    else if (w->pass == 1)
        conv3x3_backward_data(with, &w->shape, w->columns, w->y, w->w, w->x, w->scratch);
    else
        conv3x3_backward_weights(with, &w->shape, w->columns, w->x, w->y, w->w, w->scratch);
}

static void run_openblas(void *of, const void *with)
{
    const struct work *w = of;
    (void)with;
    const int inputs = (int)w->shape.inputs, outputs = (int)w->shape.outputs;
    const int columns = (int)w->columns;
    if (w->pass == 0)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, outputs, columns, inputs, 1, w->w,
                    inputs, w->x, columns, 0, w->y, columns);
    else if (w->pass == 1)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, inputs, columns, outputs, 1, w->w,
                    inputs, w->y, columns, 0, w->x, columns);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, outputs, inputs, columns, 1, w->y,
                    columns, w->x, columns, 0, w->w, inputs);
}

static void run_onednn(void *of, const void *with)
{
    (void)of;
    onednn_run(with);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int make_patterns(struct work *work, double density, struct error *err)
{
    const struct rng_stream stream = {.seed = 1, .purpose = RNG_MASK};
    struct sparse_form form;
    convolution_sparse_form(&work->shape, density, &form);
    const int64_t count = form.rows * form.columns;
    uint8_t *mask = malloc((size_t)count);
    if (!mask)
        return error_set(err, ERROR_RESOURCE, "out of memory");
    for (int64_t i = 0; i < count; i++)
        mask[i] = (double)rng_uniform(stream, (uint64_t)i) < density;
    const int status =
        pattern_make(mask, form.rows, form.columns, form.band, &work->pattern, err) == 0 &&
                pattern_turn(&work->pattern, form.taps, form.turned_band, &work->turned,
                             &work->place, err) == 0
            ? 0
            : -1;
    free(mask);
    return status;
}

/* What all rows have; the shape is set. */
static int make_work(struct work *work, double density, int64_t scratch, struct error *err)
{
    const struct conv_shape *s = &work->shape;
    const int64_t plane = s->height * s->width * work->columns;
    work->x = bench_floats(s->inputs * plane, err);
    work->y = bench_floats(s->outputs * plane, err);
    work->w = bench_floats(s->outputs * s->inputs * s->kernel * s->kernel, err);
    work->scratch = bench_floats(scratch, err);
    if (!work->x || !work->y || !work->w || !work->scratch)
        return -1;
    return make_patterns(work, density, err);
}

static void describe(struct bench_subject *subject, const struct work *work, double density)
{
    const struct conv_shape *s = &work->shape;
    if (s->kernel == 1)
        snprintf(subject->shape, sizeof subject->shape, "%" PRId64 "x%" PRId64 " at %g", s->inputs,
                 s->outputs, density);
    else
        snprintf(subject->shape, sizeof subject->shape,
                 "%" PRId64 "->%" PRId64 " %" PRId64 "x%" PRId64 " at %g", s->inputs, s->outputs,
                 s->height, s->width, density);
    subject->pass = passes[work->pass];
    subject->operations =
        2.0 * (double)(work->pattern.entries * s->height * s->width * work->columns);
    bench_add_own(subject, run_sparse);
}

static struct work *start(size_t row, struct bench_subject *subject, struct error *err)
{
    struct work *work = calloc(1, sizeof *work);
    if (!work)
        error_set(err, ERROR_RESOURCE, "out of memory");
    else
        work->pass = row % PASSES;
    subject->work = work;
    return work;
}

static int make_convolution(size_t row, struct bench_subject *subject, struct error *err)
{
    const double density = densities[row / PASSES % DENSITIES];
    struct work *work = start(row, subject, err);
    if (!work)
        return -1;
    work->shape = convolutions[row / PASSES / DENSITIES].shape;
    work->columns = convolutions[row / PASSES / DENSITIES].columns;
    const int64_t scratch = larger(conv3x3_scratch_floats(&work->shape, work->columns),
                                   convolution_sparse_scratch_floats(&work->shape, work->columns));
    if (make_work(work, density, scratch, err) != 0)
        return -1;
    describe(subject, work, density);
    bench_add_rival(subject, "dense", run_dense_convolution, kernels_current(NULL));
    work->onednn = onednn_create(&work->shape, work->columns, (int)work->pass, 0);
    if (work->onednn)
        bench_add_rival(subject, "onednn", run_onednn, work->onednn);
    return 0;
}

static int make_product(size_t row, struct bench_subject *subject, struct error *err)
{
    const double density = densities[row / PASSES % DENSITIES];
    struct work *work = start(row, subject, err);
    if (!work)
        return -1;
    work->shape = (struct conv_shape){.inputs = products[row / PASSES / DENSITIES].inputs,
                                      .outputs = products[row / PASSES / DENSITIES].outputs,
                                      .height = 1,
                                      .width = 1,
                                      .kernel = 1,
                                      .stride = 1};
    work->columns = products[row / PASSES / DENSITIES].columns;
    if (make_work(work, density, KERNEL_LANES, err) != 0)
        return -1;
    describe(subject, work, density);
    bench_add_rival(subject, "openblas", run_openblas, NULL);
    return 0;
}

static void release(struct bench_subject *subject)
{
    struct work *work = subject->work;
    if (!work)
        return;
    onednn_destroy(work->onednn);
    pattern_finish(&work->pattern);
    pattern_finish(&work->turned);
    free(work->place);
    free(work->x);
    free(work->y);
    free(work->w);
    free(work->scratch);
    free(work);
}

const struct bench_family bench_sparse_convolutions = {
    .kernel = "sparse convolution",
    .loads = true,
    .rivals = {"dense", "onednn"},
    .rows = PASSES * DENSITIES * sizeof convolutions / sizeof *convolutions,
    .make = make_convolution,
    .release = release,
};

const struct bench_family bench_sparse_products = {
    .kernel = "sparse product",
    .loads = true,
    .rivals = {"openblas"},
    .rows = PASSES * DENSITIES * sizeof products / sizeof *products,
    .make = make_product,
    .release = release,
};
