/* 3x3 convolutions on surviving weights, uniformly drawn, beside all weights: our own dense kernels
 * and oneDNN's. Operations are the survivors'. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/nn/pattern.h"
#include "base/memory.h"
#include "base/rng.h"
#include "bench.h"
#include "bench_onednn.h"

static const struct {
    struct conv_shape shape;
    int64_t columns;
} shapes[] = {
    {{64, 64, 32, 32, 3, 1, 1}, 64},   /* conv-2, vgg-19 */
    {{128, 128, 16, 16, 3, 1, 1}, 64}, /* conv-4, vgg-19 */
    {{256, 256, 8, 8, 3, 1, 1}, 64},   /* conv-6, vgg-19 */
    {{16, 16, 32, 32, 3, 1, 1}, 128},  /* resnet-18 */
    {{512, 512, 4, 4, 3, 1, 1}, 64},   /* vgg-19 */
    {{512, 512, 2, 2, 3, 1, 1}, 64},   /* vgg-19 */
};

static const double densities[] = {.5, .25, .1, .05, .02, .01};
#define DENSITIES (sizeof densities / sizeof *densities)

static const char *const passes[] = {"forward", "backward data", "backward weights"};
#define PASSES (sizeof passes / sizeof *passes)

struct work {
    struct conv_shape shape;
    int64_t columns;
    double density;
    size_t pass;
    struct sparse_pattern pattern; /* turned in backward data */
    float *x, *y, *w;              /* gradients where the pass is backward; w dense or packed */
    float *scratch;
    struct onednn *onednn;
};

static void run_own(void *of, const void *with)
{
    const struct work *w = of;
    const struct kernels *kernels = with;
    const struct conv_shape *s = &w->shape;
    if (w->pass == 2)
        kernels->sparse_conv_gradient(&(struct sparse_conv_gradient){.pattern = &w->pattern,
                                                                     .height = s->height,
                                                                     .width = s->width,
                                                                     .columns = w->columns,
                                                                     .x = w->x,
                                                                     .dy = w->y,
                                                                     .gradient = w->w,
                                                                     .scratch = w->scratch});
    else
        kernels->sparse_conv_data(&(struct sparse_conv_data){.pattern = &w->pattern,
                                                             .values = w->w,
                                                             .height = s->height,
                                                             .width = s->width,
                                                             .columns = w->columns,
                                                             .x = w->pass ? w->y : w->x,
                                                             .y = w->pass ? w->x : w->y,
                                                             .scratch = w->scratch});
}

static void run_dense(void *of, const void *with)
{
    const struct work *w = of;
    if (w->pass == 0)
        conv3x3_forward(with, &w->shape, w->columns, w->x, w->w, NULL, false, w->y, w->scratch);
    else if (w->pass == 1)
        conv3x3_backward_data(with, &w->shape, w->columns, w->y, w->w, w->x, w->scratch);
    else
        conv3x3_backward_weights(with, &w->shape, w->columns, w->x, w->y, w->w, w->scratch);
}

static void run_onednn(void *of, const void *with)
{
    (void)of;
    onednn_run(with);
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int allocate(struct work *work, struct error *err)
{
    const struct conv_shape *s = &work->shape;
    const int64_t plane = s->height * s->width * work->columns;
    const int64_t channels = greatest(s->inputs, s->outputs);
    work->x = bench_floats(s->inputs * plane, err);
    work->y = bench_floats(s->outputs * plane, err);
    work->w = bench_floats(s->outputs * s->inputs * 9, err);
    work->scratch =
        bench_floats(greatest(conv3x3_scratch_floats(s, work->columns),
                              sparse_conv_scratch_floats(channels, channels, s->height, s->width)),
                     err);
    return work->x && work->y && work->w && work->scratch ? 0 : -1;
}

static int make_pattern(struct work *work, struct error *err)
{
    const struct conv_shape *s = &work->shape;
    const int64_t inputs = work->pass == 1 ? s->outputs : s->inputs;
    const int64_t outputs = work->pass == 1 ? s->inputs : s->outputs;
    const int64_t count = outputs * inputs * 9;
    uint8_t *mask = mem_zeroed((size_t)count, 1, err);
    const struct rng_stream stream = {.seed = 2, .purpose = RNG_GENERATOR};
    int status = mask ? 0 : -1;
    if (status == 0) {
        for (int64_t i = 0; i < count; i++)
            mask[i] = (double)rng_uniform(stream, (uint64_t)i) < work->density;
        status = pattern_make(mask, outputs, inputs * 9, sparse_conv_band(inputs, work->density),
                              &work->pattern, err);
    }
    free(mask);
    return status;
}

/* Our dense kernels of each measured set. */
static void add_dense(struct bench_subject *subject)
{
    static const char *const names[][2] = {
        {"avx512", "dense_avx512"}, {"avx2", "dense_avx2"}, {"portable", "dense_portable"}};
    for (const struct bench_runner *own = subject->own; own->name; own++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strcmp(own->name, names[i][0]) == 0)
                bench_add_rival(subject, names[i][1], run_dense, own->with);
}

static int make(size_t row, struct bench_subject *subject, struct error *err)
{
    struct work *work = calloc(1, sizeof *work);
    if (!work)
        return error_set(err, ERROR_RESOURCE, "out of memory");
    subject->work = work;
    const size_t shape = row / (DENSITIES * PASSES);
    const struct conv_shape s = shapes[shape].shape;
    work->shape = s;
    work->columns = shapes[shape].columns;
    work->density = densities[row / PASSES % DENSITIES];
    work->pass = row % PASSES;
    if (allocate(work, err) != 0 || make_pattern(work, err) != 0)
        return -1;
    snprintf(subject->shape, sizeof subject->shape,
             "%" PRId64 "->%" PRId64 " %" PRId64 "x%" PRId64 ", %" PRId64 " at %g", s.inputs,
             s.outputs, s.height, s.width, work->columns, work->density);
    subject->pass = passes[work->pass];
    subject->operations =
        2.0 * (double)(work->pattern.entries * s.height * s.width * work->columns);
    bench_add_own(subject, run_own);
    add_dense(subject);
    work->onednn = onednn_create(&s, work->columns, (int)work->pass, ONEDNN_DIRECT);
    if (work->onednn)
        bench_add_rival(subject, "onednn", run_onednn, work->onednn);
    return 0;
}

static void release(struct bench_subject *subject)
{
    struct work *work = subject->work;
    if (!work)
        return;
    onednn_destroy(work->onednn);
    pattern_finish(&work->pattern);
    free(work->x);
    free(work->y);
    free(work->w);
    free(work->scratch);
    free(work);
}

const struct bench_family bench_sparse_convolutions = {
    .kernel = "sparse convolution",
    .rivals = {"onednn", "dense_avx512", "dense_avx2"},
    .rows = PASSES * DENSITIES * sizeof shapes / sizeof *shapes,
    .make = make,
    .release = release,
};
