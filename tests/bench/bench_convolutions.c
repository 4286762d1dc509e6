/* Dense 3x3 convolutions, beside oneDNN's on its own layouts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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
    {{3, 64, 32, 32, 3, 1, 1}, 64},    /* first layers */
    {{512, 512, 2, 2, 3, 1, 1}, 64},   /* vgg-19 */
    {{32, 32, 16, 16, 3, 1, 1}, 128},  /* resnet-18 */
    {{64, 64, 8, 8, 3, 1, 1}, 128},    /* resnet-18 */
};

static const char *const passes[] = {"forward", "backward data", "backward weights"};
#define PASSES (sizeof passes / sizeof *passes)

struct work {
    struct conv_shape shape;
    int64_t columns;
    size_t pass;
    float *x, *y, *w; /* gradients where the pass is backward */
    float *scratch;
    struct onednn *onednn[ONEDNN_METHODS];
};

static void run_own(void *of, const void *with)
{
    const struct work *w = of;
    const struct kernels *kernels = with;
    if (w->pass == 0)
        conv3x3_forward(kernels, &w->shape, w->columns, w->x, w->w, NULL, false, w->y, w->scratch);
    else if (w->pass == 1)
        conv3x3_backward_data(kernels, &w->shape, w->columns, w->y, w->w, w->x, w->scratch);
    else
        conv3x3_backward_weights(kernels, &w->shape, w->columns, w->x, w->y, w->w, w->scratch);
}

static void run_onednn(void *of, const void *with)
{
    (void)of;
    onednn_run(with);
}

static int allocate(struct work *work, struct error *err)
{
    const struct conv_shape *s = &work->shape;
    const int64_t plane = s->height * s->width * work->columns;
    work->x = bench_floats(s->inputs * plane, err);
    work->y = bench_floats(s->outputs * plane, err);
    work->w = bench_floats(s->outputs * s->inputs * 9, err);
    work->scratch = bench_floats(conv3x3_scratch_floats(s, work->columns), err);
    return work->x && work->y && work->w && work->scratch ? 0 : -1;
}

static int make(size_t row, struct bench_subject *subject, struct error *err)
{
    static const char *const names[ONEDNN_METHODS] = {"onednn", "onednn_winograd"};
    struct work *work = calloc(1, sizeof *work);
    if (!work)
        return error_set(err, ERROR_RESOURCE, "out of memory");
    subject->work = work;
    const struct conv_shape s = shapes[row / PASSES].shape;
    work->shape = s;
    work->columns = shapes[row / PASSES].columns;
    work->pass = row % PASSES;
    if (allocate(work, err) != 0)
        return -1;
    snprintf(subject->shape, sizeof subject->shape,
             "%" PRId64 "->%" PRId64 " %" PRId64 "x%" PRId64 ", %" PRId64, s.inputs, s.outputs,
             s.height, s.width, work->columns);
    subject->pass = passes[work->pass];
    subject->operations =
        18.0 * (double)(s.inputs * s.outputs * s.height * s.width * work->columns);
    bench_add_own(subject, run_own);
    for (int method = 0; method < ONEDNN_METHODS; method++) {
        work->onednn[method] = onednn_create(&s, work->columns, (int)work->pass, method);
        if (work->onednn[method])
            bench_add_rival(subject, names[method], run_onednn, work->onednn[method]);
    }
    return 0;
}

static void release(struct bench_subject *subject)
{
    struct work *work = subject->work;
    if (!work)
        return;
    for (int method = 0; method < ONEDNN_METHODS; method++)
        onednn_destroy(work->onednn[method]);
    free(work->x);
    free(work->y);
    free(work->w);
    free(work->scratch);
    free(work);
}

const struct bench_family bench_convolutions = {
    .kernel = "convolution",
    .rivals = {"onednn", "onednn_winograd"},
    .rows = PASSES * sizeof shapes / sizeof *shapes,
    .make = make,
    .release = release,
};
