/* Tables in memory: values by row and column, whatever the column's type. Rows are bytes as they
 * stand in the file, without alignment, so every value is copied out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

int store_table_column(const struct store_table *table, const char *name)
{
    for (int32_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return i;
    return -1;
}

static const char *cell(const struct store_table *table, int64_t row, int column)
{
    if (row < 0 || row >= table->row_count || column < 0 || column >= table->column_count)
        return NULL;
    return (const char *)table->rows + (size_t)row * table->row_size +
           table->columns[column].offset;
}

#define RETURN_AS(c_type, bytes)                                                                   \
    {                                                                                              \
        c_type value_;                                                                             \
        memcpy(&value_, bytes, sizeof value_);                                                     \
        return value_;                                                                             \
    }

static int64_t load_integer(enum store_type type, const char *bytes)
{
    switch (type) {
    case STORE_INT8:
        RETURN_AS(int8_t, bytes)
    case STORE_INT16:
        RETURN_AS(int16_t, bytes)
    case STORE_INT32:
        RETURN_AS(int32_t, bytes)
    case STORE_INT64:
        RETURN_AS(int64_t, bytes)
    default:
        return -1;
    }
}

static double load_real(enum store_type type, const char *bytes)
{
    if (type == STORE_FLOAT32)
        RETURN_AS(float, bytes)
    RETURN_AS(double, bytes)
}

static bool is_real(enum store_type type)
{
    return type == STORE_FLOAT32 || type == STORE_FLOAT64;
}

int64_t store_table_integer(const struct store_table *table, int64_t row, int column)
{
    const char *bytes = cell(table, row, column);
    if (bytes == NULL)
        return -1;
    enum store_type type = table->columns[column].type;
    if (!is_real(type))
        return load_integer(type, bytes);
    double value = load_real(type, bytes);
    return value > -0x1p63 && value < 0x1p63 ? (int64_t)value : -1;
}

double store_table_real(const struct store_table *table, int64_t row, int column)
{
    const char *bytes = cell(table, row, column);
    if (bytes == NULL || table->columns[column].type == STORE_TEXT)
        return NAN;
    enum store_type type = table->columns[column].type;
    return is_real(type) ? load_real(type, bytes) : (double)load_integer(type, bytes);
}

const char *store_table_text(const struct store_table *table, int64_t row, int column, char *to,
                             size_t size)
{
    const char *bytes = cell(table, row, column);
    to[0] = '\0';
    if (bytes == NULL || table->columns[column].type != STORE_TEXT)
        return to;
    size_t length = strnlen(bytes, table->columns[column].size);
    if (length >= size)
        length = size - 1;
    memcpy(to, bytes, length);
    to[length] = '\0';
    return to;
}

void store_table_finish(struct store_table *table)
{
    free(table->columns);
    free(table->rows);
    *table = (struct store_table){0};
}
