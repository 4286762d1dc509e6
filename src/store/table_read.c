/* Whole tables out of a file, by the columns it has: a column that a later version added is read
 * like any other, one of a type that is not ours is left out. */
#include "base/memory.h"
#include "base/text.h"
#include "h5.h"
#include "handle.h"

/* --- what the file says --- */

static bool member_fits(hid_t type, unsigned member)
{
    hid_t member_type = H5Tget_member_type(type, member);
    size_t offset = H5Tget_member_offset(type, member), row = H5Tget_size(type);
    size_t size = member_type < 0 ? 0 : H5Tget_size(member_type);
    h5_close(member_type);
    return size > 0 && size <= row && offset <= row - size;
}

int table_check(hid_t dataset, struct error *err)
{
    if (h5_check_dataset(dataset, 1, err) != 0)
        return -1;
    hid_t type = H5Dget_type(dataset);
    int members = type >= 0 && H5Tget_class(type) == H5T_COMPOUND ? H5Tget_nmembers(type) : 0;
    bool fits = members > 0;
    for (int i = 0; i < members && fits; i++)
        fits = member_fits(type, (unsigned)i);
    h5_close(type);
    return fits ? 0 : error_set(err, ERROR_USAGE, "damaged: is not a table of columns");
}

/* --- reading it --- */

/* Whether a member is of a type that tables have. */
static bool column_of(hid_t member, struct store_column *column)
{
    column->size = H5Tget_size(member);
    switch (H5Tget_class(member)) {
    case H5T_INTEGER:
        column->type = column->size == 1   ? STORE_INT8
                       : column->size == 2 ? STORE_INT16
                       : column->size == 4 ? STORE_INT32
                                           : STORE_INT64;
        return column->size <= 2 || column->size == 4 || column->size == 8;
    case H5T_FLOAT:
        column->type = column->size == 4 ? STORE_FLOAT32 : STORE_FLOAT64;
        return column->size == 4 || column->size == 8;
    case H5T_STRING:
        column->type = STORE_TEXT;
        return H5Tis_variable_str(member) == 0;
    default:
        return false;
    }
}

/* Appends the file type's member to the columns, packed. */
static void take_column(hid_t type, unsigned member, struct store_table *table)
{
    struct store_column *column = &table->columns[table->column_count];
    hid_t member_type = H5Tget_member_type(type, member);
    char *name = H5Tget_member_name(type, member);
    if (member_type >= 0 && name != NULL && column_of(member_type, column) &&
        text_copy(column->name, sizeof column->name, name)) {
        column->offset = table->row_size;
        table->row_size += column->size;
        table->column_count++;
    }
    H5free_memory(name);
    h5_close(member_type);
}

static int take_columns(hid_t dataset, struct store_table *table, struct error *err)
{
    hid_t type = H5Dget_type(dataset);
    int members = type >= 0 && H5Tget_class(type) == H5T_COMPOUND ? H5Tget_nmembers(type) : 0;
    int status = 0;
    if (members > 0) {
        table->columns = mem_zeroed((size_t)members, sizeof *table->columns, err);
        status = table->columns == NULL ? -1 : 0;
    }
    for (int i = 0; i < members && status == 0; i++)
        take_column(type, (unsigned)i, table);
    if (status == 0 && table->column_count == 0)
        status = error_set(err, ERROR_USAGE, "is not a table");
    h5_close(type);
    return status;
}

static int take_rows(hid_t dataset, struct store_table *table, struct error *err)
{
    table->row_count = h5_row_count(dataset);
    if (table->row_count < 0)
        return error_set(err, ERROR_USAGE, "is not a table");
    table->rows = mem_zeroed((size_t)table->row_count, table->row_size, err);
    if (table->rows == NULL)
        return -1;
    hid_t type = h5_table_type(table->columns, table->column_count, table->row_size);
    int status = type < 0 ? h5_error(err, ERROR_RESOURCE, "its type cannot be made")
                          : h5_read_rows(dataset, type, 0, table->row_count, table->rows, err);
    h5_close(type);
    return status;
}

int table_read(hid_t dataset, struct store_table *table, struct error *err)
{
    *table = (struct store_table){0};
    if (take_columns(dataset, table, err) == 0 && take_rows(dataset, table, err) == 0)
        return 0;
    store_table_finish(table);
    return -1;
}
