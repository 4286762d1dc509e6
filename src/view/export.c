/* Export: points joined with experiments, tasks and results, or training curves, as CSV or as a
 * JSON object a line.
 *
 * CSV is quoted as RFC 4180 says, with newlines as line ends. What is missing is empty in CSV and
 * null in JSON: NaN, and -1 where the store means "none" by it (everywhere but in the fields of
 * experiments, whose -1 has a meaning of its own, such as "all examples"). Numbers are as short as
 * they can be and read back as they were. Rows are written as they are made: memory holds the
 * tables, not the output. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "join.h"
#include "number.h"
#include "view/view.h"

#define FLUSH_BYTES 65536

/* --- the two formats --- */

struct writer {
    enum view_format format;
    FILE *out;
    struct text text; /* not written yet */
    bool fresh;       /* no field in this row so far */
};

static void add_csv_text(struct text *text, const char *value)
{
    if (strpbrk(value, ",\"\r\n") == NULL) {
        text_add_bytes(text, value, strlen(value));
        return;
    }
    text_add_bytes(text, "\"", 1);
    for (const char *c = value; *c != '\0'; c++)
        text_add_bytes(text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    text_add_bytes(text, "\"", 1);
}

static void begin_row(struct writer *writer)
{
    writer->fresh = true;
}

/* What stands between fields, and the field's name where the format repeats it. */
static void begin_field(struct writer *writer, const char *name)
{
    bool json = writer->format == VIEW_JSON_LINES;
    if (!writer->fresh)
        text_add_bytes(&writer->text, ",", 1);
    else if (json)
        text_add_bytes(&writer->text, "{", 1);
    writer->fresh = false;
    if (json) {
        text_add_json(&writer->text, name);
        text_add_bytes(&writer->text, ":", 1);
    }
}

static void add_missing(struct writer *writer)
{
    if (writer->format == VIEW_JSON_LINES)
        text_add_bytes(&writer->text, "null", 4);
}

static void add_text(struct writer *writer, const char *value)
{
    if (writer->format == VIEW_JSON_LINES)
        text_add_json(&writer->text, value);
    else
        add_csv_text(&writer->text, value);
}

static void add_integer(struct writer *writer, int64_t value)
{
    text_add(&writer->text, "%lld", (long long)value);
}

/* JSON has no infinities. */
static void add_real(struct writer *writer, double value, bool single)
{
    char number[NUMBER_SIZE];
    if (isnan(value) || (isinf(value) && writer->format == VIEW_JSON_LINES)) {
        add_missing(writer);
        return;
    }
    number_shortest(number, value, single);
    text_add_bytes(&writer->text, number, strlen(number));
}

static int flush_text(struct writer *writer, struct error *err)
{
    if (writer->text.failed)
        return error_set(err, ERROR_RESOURCE, "not enough memory for a row");
    size_t length = writer->text.length;
    if (length > 0 && fwrite(writer->text.bytes, 1, length, writer->out) != length)
        return error_set(err, ERROR_RESOURCE, "the output could not be written");
    writer->text.length = 0;
    return 0;
}

static int end_row(struct writer *writer, struct error *err)
{
    text_add(&writer->text, writer->format == VIEW_JSON_LINES ? "}\n" : "\n");
    return writer->text.length < FLUSH_BYTES && !writer->text.failed ? 0 : flush_text(writer, err);
}

/* --- cells of tables --- */

/* Columns of /results that are numbers in the store and words for readers. */
enum meaning { MEANING_VALUE, MEANING_STATUS, MEANING_REASON };

struct field {
    struct join_column from;
    enum meaning meaning;
};

static const char *reason_word(int64_t reason)
{
    static const char *const words[] = {
        [STORE_REASON_NONE] = "",
        [STORE_REASON_ERROR] = "error",
        [STORE_REASON_MEMORY] = "memory",
        [STORE_REASON_LOST] = "lost",
    };
    bool known = reason >= 0 && (size_t)reason < sizeof words / sizeof *words;
    return known ? words[reason] : "unknown";
}

static void add_value(struct writer *writer, const struct store_table *table, int64_t row,
                      int column, bool minus_one_is_missing)
{
    char word[1024];
    enum store_type type = table->columns[column].type;
    if (type == STORE_TEXT) {
        add_text(writer, store_table_text(table, row, column, word, sizeof word));
    } else if (type == STORE_FLOAT32 || type == STORE_FLOAT64) {
        add_real(writer, store_table_real(table, row, column), type == STORE_FLOAT32);
    } else {
        int64_t value = store_table_integer(table, row, column);
        if (value == -1 && minus_one_is_missing)
            add_missing(writer);
        else
            add_integer(writer, value);
    }
}

static void add_field(struct writer *writer, const struct join *join, const struct field *field,
                      int64_t point)
{
    const struct store_table *table = &join->tables[field->from.table];
    int64_t row = join_row(join, field->from.table, point);
    begin_field(writer, field->from.name);
    if (row < 0)
        add_missing(writer);
    else if (field->meaning == MEANING_STATUS)
        add_text(writer, store_status_name(join_status(join, row)));
    else if (field->meaning == MEANING_REASON)
        add_text(writer, reason_word(store_table_integer(table, row, field->from.column)));
    else
        add_value(writer, table, row, field->from.column, field->from.table != JOIN_EXPERIMENTS);
}

/* --- points --- */

static struct field *fields_of(const struct join *join, int *count, struct error *err)
{
    struct join_column *columns = join_columns(join, count, err);
    struct field *fields = columns == NULL ? NULL : mem_zeroed((size_t)*count, sizeof *fields, err);
    for (int i = 0; fields != NULL && i < *count; i++) {
        const struct store_table *table = &join->tables[columns[i].table];
        const char *name = table->columns[columns[i].column].name;
        fields[i].from = columns[i];
        if (columns[i].table == JOIN_RESULTS && strcmp(name, "status") == 0)
            fields[i].meaning = MEANING_STATUS;
        else if (columns[i].table == JOIN_RESULTS && strcmp(name, "reason") == 0)
            fields[i].meaning = MEANING_REASON;
    }
    free(columns);
    return fields;
}

static int write_header(struct writer *writer, const struct field *fields, int count,
                        struct error *err)
{
    if (writer->format == VIEW_JSON_LINES)
        return 0;
    begin_row(writer);
    for (int i = 0; i < count; i++) {
        begin_field(writer, NULL);
        add_text(writer, fields[i].from.name);
    }
    return end_row(writer, err);
}

static int export_points(struct writer *writer, const struct join *join, struct error *err)
{
    int count = 0;
    struct field *fields = fields_of(join, &count, err);
    int status = fields == NULL ? -1 : write_header(writer, fields, count, err);
    for (int64_t point = 0; status == 0 && point < join->tables[JOIN_POINTS].row_count; point++) {
        begin_row(writer);
        for (int i = 0; i < count; i++)
            add_field(writer, join, &fields[i], point);
        status = end_row(writer, err);
    }
    free(fields);
    return status;
}

/* --- curves --- */

/* Columns of a curve's rows that come from its point. */
static const struct {
    const char *name;
    enum join_table table;
} curve_keys[] = {
    {"experiment", JOIN_POINTS}, {"level", JOIN_POINTS}, {"control", JOIN_POINTS},
    {"draw", JOIN_POINTS},       {"task", JOIN_POINTS},  {"key", JOIN_TASKS},
};
#define CURVE_KEYS (sizeof curve_keys / sizeof *curve_keys)

static const char *const curve_values[] = {
    "train_loss", "validation_loss", "validation_accuracy", "test_loss", "test_accuracy",
};
#define CURVE_VALUES (sizeof curve_values / sizeof *curve_values)

/* A task's curve while it is written. */
struct curve {
    struct store_curve_point *points;
    size_t capacity;
    int64_t offset;
    int32_t count;
};

static int write_curve_header(struct writer *writer, struct error *err)
{
    if (writer->format == VIEW_JSON_LINES)
        return 0;
    begin_row(writer);
    for (size_t i = 0; i < CURVE_KEYS; i++) {
        begin_field(writer, NULL);
        add_text(writer, curve_keys[i].name);
    }
    begin_field(writer, NULL);
    add_text(writer, "iteration");
    for (size_t i = 0; i < CURVE_VALUES; i++) {
        begin_field(writer, NULL);
        add_text(writer, curve_values[i]);
    }
    return end_row(writer, err);
}

static int read_curve(struct store *store, const struct join *join, int64_t task,
                      struct curve *curve, struct error *err)
{
    const struct store_table *tasks = &join->tables[JOIN_TASKS];
    int offset = store_table_column(tasks, "curve_offset");
    int count = store_table_column(tasks, "curve_count");
    curve->offset = store_table_integer(tasks, task, offset);
    curve->count = (int32_t)store_table_integer(tasks, task, count);
    if (curve->offset < 0 || curve->count < 0)
        return error_set(err, ERROR_USAGE, "task %lld: /tasks does not say where its curve is",
                         (long long)task);
    if (mem_grow((void **)&curve->points, &curve->capacity, (size_t)curve->count,
                 sizeof *curve->points, err) != 0)
        return -1;
    return store_read_curve(store, curve->offset, curve->count, curve->points, err);
}

static int write_curve(struct writer *writer, const struct join *join, int64_t point,
                       const struct curve *curve, struct error *err)
{
    for (int32_t i = 0; i < curve->count; i++) {
        const struct store_curve_point *at = &curve->points[i];
        const double values[CURVE_VALUES] = {at->train_loss, at->validation_loss,
                                             at->validation_accuracy, at->test_loss,
                                             at->test_accuracy};
        begin_row(writer);
        for (size_t k = 0; k < CURVE_KEYS; k++) {
            const struct store_table *table = &join->tables[curve_keys[k].table];
            begin_field(writer, curve_keys[k].name);
            add_value(writer, table, join_row(join, curve_keys[k].table, point),
                      store_table_column(table, curve_keys[k].name), true);
        }
        begin_field(writer, "iteration");
        add_integer(writer, at->iteration);
        for (size_t k = 0; k < CURVE_VALUES; k++) {
            begin_field(writer, curve_values[k]);
            add_real(writer, values[k], false);
        }
        if (end_row(writer, err) != 0)
            return -1;
    }
    return 0;
}

/* A row a point and evaluation, of tasks that have a curve: what is not finished has none yet. */
static int export_curves(struct writer *writer, struct store *store, const struct join *join,
                         struct error *err)
{
    struct curve curve = {0};
    int status = write_curve_header(writer, err);
    for (int64_t point = 0; status == 0 && point < join->tables[JOIN_POINTS].row_count; point++) {
        int64_t task = join_row(join, JOIN_TASKS, point);
        enum store_status state = join_status(join, task);
        if (state != STORE_DONE && state != STORE_DIVERGED)
            continue;
        status = read_curve(store, join, task, &curve, err);
        if (status == 0)
            status = write_curve(writer, join, point, &curve, err);
    }
    free(curve.points);
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
        status = flush_text(&writer, err);
    text_finish(&writer.text);
    join_finish(&join);
    return status;
}
