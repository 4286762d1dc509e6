/* A small store for tests: two networks, five tasks, every kind of set of weights, and contents
 * that are a function of the task, so that any byte out of place shows. */
#ifndef STORE_SAMPLE_H
#define STORE_SAMPLE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/store.h"

#define SAMPLE_TASKS 5
#define SAMPLE_COLUMNS 23
#define SAMPLE_CURVE 4 /* points a task */

/* A row of /tasks, with the columns the store relies on. */
struct sample_task {
    char key[32];
    int32_t parent, level, root, network;
    int64_t curve_offset;
    int32_t curve_count;
    int64_t mask_slot, init_slot, rewind_slot, at_slot, early_stop_slot, final_slot;
    int8_t writes_mask, writes_init, writes_early_stop, writes_final;
    int64_t rewind_set, at_set;
    double rate;
    char start[16];
    int64_t start_iteration;
    char control[16];
};

struct sample_point {
    int32_t experiment, level, task, dense_task;
    char control[16];
};

struct sample_experiment {
    char name[24];
    int16_t batch;
    float learning_rate;
    double factor;
};

#define SAMPLE_COLUMN(row, member, type)                                                           \
    {                                                                                              \
#member, type, sizeof(((struct row *)0)->member), offsetof(struct row, member)             \
    }

static const struct store_column sample_task_columns[SAMPLE_COLUMNS] = {
    SAMPLE_COLUMN(sample_task, key, STORE_TEXT),
    SAMPLE_COLUMN(sample_task, parent, STORE_INT32),
    SAMPLE_COLUMN(sample_task, level, STORE_INT32),
    SAMPLE_COLUMN(sample_task, root, STORE_INT32),
    SAMPLE_COLUMN(sample_task, network, STORE_INT32),
    SAMPLE_COLUMN(sample_task, curve_offset, STORE_INT64),
    SAMPLE_COLUMN(sample_task, curve_count, STORE_INT32),
    SAMPLE_COLUMN(sample_task, mask_slot, STORE_INT64),
    SAMPLE_COLUMN(sample_task, init_slot, STORE_INT64),
    SAMPLE_COLUMN(sample_task, rewind_slot, STORE_INT64),
    SAMPLE_COLUMN(sample_task, at_slot, STORE_INT64),
    SAMPLE_COLUMN(sample_task, early_stop_slot, STORE_INT64),
    SAMPLE_COLUMN(sample_task, final_slot, STORE_INT64),
    SAMPLE_COLUMN(sample_task, writes_mask, STORE_INT8),
    SAMPLE_COLUMN(sample_task, writes_init, STORE_INT8),
    SAMPLE_COLUMN(sample_task, writes_early_stop, STORE_INT8),
    SAMPLE_COLUMN(sample_task, writes_final, STORE_INT8),
    SAMPLE_COLUMN(sample_task, rewind_set, STORE_INT64),
    SAMPLE_COLUMN(sample_task, at_set, STORE_INT64),
    SAMPLE_COLUMN(sample_task, rate, STORE_FLOAT64),
    SAMPLE_COLUMN(sample_task, start, STORE_TEXT),
    SAMPLE_COLUMN(sample_task, start_iteration, STORE_INT64),
    SAMPLE_COLUMN(sample_task, control, STORE_TEXT),
};

static const struct store_column sample_point_columns[] = {
    SAMPLE_COLUMN(sample_point, experiment, STORE_INT32),
    SAMPLE_COLUMN(sample_point, level, STORE_INT32),
    SAMPLE_COLUMN(sample_point, task, STORE_INT32),
    SAMPLE_COLUMN(sample_point, dense_task, STORE_INT32),
    SAMPLE_COLUMN(sample_point, control, STORE_TEXT),
};

static const struct store_column sample_experiment_columns[] = {
    SAMPLE_COLUMN(sample_experiment, name, STORE_TEXT),
    SAMPLE_COLUMN(sample_experiment, batch, STORE_INT16),
    SAMPLE_COLUMN(sample_experiment, learning_rate, STORE_FLOAT32),
    SAMPLE_COLUMN(sample_experiment, factor, STORE_FLOAT64),
};

/* "tiny" keeps everything, two rewind points at once; "wide" has a 4-dimensional parameter, a set
 * of weights without slots, and a gap in its block. */
static const struct sample_task sample_tasks[SAMPLE_TASKS] = {
    {"dense", -1, 0, 0, 0, 0, 4, -1, 0, 0, -1, 0, 0, 0, 1, 1, 1, 3, 0, NAN, "init", 0, "ticket"},
    {"level-1", 0, 1, 0, 0, 4, 4, 0, 0, 0, -1, 1, 1, 1, 0, 1, 1, 0, 0, 0.2, "rewind", 10, "ticket"},
    {"reinit-1", 0, 1, 0, 0, 8, 4, 1, 1, -1, -1, 2, 2, 1, 1, 1, 1, 0, 0, 0.2, "init", 0, "reinit"},
    {"wide", -1, 0, 3, 1, 12, 4, -1, 0, -1, 0, -1, 0, 0, 1, 0, 1, 0, 1, NAN, "init", 0, "ticket"},
    {"wide-1", 3, 1, 3, 1, 16, 4, 0, 0, -1, 1, -1, -1, 1, 0, 0, 0, 0, 1, 0.5, "parent-final", 0, "ticket"},
};

static const struct sample_point sample_points[] = {
    {0, 0, 0, 0, "ticket"}, {0, 1, 1, 0, "ticket"}, {0, 1, 2, 0, "reinit"},
    {1, 0, 3, 3, "ticket"}, {1, 1, 4, 3, "ticket"},
};

static const struct sample_experiment sample_experiments[] = {
    {"tiny, Adam", 60, 1.2e-3f, 0.1},
    {"wide \xc3\xa4", 128, 0.1f, NAN},
};

static const char sample_grid[] = "name: sample\nseed: 1..2 # \xc3\xa4\n";

static inline void sample_parameter(struct store_network *network, const char *name,
                                    const char *kind, bool prunable, int64_t offset, int32_t rank,
                                    const int64_t *dims)
{
    struct store_parameter *to = &network->parameters[network->parameter_count++];
    snprintf(to->name, sizeof to->name, "%s", name);
    snprintf(to->kind, sizeof to->kind, "%s", kind);
    to->prunable = prunable;
    to->offset = offset;
    to->rank = rank;
    to->count = 1;
    for (int32_t i = 0; i < rank; i++) {
        to->dims[i] = dims[i];
        to->count *= dims[i];
    }
}

static inline void sample_when(struct store_network *network, const char *name, int64_t slots)
{
    struct store_when *to = &network->whens[network->when_count++];
    snprintf(to->name, sizeof to->name, "%s", name);
    to->slots = slots;
}

static inline void sample_tiny(struct store_network *network)
{
    snprintf(network->name, sizeof network->name, "tiny.5-3-2");
    network->block_size = 32;
    network->mask_slots = 2;
    sample_parameter(network, "fc1.weight", "fc", true, 0, 2, (const int64_t[]){3, 5});
    sample_parameter(network, "fc1.bias", "bias", false, 15, 1, (const int64_t[]){3});
    sample_parameter(network, "fc2.weight", "output", true, 18, 2, (const int64_t[]){2, 3});
    sample_parameter(network, "fc2.bias", "bias", false, 24, 1, (const int64_t[]){2});
    sample_when(network, "init", 2);
    sample_when(network, "rewind-5", 1);
    sample_when(network, "rewind-10", 1);
    sample_when(network, "early-stop", 3);
    sample_when(network, "final", 3);
}

static inline void sample_wide(struct store_network *network)
{
    /* Before "tiny" in the file's alphabetical order, after it by index. */
    snprintf(network->name, sizeof network->name, "conv-wide");
    network->block_size = 64;
    network->mask_slots = 1;
    sample_parameter(network, "conv1.weight", "conv", true, 0, 4, (const int64_t[]){2, 2, 3, 3});
    sample_parameter(network, "conv1.bias", "bias", false, 48, 1, (const int64_t[]){2});
    sample_when(network, "init", 1);
    sample_when(network, "at-3", 2);
    sample_when(network, "early-stop", 0);
    sample_when(network, "final", 1);
}

#define SAMPLE_TABLE(columns_, rows_)                                                              \
    {                                                                                              \
        .columns = (struct store_column *)(uintptr_t)(columns_),                                   \
        .column_count = (int32_t)(sizeof(columns_) / sizeof((columns_)[0])),                       \
        .row_size = sizeof((rows_)[0]),                                                            \
        .row_count = (int64_t)(sizeof(rows_) / sizeof((rows_)[0])),                                \
        .rows = (void *)(uintptr_t)(rows_)                                                         \
    }

/* The layout; its networks are freed by sample_layout_finish, the rest is constant. */
static inline struct store_layout sample_layout(void)
{
    struct store_network *networks = mem_zeroed(2, sizeof *networks, NULL);
    sample_tiny(&networks[0]);
    sample_wide(&networks[1]);
    return (struct store_layout){
        .identity = {.name = "sample",
                     .created = "2024-05-06T07:08:09Z",
                     .version = "0.1.0",
                     .commit = "abc",
                     .isa = "avx2",
                     .blas_core = "Haswell",
                     .kernel_mode = "default",
                     .plan_hash = "0123456789abcdef0123456789abcdef"},
        .grid_text = sample_grid,
        .grid_length = sizeof sample_grid - 1,
        .experiments = SAMPLE_TABLE(sample_experiment_columns, sample_experiments),
        .points = SAMPLE_TABLE(sample_point_columns, sample_points),
        .tasks = SAMPLE_TABLE(sample_task_columns, sample_tasks),
        .curve_rows = SAMPLE_TASKS * SAMPLE_CURVE,
        .network_count = 2,
        .networks = networks,
    };
}

static inline void sample_layout_finish(struct store_layout *layout)
{
    free(layout->networks);
}

/* The same with `count` tasks that are all level-0 runs of "tiny", each with slots of its own. */
static inline struct store_layout sample_many(int32_t count)
{
    struct store_layout layout = sample_layout();
    struct sample_task *tasks = mem_zeroed((size_t)count, sizeof *tasks, NULL);
    for (int32_t i = 0; i < count; i++) {
        tasks[i] = sample_tasks[2];
        tasks[i].curve_offset = i * SAMPLE_CURVE;
        tasks[i].mask_slot = tasks[i].init_slot = i;
        tasks[i].early_stop_slot = tasks[i].final_slot = i;
    }
    layout.tasks.rows = tasks;
    layout.tasks.row_count = count;
    layout.curve_rows = (int64_t)count * SAMPLE_CURVE;
    layout.networks[0].mask_slots = count;
    for (int32_t i = 0; i < layout.networks[0].when_count; i++)
        layout.networks[0].whens[i].slots = count;
    return layout;
}

static inline void sample_many_finish(struct store_layout *layout)
{
    free(layout->tasks.rows);
    sample_layout_finish(layout);
}

/* --- contents --- */

static inline float sample_weight(int64_t task, int32_t when, int64_t element)
{
    return (float)(task + 1) + (float)(when + 1) / 16.0f + (float)element / 4096.0f;
}

static inline uint8_t sample_mask_bit(int64_t task, int64_t element)
{
    return (element * 7 + task * 3) % 5 < 3;
}

static inline struct store_curve_point sample_curve_point(int64_t task, int32_t i)
{
    double base = (double)task * 100 + i;
    return (struct store_curve_point){.iteration = i * 10,
                                      .train_loss = i == 0 ? (double)NAN : base + 0.25,
                                      .validation_loss = base + 0.5,
                                      .validation_accuracy = 0.5 + (double)i / 1024,
                                      .test_loss = (double)NAN,
                                      .test_accuracy = (double)NAN};
}

/* A payload with its blocks. */
struct sample_payload {
    struct store_payload payload;
    uint8_t *mask;
    float *blocks[STORE_MAX_WHENS];
    struct store_curve_point curve[SAMPLE_CURVE];
};

/* What `task` writes: from its row in the store, filled with its contents. */
static inline int sample_payload_make(struct store *store, const struct store_table *tasks,
                                      int64_t task, struct sample_payload *made, struct error *err)
{
    memset(made, 0, sizeof *made);
    struct store_payload *payload = &made->payload;
    if (store_task_payload(store, tasks, task, payload, err) != 0)
        return -1;
    size_t size = (size_t)store_network(store, payload->network)->block_size;
    made->mask = mem_zeroed(size, 1, err);
    for (size_t e = 0; e < size; e++)
        made->mask[e] = sample_mask_bit(task, (int64_t)e);
    payload->mask = made->mask;
    for (int32_t i = 0; i < payload->weights_count; i++) {
        made->blocks[i] = mem_zeroed(size, sizeof(float), err);
        for (size_t e = 0; e < size; e++)
            made->blocks[i][e] = sample_weight(task, payload->weights[i].when, (int64_t)e);
        payload->weights[i].block = made->blocks[i];
    }
    for (int32_t i = 0; i < payload->curve_count; i++)
        made->curve[i] = sample_curve_point(task, i);
    payload->curve = made->curve;
    return 0;
}

static inline void sample_payload_free(struct sample_payload *made)
{
    free(made->mask);
    for (int32_t i = 0; i < made->payload.weights_count; i++)
        free(made->blocks[i]);
}

static inline struct store_result sample_result(int64_t task)
{
    struct store_result result = store_result_pending();
    result.status = STORE_DONE;
    result.sparse_layers = 0;
    result.weights_remaining = 1000 - task;
    result.percent_remaining = 100.0 / (double)(task + 1);
    result.early_stop_iteration = 20;
    for (int part = 0; part < 3; part++)
        for (int i = 0; i < 2; i++) {
            result.scores[part][i].loss = (double)task + part / 8.0 + i / 16.0;
            result.scores[part][i].accuracy = 0.5 + part / 8.0 + i / 16.0;
        }
    result.seconds = 1.5;
    snprintf(result.host, sizeof result.host, "node-%d", (int)task);
    result.environment = 0;
    result.attempts_used = 1;
    return result;
}

/* Writes and commits one task as a run would. */
static inline int sample_run_task(struct store *store, const struct store_table *tasks,
                                  int64_t task, struct error *err)
{
    struct sample_payload made;
    uint64_t digest;
    int status = sample_payload_make(store, tasks, task, &made, err);
    if (status == 0)
        status = store_write_payload(store, &made.payload, &digest, err);
    struct store_result result = sample_result(task);
    if (status == 0)
        status = store_commit(store, task, digest, &result, err);
    sample_payload_free(&made);
    return status;
}

/* --- folders --- */

/* A folder of its own for a test; `to` has 64 bytes. */
static inline void sample_folder(char *to)
{
    const char *base = getenv("TMPDIR");
    snprintf(to, 64, "%.40s/store-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(to) == NULL)
        abort();
}

#endif
