/* The products of fully connected layers, beside OpenBLAS's. Activations are [features][columns],
 * weights [outputs][inputs]. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <cblas.h>

#include "bench.h"

static const struct {
    int64_t inputs, outputs, columns;
} shapes[] = {
    {784, 300, 64}, /* lenet-300-100 */
    {300, 100, 64},
    {100, 10, 64},
    {16384, 256, 64}, /* conv-2 */
};

static const char *const passes[] = {"forward", "backward data", "backward weights"};
#define PASSES (sizeof passes / sizeof *passes)

/* What layer_fc.c does in a pass. */
struct work {
    int64_t inputs, outputs, columns;
    size_t pass;
    float *x, *y, *w; /* y and w are gradients, backward */
    float *transposed;
};

static void run_own(void *of, const void *with)
{
    const struct work *work = of;
    const struct kernels *kernels = with;
    struct product p = {
        .columns = work->columns, .b_stride = work->columns, .c_stride = work->columns};
    if (work->pass == 0) {
        p.rows = work->outputs, p.depth = work->inputs;
        p.a = work->w, p.a_row = work->inputs, p.a_depth = 1;
        p.b = work->x, p.c = work->y;
    } else if (work->pass == 1) {
        p.rows = work->inputs, p.depth = work->outputs;
        p.a = work->w, p.a_row = 1, p.a_depth = work->inputs;
        p.b = work->y, p.c = work->x;
    } else {
        const int64_t stride = (work->inputs + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
        kernels->transpose(work->x, work->columns, work->transposed, stride, work->inputs,
                           work->columns);
        p.rows = work->outputs, p.columns = work->inputs, p.depth = work->columns;
        p.a = work->y, p.a_row = work->columns, p.a_depth = 1;
        p.b = work->transposed, p.b_stride = stride;
        p.c = work->w, p.c_stride = work->inputs;
    }
    kernels->product(&p);
}

static void run_openblas(void *of, const void *with)
{
    const struct work *work = of;
    (void)with;
    const int inputs = (int)work->inputs, outputs = (int)work->outputs,
              columns = (int)work->columns;
    if (work->pass == 0)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, outputs, columns, inputs, 1, work->w,
                    inputs, work->x, columns, 0, work->y, columns);
    else if (work->pass == 1)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, inputs, columns, outputs, 1, work->w,
                    inputs, work->y, columns, 0, work->x, columns);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, outputs, inputs, columns, 1, work->y,
                    columns, work->x, columns, 0, work->w, inputs);
}

static int make(size_t row, struct bench_subject *subject, struct error *err)
{
    struct work *work = calloc(1, sizeof *work);
    if (!work)
        return error_set(err, ERROR_RESOURCE, "out of memory");
    subject->work = work;
    work->inputs = shapes[row / PASSES].inputs;
    work->outputs = shapes[row / PASSES].outputs;
    work->columns = shapes[row / PASSES].columns;
    work->pass = row % PASSES;
    work->x = bench_floats(work->inputs * work->columns, err);
    work->y = bench_floats(work->outputs * work->columns, err);
    work->w = bench_floats(work->outputs * work->inputs, err);
    work->transposed = bench_floats((work->inputs + KERNEL_LANES) * work->columns, err);
    if (!work->x || !work->y || !work->w || !work->transposed)
        return -1;
    snprintf(subject->shape, sizeof subject->shape, "%" PRId64 "x%" PRId64 ", %" PRId64,
             work->inputs, work->outputs, work->columns);
    subject->pass = passes[work->pass];
    subject->operations = 2.0 * (double)(work->inputs * work->outputs * work->columns);
    bench_add_own(subject, run_own);
    bench_add_rival(subject, "openblas", run_openblas, NULL);
    return 0;
}

static void release(struct bench_subject *subject)
{
    struct work *work = subject->work;
    if (!work)
        return;
    free(work->x);
    free(work->y);
    free(work->w);
    free(work->transposed);
    free(work);
}

const struct bench_family bench_products = {
    .kernel = "product",
    .rivals = {"openblas"},
    .rows = PASSES * sizeof shapes / sizeof *shapes,
    .make = make,
    .release = release,
};
