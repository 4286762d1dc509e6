/* Tables that grow by rows of other tables: columns are matched by name, values converted to the
 * type they have in the table that grows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/store.h"

static char *place(const struct store_table *table, int64_t row, int column)
{
    return (char *)table->rows + (size_t)row * table->row_size + table->columns[column].offset;
}

/* --- values --- */

static bool is_real(enum store_type type)
{
    return type == STORE_FLOAT32 || type == STORE_FLOAT64;
}

static void put_integer(char *to, enum store_type type, int64_t value)
{
    const int8_t byte = (int8_t)value;
    const int16_t half = (int16_t)value;
    const int32_t word = (int32_t)value;
    if (type == STORE_INT8)
        memcpy(to, &byte, sizeof byte);
    else if (type == STORE_INT16)
        memcpy(to, &half, sizeof half);
    else if (type == STORE_INT32)
        memcpy(to, &word, sizeof word);
    else
        memcpy(to, &value, sizeof value);
}

static void put_real(char *to, enum store_type type, double value)
{
    const float single = (float)value;
    if (type == STORE_FLOAT32)
        memcpy(to, &single, sizeof single);
    else
        memcpy(to, &value, sizeof value);
}

void store_table_set_integer(struct store_table *table, int64_t row, int column, int64_t value)
{
    if (column < 0)
        return;
    enum store_type type = table->columns[column].type;
    if (is_real(type))
        put_real(place(table, row, column), type, (double)value);
    else
        put_integer(place(table, row, column), type, value);
}

/* A column that `by` lacks (from = -1) gives what stands for missing. */
static void copy_value(struct store_table *table, int64_t row, int column,
                       const struct store_table *by, int64_t from_row, int from)
{
    const struct store_column *to = &table->columns[column];
    char *cell = place(table, row, column);
    if (from >= 0 && by->columns[from].type == to->type && by->columns[from].size <= to->size)
        memcpy(cell, place(by, from_row, from), by->columns[from].size);
    else if (is_real(to->type))
        put_real(cell, to->type, store_table_real(by, from_row, from));
    else if (to->type != STORE_TEXT)
        put_integer(cell, to->type, store_table_integer(by, from_row, from));
}

static void copy_row(struct store_table *table, int64_t row, const struct store_table *by,
                     int64_t from_row)
{
    memset((char *)table->rows + (size_t)row * table->row_size, 0, table->row_size);
    for (int i = 0; i < table->column_count; i++)
        copy_value(table, row, i, by, from_row, store_table_column(by, table->columns[i].name));
}

/* --- columns --- */

static void take_column(struct store_table *table, const struct store_column *column)
{
    int known = store_table_column(table, column->name);
    if (known < 0)
        table->columns[table->column_count++] = *column;
    else if (column->type == STORE_TEXT && table->columns[known].type == STORE_TEXT &&
             table->columns[known].size < column->size)
        table->columns[known].size = column->size;
}

int store_table_extend(struct store_table *table, const struct store_table *by, int64_t room,
                       struct error *err)
{
    struct store_table wide = {.row_count = table->row_count};
    wide.columns =
        mem_zeroed((size_t)(table->column_count + by->column_count), sizeof *wide.columns, err);
    if (wide.columns == NULL)
        return -1;
    for (int i = 0; i < table->column_count; i++)
        take_column(&wide, &table->columns[i]);
    for (int i = 0; i < by->column_count; i++)
        take_column(&wide, &by->columns[i]);
    for (int i = 0; i < wide.column_count; i++) {
        wide.columns[i].offset = wide.row_size;
        wide.row_size += wide.columns[i].size;
    }
    wide.rows = mem_zeroed((size_t)room, wide.row_size, err);
    if (wide.rows == NULL) {
        store_table_finish(&wide);
        return -1;
    }
    for (int64_t row = 0; row < wide.row_count; row++)
        copy_row(&wide, row, table, row);
    store_table_finish(table);
    *table = wide;
    return 0;
}

int64_t store_table_append(struct store_table *table, const struct store_table *by, int64_t row)
{
    copy_row(table, table->row_count, by, row);
    return table->row_count++;
}

int64_t store_table_live_rows(const struct store_table *table)
{
    int column = store_table_column(table, "orphan");
    int64_t rows = 0;
    while (rows < table->row_count && store_table_integer(table, rows, column) != 1)
        rows++;
    return rows;
}
