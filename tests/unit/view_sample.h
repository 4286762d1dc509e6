/* A small finished grid for tests of what people see: two rates by two seeds, a dense network and
 * one level with a ticket and a reinit control. The dense networks are shared by the rates.
 *
 * Tasks: 0, 1 dense of seeds 1, 2; then ticket and reinit of (rate 0.2, seed 1), (0.2, 2), (0.4,
 * 1), (0.4, 2). */
#ifndef VIEW_SAMPLE_H
#define VIEW_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those before it. */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/store.h"
#include "view/view.h"

#define SAMPLE_TASKS 10
#define SAMPLE_EXPERIMENTS 4
#define SAMPLE_POINTS 12
#define SAMPLE_CURVE 2 /* rows a task */

struct sample_experiment {
    char recipe[24];
    int64_t train; /* -1 = all */
    double rate_fc;
    float rate_output;
    int64_t seed_init, seed_order;
};

struct sample_task {
    char key[HASH_HEX_SIZE];
    int32_t parent, level, network, curve_count;
    int64_t curve_offset, iterations, start_iteration, seed_dropout;
    double rate, cost;
};

struct sample_point {
    int32_t experiment, level, draw, task, dense_task, control_index;
    char control[16];
};

#define SAMPLE_COLUMN(row, member, name, type)                                                     \
    {                                                                                              \
        name, type, sizeof(((struct row *)0)->member), offsetof(struct row, member)                \
    }

static const struct store_column sample_experiment_columns[] = {
    SAMPLE_COLUMN(sample_experiment, recipe, "recipe", STORE_TEXT),
    SAMPLE_COLUMN(sample_experiment, train, "dataset.train", STORE_INT64),
    SAMPLE_COLUMN(sample_experiment, rate_fc, "prune.rate.fc", STORE_FLOAT64),
    SAMPLE_COLUMN(sample_experiment, rate_output, "prune.rate.output", STORE_FLOAT32),
    SAMPLE_COLUMN(sample_experiment, seed_init, "seed.init", STORE_INT64),
    SAMPLE_COLUMN(sample_experiment, seed_order, "seed.order", STORE_INT64),
};

static const struct store_column sample_task_columns[] = {
    SAMPLE_COLUMN(sample_task, key, "key", STORE_TEXT),
    SAMPLE_COLUMN(sample_task, parent, "parent", STORE_INT32),
    SAMPLE_COLUMN(sample_task, level, "level", STORE_INT32),
    SAMPLE_COLUMN(sample_task, network, "network", STORE_INT32),
    SAMPLE_COLUMN(sample_task, curve_count, "curve_count", STORE_INT32),
    SAMPLE_COLUMN(sample_task, curve_offset, "curve_offset", STORE_INT64),
    SAMPLE_COLUMN(sample_task, iterations, "iterations", STORE_INT64),
    SAMPLE_COLUMN(sample_task, start_iteration, "start_iteration", STORE_INT64),
    SAMPLE_COLUMN(sample_task, seed_dropout, "seed_dropout", STORE_INT64),
    SAMPLE_COLUMN(sample_task, rate, "rate", STORE_FLOAT64),
    SAMPLE_COLUMN(sample_task, cost, "cost", STORE_FLOAT64),
};

static const struct store_column sample_point_columns[] = {
    SAMPLE_COLUMN(sample_point, experiment, "experiment", STORE_INT32),
    SAMPLE_COLUMN(sample_point, level, "level", STORE_INT32),
    SAMPLE_COLUMN(sample_point, control, "control", STORE_TEXT),
    SAMPLE_COLUMN(sample_point, draw, "draw", STORE_INT32),
    SAMPLE_COLUMN(sample_point, task, "task", STORE_INT32),
    SAMPLE_COLUMN(sample_point, dense_task, "dense_task", STORE_INT32),
    SAMPLE_COLUMN(sample_point, control_index, "control_index", STORE_INT32),
};

struct sample {
    struct sample_experiment experiments[SAMPLE_EXPERIMENTS];
    struct sample_task tasks[SAMPLE_TASKS];
    struct sample_point points[SAMPLE_POINTS];
    char folder[64], path[96];
};

#define SAMPLE_TABLE(columns_, rows_)                                                              \
    (struct store_table)                                                                           \
    {                                                                                              \
        .columns = (struct store_column *)(uintptr_t)(columns_),                                   \
        .column_count = (int32_t)(sizeof(columns_) / sizeof((columns_)[0])),                       \
        .row_size = sizeof((rows_)[0]),                                                            \
        .row_count = (int64_t)(sizeof(rows_) / sizeof((rows_)[0])), .rows = (rows_)                \
    }

static inline void sample_point(struct sample_point *point, int32_t experiment, int32_t level,
                                const char *control, int32_t task)
{
    *point = (struct sample_point){
        .experiment = experiment,
        .level = level,
        .draw = strcmp(control, "reinit") == 0,
        .task = task,
        .dense_task = experiment % 2,
        .control_index = strcmp(control, "reinit") == 0 ? 0 : -1,
    };
    snprintf(point->control, sizeof point->control, "%s", control);
}

static inline struct sample sample_rows(void)
{
    struct sample sample = {0};
    for (int32_t i = 0; i < SAMPLE_EXPERIMENTS; i++) {
        sample.experiments[i] = (struct sample_experiment){
            "lenet, \"small\"", -1, i < 2 ? 0.2 : 0.4, i < 2 ? 0.1f : 0.2f, 1 + i % 2, 1 + i % 2};
        sample_point(&sample.points[3 * i], i, 0, "ticket", i % 2);
        sample_point(&sample.points[3 * i + 1], i, 1, "ticket", 2 + 2 * i);
        sample_point(&sample.points[3 * i + 2], i, 1, "reinit", 3 + 2 * i);
    }
    for (int32_t i = 0; i < SAMPLE_TASKS; i++) {
        bool dense = i < 2;
        sample.tasks[i] = (struct sample_task){
            .parent = dense ? -1 : (i - 2) / 2 % 2,
            .level = !dense,
            .curve_count = SAMPLE_CURVE,
            .curve_offset = SAMPLE_CURVE * i,
            .iterations = 1000,
            .start_iteration = 0,
            .seed_dropout = -1,
            .cost = dense ? 2e9 : 1e9,
            .rate = dense   ? (double)NAN
                    : i < 6 ? 0.2
                            : 0.4,
        };
        snprintf(sample.tasks[i].key, sizeof sample.tasks[i].key, "key-%d", i);
    }
    return sample;
}

/* Makes the store in a folder of its own. */
static inline void sample_create(struct sample *sample)
{
    struct error err = {0};
    struct store_network network = {
        .name = "fc.4-2", .block_size = 8, .parameter_count = 1, .when_count = 0};
    network.parameters[0] = (struct store_parameter){.name = "fc1.weight",
                                                     .kind = "output",
                                                     .rank = 2,
                                                     .dims = {2, 4},
                                                     .count = 8,
                                                     .prunable = true};
    struct store_layout layout = {
        .identity = {.name = "sample", .created = "2024-05-06T07:08:09Z", .version = "0.1.0"},
        .grid_text = "name: sample\n",
        .grid_length = 13,
        .experiments = SAMPLE_TABLE(sample_experiment_columns, sample->experiments),
        .points = SAMPLE_TABLE(sample_point_columns, sample->points),
        .tasks = SAMPLE_TABLE(sample_task_columns, sample->tasks),
        .curve_rows = SAMPLE_TASKS * SAMPLE_CURVE,
        .network_count = 1,
        .networks = &network,
    };
    snprintf(sample->folder, sizeof sample->folder, "view-test-XXXXXX");
    assert_non_null(mkdtemp(sample->folder));
    snprintf(sample->path, sizeof sample->path, "%s/sample.h5", sample->folder);
    if (store_create(sample->path, &layout, &err) != 0)
        fail_msg("%s", err.text);
}

static inline struct store *sample_open(const struct sample *sample, enum store_mode mode)
{
    struct error err = {0};
    struct store *store = store_open(sample->path, mode, NULL, &err);
    if (store == NULL)
        fail_msg("%s", err.text);
    return store;
}

/* A result whose numbers follow from the task's. */
static inline struct store_result sample_result(int64_t task)
{
    struct store_result result = store_result_pending();
    bool dense = task < 2;
    result.status = STORE_DONE;
    result.weights_remaining = dense ? 100 : 80;
    result.percent_remaining = dense ? 100 : 80.04;
    result.early_stop_iteration = 500 + 1000 * task;
    result.scores[2][0].accuracy = 0.97 + 0.001 * (double)task;
    result.scores[2][1].accuracy = 0.96 + 0.001 * (double)task;
    result.scores[2][0].loss = 0.1;
    result.seconds = 2.5;
    snprintf(result.host, sizeof result.host, "node%d", (int)(task % 2));
    return result;
}

static inline struct store_result sample_failed(enum store_status status, const char *message)
{
    struct store_result result = store_result_pending();
    result.status = (int32_t)status;
    result.reason = status == STORE_FAILED ? STORE_REASON_ERROR : STORE_REASON_NONE;
    snprintf(result.message, sizeof result.message, "%s", message);
    snprintf(result.host, sizeof result.host, "node0");
    return result;
}

/* Writes a task's curve and commits its result. */
static inline void sample_commit(struct store *store, int64_t task, struct store_result result)
{
    struct error err = {0};
    struct store_curve_point curve[SAMPLE_CURVE] = {
        {0, NAN, 2.5, 0.1, NAN, NAN},
        {1000, 0.25, 0.1 + 0.2, 0.9, NAN, 0.1 * (double)task},
    };
    struct store_payload payload = {.mask_slot = -1,
                                    .curve_offset = SAMPLE_CURVE * task,
                                    .curve_count = SAMPLE_CURVE,
                                    .curve = curve};
    uint64_t digest;
    if (store_write_payload(store, &payload, &digest, &err) != 0 ||
        store_commit(store, task, digest, &result, &err) != 0)
        fail_msg("%s", err.text);
}

/* Gives each task its result; those that are pending are left as the store has them. */
static inline void sample_fill(const struct sample *sample,
                               struct store_result (*result_of)(int64_t task))
{
    struct store *store = sample_open(sample, STORE_WRITE);
    for (int64_t task = 0; task < SAMPLE_TASKS; task++) {
        struct store_result result = result_of(task);
        if (result.status != STORE_PENDING)
            sample_commit(store, task, result);
    }
    store_close(store);
}

static inline struct sample sample_grid(struct store_result (*result_of)(int64_t task))
{
    struct sample sample = sample_rows();
    sample_create(&sample);
    sample_fill(&sample, result_of);
    return sample;
}

static inline void sample_remove(const struct sample *sample)
{
    unlink(sample->path);
    rmdir(sample->folder);
}

#endif
