/* Columns of the store's own tables, from the structs that are their rows. */
#include "schema.h"

#include <stddef.h>

#define COLUMN(row, member, name, type)                                                            \
    {                                                                                              \
        name, type, sizeof(((struct row *)0)->member), offsetof(struct row, member)                \
    }
#define COUNT(array) ((int32_t)(sizeof(array) / sizeof((array)[0])))
#define SCHEMA(row, columns)                                                                       \
    {                                                                                              \
        columns, COUNT(columns), sizeof(struct row)                                                \
    }

/* clang-format off */
#define SCORE(part, i, name, mark)                                                                 \
    COLUMN(store_result, scores[part][i].loss, name "_loss_" mark, STORE_FLOAT64),                 \
    COLUMN(store_result, scores[part][i].accuracy, name "_accuracy_" mark, STORE_FLOAT64)
#define SCORES(part, name)                                                                         \
    SCORE(part, 0, name, "early_stop"), SCORE(part, 1, name, "final"),                             \
    SCORE(part, 2, name, "at_1"), SCORE(part, 3, name, "at_2"),                                    \
    SCORE(part, 4, name, "at_3"), SCORE(part, 5, name, "at_4")

static const struct store_column result_columns[] = {
    COLUMN(store_result, status, "status", STORE_INT32),
    COLUMN(store_result, reason, "reason", STORE_INT32),
    COLUMN(store_result, message, "message", STORE_TEXT),
    COLUMN(store_result, sparse_layers, "sparse_layers", STORE_INT64),
    COLUMN(store_result, weights_remaining, "weights_remaining", STORE_INT64),
    COLUMN(store_result, percent_remaining, "percent_remaining", STORE_FLOAT64),
    COLUMN(store_result, early_stop_iteration, "early_stop_iteration", STORE_INT64),
    SCORES(0, "train"), SCORES(1, "validation"), SCORES(2, "test"),
    COLUMN(store_result, seconds, "seconds", STORE_FLOAT64),
    COLUMN(store_result, host, "host", STORE_TEXT),
    COLUMN(store_result, environment, "environment", STORE_INT32),
    COLUMN(store_result, attempts_used, "attempts_used", STORE_INT32),
    COLUMN(store_result, checksum, "checksum", STORE_INT64),
};

static const struct store_column curve_columns[] = {
    COLUMN(store_curve_point, iteration, "iteration", STORE_INT64),
    COLUMN(store_curve_point, train_loss, "train_loss", STORE_FLOAT64),
    COLUMN(store_curve_point, validation_loss, "validation_loss", STORE_FLOAT64),
    COLUMN(store_curve_point, validation_accuracy, "validation_accuracy", STORE_FLOAT64),
    COLUMN(store_curve_point, test_loss, "test_loss", STORE_FLOAT64),
    COLUMN(store_curve_point, test_accuracy, "test_accuracy", STORE_FLOAT64),
};

static const struct store_column environment_columns[] = {
    COLUMN(store_environment, host, "host", STORE_TEXT),
    COLUMN(store_environment, cpu, "cpu", STORE_TEXT),
    COLUMN(store_environment, blas, "blas", STORE_TEXT),
    COLUMN(store_environment, libraries, "libraries", STORE_TEXT),
    COLUMN(store_environment, slurm_job, "slurm_job", STORE_TEXT),
    COLUMN(store_environment, started, "started", STORE_TEXT),
    COLUMN(store_environment, run, "run", STORE_INT64),
};

static const struct store_column parameter_columns[] = {
    COLUMN(store_parameter, name, "name", STORE_TEXT),
    COLUMN(store_parameter, kind, "kind", STORE_TEXT),
    COLUMN(store_parameter, rank, "rank", STORE_INT32),
    COLUMN(store_parameter, dims[0], "dim0", STORE_INT64),
    COLUMN(store_parameter, dims[1], "dim1", STORE_INT64),
    COLUMN(store_parameter, dims[2], "dim2", STORE_INT64),
    COLUMN(store_parameter, dims[3], "dim3", STORE_INT64),
    COLUMN(store_parameter, count, "count", STORE_INT64),
    COLUMN(store_parameter, offset, "offset", STORE_INT64),
    COLUMN(store_parameter, prunable, "prunable", STORE_INT8),
};
/* clang-format on */

const struct schema schema_results = SCHEMA(store_result, result_columns);
const struct schema schema_curves = SCHEMA(store_curve_point, curve_columns);
const struct schema schema_environment = SCHEMA(store_environment, environment_columns);
const struct schema schema_parameters = SCHEMA(store_parameter, parameter_columns);

const char *const schema_table_names[TABLE_COUNT] = {
    [TABLE_EXPERIMENTS] = "experiments",
    [TABLE_POINTS] = "points",
    [TABLE_TASKS] = "tasks",
    [TABLE_RESULTS] = "results",
    [TABLE_CURVES] = "curves",
    [TABLE_ENVIRONMENT] = "environment",
};

#define TEXT(member, name)                                                                         \
    {                                                                                              \
        name, offsetof(struct store_identity, member),                                             \
            sizeof(((struct store_identity *)0)->member)                                           \
    }

const struct schema_attribute schema_identity[SCHEMA_IDENTITY_COUNT] = {
    TEXT(name, "name"),
    TEXT(created, "created"),
    TEXT(version, "software_version"),
    TEXT(commit, "git_commit"),
    TEXT(isa, "instruction_set"),
    TEXT(blas_core, "blas_core"),
    TEXT(kernel_mode, "kernel_mode"),
    TEXT(plan_hash, "plan_hash"),
};

const char schema_status_names[SCHEMA_STATUS_COUNT][SCHEMA_LABEL_SIZE] = {
    [STORE_PENDING] = "pending", [STORE_DONE] = "done",       [STORE_DIVERGED] = "diverged",
    [STORE_FAILED] = "failed",   [STORE_SKIPPED] = "skipped", [STORE_UNREACHABLE] = "unreachable",
};

const char schema_reason_names[SCHEMA_REASON_COUNT][SCHEMA_LABEL_SIZE] = {
    [STORE_REASON_NONE] = "",     [STORE_REASON_ERROR] = "error", [STORE_REASON_MEMORY] = "memory",
    [STORE_REASON_LOST] = "lost", [STORE_REASON_CRASH] = "crash", [STORE_REASON_TIME] = "time",
};

const char *store_status_name(enum store_status status)
{
    return (unsigned)status < SCHEMA_STATUS_COUNT ? schema_status_names[status] : "unknown";
}
