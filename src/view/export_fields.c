/* Fields of an export. The store says "missing" with NaN and, in integers, with -1; only in the
 * fields of experiments -1 has meanings of its own (all examples, the end), and stays. */
#include "export_fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define TEXT_MOST 1024 /* longest column of text */

static enum field_meaning meaning_of(const struct join *join, const struct join_column *column)
{
    const char *name = join->tables[column->table].columns[column->column].name;
    if (column->table != JOIN_RESULTS)
        return FIELD_VALUE;
    if (strcmp(name, "status") == 0)
        return FIELD_STATUS;
    return strcmp(name, "reason") == 0 ? FIELD_REASON : FIELD_VALUE;
}

struct export_field *export_fields(const struct join *join, int *count, struct error *err)
{
    struct join_column *columns = join_columns(join, count, err);
    if (columns == NULL)
        return NULL;
    struct export_field *fields = mem_zeroed((size_t)*count, sizeof *fields, err);
    for (int i = 0; fields != NULL && i < *count; i++)
        fields[i] = (struct export_field){columns[i], meaning_of(join, &columns[i])};
    free(columns);
    return fields;
}

static const char *reason_word(int64_t reason)
{
    static const char *const words[] = {
        [STORE_REASON_NONE] = "",
        [STORE_REASON_ERROR] = "error",
        [STORE_REASON_MEMORY] = "memory",
        [STORE_REASON_LOST] = "lost",
        [STORE_REASON_CRASH] = "crash",
        [STORE_REASON_TIME] = "time",
    };
    bool known = reason >= 0 && (size_t)reason < sizeof words / sizeof *words;
    return known ? words[reason] : "unknown";
}

/* Messages are cut to a number of bytes, perhaps inside a character of several: JSON must be UTF-8.
 */
static void drop_cut_character(char *text)
{
    size_t length = strlen(text), tail = 0;
    while (tail < 3 && tail < length && ((unsigned char)text[length - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (tail == length)
        return;
    unsigned char lead = (unsigned char)text[length - 1 - tail];
    size_t needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (needed > tail + 1)
        text[length - 1 - tail] = '\0';
}

static void write_text(struct writer *writer, const struct store_table *table, int64_t row,
                       int column)
{
    char text[TEXT_MOST];
    store_table_text(table, row, column, text, sizeof text);
    drop_cut_character(text);
    writer_text(writer, text);
}

static void write_value(struct writer *writer, const struct store_table *table, int64_t row,
                        int column, bool minus_one_is_missing)
{
    enum store_type type = table->columns[column].type;
    if (type == STORE_TEXT) {
        write_text(writer, table, row, column);
        return;
    }
    if (type == STORE_FLOAT32 || type == STORE_FLOAT64) {
        writer_real(writer, store_table_real(table, row, column), type == STORE_FLOAT32);
        return;
    }
    int64_t value = store_table_integer(table, row, column);
    if (value == -1 && minus_one_is_missing)
        writer_missing(writer);
    else
        writer_integer(writer, value);
}

void export_field_write(struct writer *writer, const struct join *join,
                        const struct export_field *field, int64_t point)
{
    enum join_table which = field->from.table;
    const struct store_table *table = &join->tables[which];
    int64_t row = join_row(join, which, point);
    writer_begin_field(writer, field->from.name);
    if (row < 0)
        writer_missing(writer);
    else if (field->meaning == FIELD_STATUS)
        writer_text(writer, store_status_name(join_status(join, row)));
    else if (field->meaning == FIELD_REASON)
        writer_text(writer, reason_word(store_table_integer(table, row, field->from.column)));
    else
        write_value(writer, table, row, field->from.column, which != JOIN_EXPERIMENTS);
}
