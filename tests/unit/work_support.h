/* A plan with its store in a folder of its own, for the tests of work and dist. */
#ifndef TESTS_UNIT_WORK_SUPPORT_H
#define TESTS_UNIT_WORK_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "plan_support.h"
#include "work/work.h"

/* Tickets, late rewinding and every control: 1 dense, then at levels 1 and 2 ticket, reinit, random
 * mask and fork. */
#define WORK_GRID                                                                                  \
    "name: small\n"                                                                                \
    "architecture: lenet-12-8\n"                                                                   \
    "dataset: {name: digits, train: 300, test: 100, validation: 60}\n"                             \
    "train: {iterations: 2ep, batch: 20, dropout: 0.1, evaluate: {every: 6, at: [10]}}\n"          \
    "prune: {rounds: 2}\n"                                                                         \
    "rewind: {to: 5}\n"                                                                            \
    "controls:\n"                                                                                  \
    "- {kind: reinit}\n"                                                                           \
    "- {kind: random-mask}\n"                                                                      \
    "- {kind: fork}\n"                                                                             \
    "snapshots: [init, rewind, early-stop, final]\n"

struct bench {
    char folder[64], path[96];
    struct plan *plan;
    struct store *store;
};

static inline void bench_check(bool failed, const struct error *err)
{
    if (failed)
        fail_msg("%s", err->text);
}

static inline void bench_begin(struct bench *bench, const char *grid)
{
    struct error err = {0};
    struct store_layout layout;
    struct store_identity identity = {.name = "small", .version = "0"};
    work_kernel_mode(NET_KERNELS_AUTO, identity.kernel_mode, sizeof identity.kernel_mode);
    snprintf(bench->folder, sizeof bench->folder, "/tmp/work-test-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof bench->path, "%s/s.h5", bench->folder);
    bench->plan = plan_of(grid);
    memcpy(identity.plan_hash, bench->plan->hash, sizeof identity.plan_hash);
    bench_check(work_layout_create(bench->plan, &identity, &layout, &err) != 0, &err);
    bench_check(store_create(bench->path, &layout, &err) != 0, &err);
    work_layout_finish(&layout);
    bench->store = store_open(bench->path, STORE_WRITE, NULL, &err);
    bench_check(bench->store == NULL, &err);
}

static inline void bench_end(struct bench *bench)
{
    store_close(bench->store);
    plan_drop(bench->plan);
    unlink(bench->path);
    assert_int_equal(rmdir(bench->folder), 0);
}

#endif
