/* How fast the 3x3 convolutions are, over the plain way: patches of the whole batch, then OpenBLAS.
 * Build with `ninja tests/bench/bench_convolution`; takes some ten seconds and 300 MB.
 *
 * One core, thread CPU time, operations of the direct sum. The two ways alternate, so that a slow
 * moment of the machine meets both, and the shortest of the repetitions counts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cblas.h>

#include "../../src/nn/kernels/kernels.h"
#include "base/memory.h"
#include "base/rng.h"
#include "nn/network.h"

#define REPETITIONS 9

static const struct {
    const char *where;
    struct conv_shape shape;
    int64_t columns;
} subjects[] = {
    {"first layer", {3, 64, 32, 32, 3, 1, 1}, 64},
    {"conv-2, vgg-19", {64, 64, 32, 32, 3, 1, 1}, 64},
    {"conv-4, vgg-19", {128, 128, 16, 16, 3, 1, 1}, 64},
    {"conv-6, vgg-19", {256, 256, 8, 8, 3, 1, 1}, 64},
    {"vgg-19", {512, 512, 4, 4, 3, 1, 1}, 64},
    {"vgg-19", {512, 512, 2, 2, 3, 1, 1}, 64},
    {"resnet-18", {16, 16, 32, 32, 3, 1, 1}, 128},
    {"resnet-18", {32, 32, 16, 16, 3, 1, 1}, 128},
    {"resnet-18", {64, 64, 8, 8, 3, 1, 1}, 128},
};

/* The three convolutions of one layer: forward, its argument's gradient, its weights' gradient. */
#define PASSES 3

struct bench {
    const struct kernels *kernels;
    const struct conv_shape *shape;
    int64_t columns, places; /* of an image; of a batch of images */
    float *x, *y, *w, *scratch, *patches;
};

static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void run_own(const struct bench *b, int pass)
{
    if (pass == 0)
        conv3x3_forward(b->kernels, b->shape, b->columns, b->x, b->w, NULL, false, b->y,
                        b->scratch);
    else if (pass == 1)
        conv3x3_backward_data(b->kernels, b->shape, b->columns, b->y, b->w, b->x, b->scratch);
    else
        conv3x3_backward_weights(b->kernels, b->shape, b->columns, b->x, b->y, b->w, b->scratch);
}

/* Calls what for every row of pixels of every patch row: `patch` its place in the patches, `image`
 * in the image, `count` floats. */
static void for_each_run(const struct bench *b,
                         void (*what)(float *patch, float *image, int64_t count))
{
    const struct conv_shape *s = b->shape;
    const int64_t row_floats = s->width * b->columns;
    for (int64_t r = 0; r < s->inputs * 9; r++)
        for (int64_t row = 0; row < s->height; row++) {
            float *patch = b->patches + r * b->places + row * row_floats;
            const int64_t from = row + r / 3 % 3 - 1, shift = (r % 3 - 1) * b->columns;
            if (from < 0 || from >= s->height)
                continue;
            float *image = b->x + r / 9 * b->places + from * row_floats;
            if (shift < 0)
                what(patch - shift, image, row_floats + shift);
            else
                what(patch, image + shift, row_floats - shift);
        }
}

static void copy_run(float *patch, float *image, int64_t count)
{
    memcpy(patch, image, (size_t)count * sizeof *patch);
}

static void add_run(float *patch, float *image, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        image[i] += patch[i];
}

static void run_plain(const struct bench *b, int pass)
{
    const int outputs = (int)b->shape->outputs, taps = (int)b->shape->inputs * 9;
    const int places = (int)b->places;
    if (pass != 1)
        for_each_run(b, copy_run);
    if (pass == 0)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, outputs, places, taps, 1, b->w, taps,
                    b->patches, places, 0, b->y, places);
    else if (pass == 1)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, taps, places, outputs, 1, b->w, taps,
                    b->y, places, 0, b->patches, places);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, outputs, taps, places, 1, b->y, places,
                    b->patches, places, 0, b->w, taps);
    if (pass == 1) {
        memset(b->x, 0, (size_t)(b->shape->inputs * b->places) * sizeof *b->x);
        for_each_run(b, add_run);
    }
}

static double shorter(double shortest, double begin)
{
    const double seconds = cpu_seconds() - begin;
    return shortest == 0 || seconds < shortest ? seconds : shortest;
}

static void fill(float *values, int64_t count)
{
    rng_normal((struct rng_stream){.seed = 1, .purpose = RNG_GENERATOR}, 0, values, (size_t)count);
}

static void measure_pass(const struct bench *b, int pass)
{
    const int64_t weights = b->shape->outputs * b->shape->inputs * 9;
    double own = 0, plain = 0;
    for (int i = 0; i < REPETITIONS; i++) {
        fill(b->w, weights);
        double begin = cpu_seconds();
        run_own(b, pass);
        own = shorter(own, begin);
        begin = cpu_seconds();
        run_plain(b, pass);
        plain = shorter(plain, begin);
    }
    printf(" %8.2f %5.0f %5.2f", 1e3 * own, 2e-9 * (double)(weights * b->places) / own,
           own / plain);
}

static int allocate(struct bench *b, struct error *err)
{
    const struct conv_shape *s = b->shape;
    const struct {
        float **buffer;
        int64_t count;
    } buffers[] = {{&b->x, s->inputs * b->places},
                   {&b->y, s->outputs * b->places},
                   {&b->w, s->outputs * s->inputs * 9},
                   {&b->scratch, conv3x3_scratch_floats(s, b->columns)},
                   {&b->patches, s->inputs * 9 * b->places}};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        *buffers[i].buffer = mem_aligned((size_t)buffers[i].count, sizeof(float), err);
        if (!*buffers[i].buffer)
            return -1;
        fill(*buffers[i].buffer, buffers[i].count);
    }
    return 0;
}

static void release(struct bench *b)
{
    free(b->x);
    free(b->y);
    free(b->w);
    free(b->scratch);
    free(b->patches);
}

static int measure(size_t subject, struct error *err)
{
    const struct conv_shape *s = &subjects[subject].shape;
    struct bench b = {.kernels = kernels_current(err),
                      .shape = s,
                      .columns = subjects[subject].columns,
                      .places = s->height * s->width * subjects[subject].columns};
    const int status = b.kernels ? allocate(&b, err) : -1;
    if (status == 0) {
        printf("%-15s %3" PRId64 "->%-3" PRId64 " %2" PRId64 "x%-2" PRId64 " %4" PRId64,
               subjects[subject].where, s->inputs, s->outputs, s->height, s->width, b.columns);
        for (int pass = 0; pass < PASSES; pass++)
            measure_pass(&b, pass);
        printf("\n");
    }
    release(&b);
    return status;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    (void)argv;
    if (argc != 1) {
        fprintf(stderr, "usage: bench_convolution\n");
        return 2;
    }
    kernels_single_thread();
    printf(
        "3x3 convolutions with %s kernels, one core: milliseconds, GFLOP/s of the direct sum, and "
        "time over patches + OpenBLAS\n\n%-15s %-8s %5s %5s %20s %20s %20s\n",
        kernels_isa(), "where", "channels", "image", "batch", "forward", "backward data",
        "backward weights");
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        if (measure(i, &err) != 0) {
            fprintf(stderr, "bench_convolution: %s\n", err.text);
            return error_exit_status(&err);
        }
    return 0;
}
