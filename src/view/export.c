/* Export: points joined with experiments, tasks and results, or training curves. Rows are written
 * as they are made: memory holds the tables and one curve, never the output. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export_fields.h"
#include "export_writer.h"
#include "join.h"

/* --- points --- */

static int write_points_header(struct writer *writer, const struct export_field *fields, int count,
                               struct error *err)
{
    if (writer->format == VIEW_JSON_LINES)
        return 0;
    for (int i = 0; i < count; i++) {
        writer_begin_field(writer, fields[i].from.name);
        writer_text(writer, fields[i].from.name);
    }
    return writer_end_row(writer, err);
}

static int export_points(struct writer *writer, const struct join *join, struct error *err)
{
    int count = 0;
    struct export_field *fields = export_fields(join, &count, err);
    int status = fields == NULL ? -1 : write_points_header(writer, fields, count, err);
    for (int64_t point = 0; status == 0 && point < join->tables[JOIN_POINTS].row_count; point++) {
        for (int i = 0; i < count; i++)
            export_field_write(writer, join, &fields[i], point);
        status = writer_end_row(writer, err);
    }
    free(fields);
    return status;
}

/* --- curves --- */

/* A row of a curve says whose it is by these columns of the joined table. */
static const char *const key_names[] = {"experiment", "level", "control", "draw", "task", "key"};
#define KEYS (sizeof key_names / sizeof *key_names)

static const char *const value_names[] = {
    "train_loss", "validation_loss", "validation_accuracy", "test_loss", "test_accuracy",
};
#define VALUES (sizeof value_names / sizeof *value_names)

struct curves {
    struct export_field keys[KEYS];
    size_t key_count;                 /* those that the store has */
    int offset_column, count_column;  /* of /tasks */
    struct store_curve_point *points; /* of the task being written */
    size_t capacity;
    int32_t count;
};

static int find_curve_columns(struct curves *curves, const struct join *join, struct error *err)
{
    const struct store_table *tasks = &join->tables[JOIN_TASKS];
    int count = 0;
    struct export_field *fields = export_fields(join, &count, err);
    if (fields == NULL)
        return -1;
    for (size_t key = 0; key < KEYS; key++)
        for (int i = 0; i < count; i++)
            if (strcmp(fields[i].from.name, key_names[key]) == 0)
                curves->keys[curves->key_count++] = fields[i];
    free(fields);
    curves->offset_column = store_table_column(tasks, "curve_offset");
    curves->count_column = store_table_column(tasks, "curve_count");
    if (curves->offset_column < 0 || curves->count_column < 0)
        return error_set(err, ERROR_USAGE, "/tasks does not say where curves are");
    return 0;
}

static int write_curves_header(struct writer *writer, const struct curves *curves,
                               struct error *err)
{
    if (writer->format == VIEW_JSON_LINES)
        return 0;
    for (size_t i = 0; i < curves->key_count; i++) {
        writer_begin_field(writer, curves->keys[i].from.name);
        writer_text(writer, curves->keys[i].from.name);
    }
    writer_begin_field(writer, "iteration");
    writer_text(writer, "iteration");
    for (size_t i = 0; i < VALUES; i++) {
        writer_begin_field(writer, value_names[i]);
        writer_text(writer, value_names[i]);
    }
    return writer_end_row(writer, err);
}

static int read_curve(struct curves *curves, struct store *store, const struct join *join,
                      int64_t task, struct error *err)
{
    const struct store_table *tasks = &join->tables[JOIN_TASKS];
    int64_t offset = store_table_integer(tasks, task, curves->offset_column);
    int64_t count = store_table_integer(tasks, task, curves->count_column);
    if (offset < 0 || count < 0 || count > INT32_MAX)
        return error_set(err, ERROR_USAGE, "/tasks: row %lld has no place for its curve",
                         (long long)task);
    curves->count = (int32_t)count;
    if (mem_grow((void **)&curves->points, &curves->capacity, (size_t)count, sizeof *curves->points,
                 err) != 0)
        return -1;
    return store_read_curve(store, offset, curves->count, curves->points, err);
}

static int write_curve(struct writer *writer, const struct curves *curves, const struct join *join,
                       int64_t point, struct error *err)
{
    for (int32_t i = 0; i < curves->count; i++) {
        const struct store_curve_point *at = &curves->points[i];
        const double values[VALUES] = {at->train_loss, at->validation_loss, at->validation_accuracy,
                                       at->test_loss, at->test_accuracy};
        for (size_t key = 0; key < curves->key_count; key++)
            export_field_write(writer, join, &curves->keys[key], point);
        writer_begin_field(writer, "iteration");
        writer_integer(writer, at->iteration);
        for (size_t value = 0; value < VALUES; value++) {
            writer_begin_field(writer, value_names[value]);
            writer_real(writer, values[value], false);
        }
        if (writer_end_row(writer, err) != 0)
            return -1;
    }
    return 0;
}

/* A row a point and evaluation. What is not finished has no curve yet. */
static int export_curves(struct writer *writer, struct store *store, const struct join *join,
                         struct error *err)
{
    struct curves curves = {0};
    int status = find_curve_columns(&curves, join, err);
    if (status == 0)
        status = write_curves_header(writer, &curves, err);
    for (int64_t point = 0; status == 0 && point < join->tables[JOIN_POINTS].row_count; point++) {
        int64_t task = join_row(join, JOIN_TASKS, point);
        enum store_status state = join_status(join, task);
        if (state != STORE_DONE && state != STORE_DIVERGED)
            continue;
        status = read_curve(&curves, store, join, task, err);
        if (status == 0)
            status = write_curve(writer, &curves, join, point, err);
    }
    free(curves.points);
    return status;
}

int view_export(struct store *store, enum view_rows rows, enum view_format format, FILE *out,
                struct error *err)
{
    struct writer writer = {.format = format, .out = out};
    struct join join;
    int status = join_read(&join, store, err);
    if (status == 0 && rows == VIEW_POINTS)
        status = export_points(&writer, &join, err);
    else if (status == 0)
        status = export_curves(&writer, store, &join, err);
    if (status == 0)
        status = writer_flush(&writer, err);
    writer_finish(&writer);
    join_finish(&join);
    return status;
}
