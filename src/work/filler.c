/* Makes a table of the store: packed rows of flat columns. */
#include "filler.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const size_t sizes[] = {
    [STORE_INT8] = 1,  [STORE_INT16] = 2,   [STORE_INT32] = 4,
    [STORE_INT64] = 8, [STORE_FLOAT32] = 4, [STORE_FLOAT64] = 8,
};

static void define(struct filler *filler, const char *name, enum store_type type, size_t size)
{
    struct store_table *table = filler->table;
    size_t count = (size_t)table->column_count;
    struct store_column *columns = realloc(table->columns, (count + 1) * sizeof *columns);
    if (columns == NULL) {
        filler->failed = true;
        error_set(filler->err, ERROR_RESOURCE, "not enough memory for a table's columns");
        return;
    }
    table->columns = columns;
    columns[count] = (struct store_column){.type = type, .size = size, .offset = table->row_size};
    text_copy(columns[count].name, sizeof columns[count].name, name);
    table->column_count++;
    table->row_size += size;
}

/* Where the next value goes; NULL when there is none to be written now. */
static char *next_place(struct filler *filler, const char *name, enum store_type type, size_t size)
{
    if (filler->failed)
        return NULL;
    if (filler->row == FILLER_DEFINES) {
        define(filler, name, type, size);
        return NULL;
    }
    const struct store_column *column = &filler->table->columns[filler->column++];
    return (char *)filler->table->rows + (size_t)filler->row * filler->table->row_size +
           column->offset;
}

void fill_integer(struct filler *filler, const char *name, enum store_type type, int64_t value)
{
    char *place = next_place(filler, name, type, sizes[type]);
    if (place == NULL)
        return;
    int8_t byte = (int8_t)value;
    int16_t half = (int16_t)value;
    int32_t word = (int32_t)value;
    const void *from = type == STORE_INT8    ? (const void *)&byte
                       : type == STORE_INT16 ? (const void *)&half
                       : type == STORE_INT32 ? (const void *)&word
                                             : (const void *)&value;
    memcpy(place, from, sizes[type]);
}

void fill_real(struct filler *filler, const char *name, double value)
{
    char *place = next_place(filler, name, STORE_FLOAT64, sizeof value);
    if (place != NULL)
        memcpy(place, &value, sizeof value);
}

void fill_text(struct filler *filler, const char *name, size_t width, const char *value)
{
    char *place = next_place(filler, name, STORE_TEXT, width);
    if (place != NULL)
        memcpy(place, value, strnlen(value, width)); /* rows were zeroed */
}

int filler_define(struct store_table *table, int64_t row_count,
                  void (*row)(struct filler *filler, const void *user), const void *user,
                  struct error *err)
{
    struct filler filler = {.table = table, .row = FILLER_DEFINES, .err = err};
    *table = (struct store_table){.row_count = row_count};
    row(&filler, user);
    return filler.failed ? -1 : 0;
}

int filler_make(struct store_table *table, int64_t row_count,
                void (*row)(struct filler *filler, const void *user), const void *user,
                struct error *err)
{
    struct filler filler = {.table = table, .err = err};
    if (filler_define(table, row_count, row, user, err) != 0)
        return -1;
    table->rows = mem_zeroed((size_t)row_count, table->row_size, err);
    filler.failed = table->rows == NULL;
    for (; filler.row < row_count && !filler.failed; filler.row++) {
        filler.column = 0;
        row(&filler, user);
    }
    return filler.failed ? -1 : 0;
}
