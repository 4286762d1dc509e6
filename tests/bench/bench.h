/* Measuring kernels beside other libraries. A family (bench_*.c) is a table of rows: it makes each
 * row's subject, which names who runs the same work: our kernels, one set after the other, and the
 * rivals. kernels.c lets them take turns and prints what they took. */
#ifndef SWEEPSTAKE_BENCH_H
#define SWEEPSTAKE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../src/nn/kernels/kernels.h"
#include "base/error.h"

#define BENCH_RUNNERS 8
#define BENCH_RIVALS 3 /* whose columns are printed */

/* One who does a subject's work. */
struct bench_runner {
    const char *name; /* of an instruction set, or of a rival; NULL: ends the list */
    void (*run)(void *work, const void *with);
    const void *with; /* the table of kernels, or what the rival needs */
};

struct bench_subject {
    char shape[48];
    const char *pass;
    double operations;                      /* of the plain sum, a multiply-add counting as two */
    void *work;                             /* the family's */
    struct bench_runner own[BENCH_RUNNERS]; /* filled by bench_add_own */
    struct bench_runner rivals[BENCH_RUNNERS];
};

struct bench_family {
    const char *kernel;
    bool loads; /* an operand for each multiply-add: the second-level cache is its roof */
    const char *rivals[BENCH_RIVALS]; /* names, in the order of their columns */
    size_t rows;
    /* Makes row `row`'s subject; release is called in any case. */
    int (*make)(size_t row, struct bench_subject *subject, struct error *err);
    void (*release)(struct bench_subject *subject);
};

extern const struct bench_family bench_convolutions, bench_products, bench_sparse_convolutions,
    bench_sparse_products;

/* Adds `run` with each measured set of kernels. */
void bench_add_own(struct bench_subject *subject, void (*run)(void *work, const void *with));
void bench_add_rival(struct bench_subject *subject, const char *name,
                     void (*run)(void *work, const void *with), const void *with);

/* `count` normal numbers, or NULL. The caller frees. */
float *bench_floats(int64_t count, struct error *err);

/* Multiply-adds of registers alone, for each instruction set; returns their count of floating point
 * operations. */
double bench_peak_portable(int64_t turns);
double bench_peak_avx2(int64_t turns);
double bench_peak_avx512(int64_t turns);
/* With an operand of each loaded from `x`, which is walked through over and over. */
double bench_load_peak_portable(const float *x, int64_t count, int64_t turns);
double bench_load_peak_avx2(const float *x, int64_t count, int64_t turns);
double bench_load_peak_avx512(const float *x, int64_t count, int64_t turns);

#endif
