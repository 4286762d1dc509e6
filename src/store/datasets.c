/* The list of datasets of a layout. A set of slots that is empty has no dataset. Nothing here
 * touches a file. */
#include "datasets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "h5.h"
#include "schema.h"

void datasets_mask_path(char *to, const struct store_network *network, int32_t parameter)
{
    snprintf(to, DATASET_PATH_SIZE, "/masks/%s/%s", network->name,
             network->parameters[parameter].name);
}

void datasets_weights_path(char *to, const struct store_network *network, int32_t parameter,
                           int32_t when)
{
    snprintf(to, DATASET_PATH_SIZE, "/weights/%s/%s/%s", network->name,
             network->parameters[parameter].name, network->whens[when].name);
}

int64_t datasets_mask_bytes(const struct store_parameter *parameter)
{
    return (parameter->count + 7) / 8;
}

/* --- what a layout must be --- */

static int check_name(const char *what, const char *name, size_t size, struct error *err)
{
    size_t length = strnlen(name, size);
    if (length == 0 || length == size || strchr(name, '/') != NULL || strcmp(name, ".") == 0)
        return error_set(err, ERROR_INTERNAL, "\"%.*s\" cannot be the name of a %s in a store",
                         (int)length, name, what);
    return 0;
}

static int check_table(const char *name, const struct store_table *table, struct error *err)
{
    if (table->column_count < 1 || table->row_count < 0)
        return error_set(err, ERROR_INTERNAL, "table %s has no columns or no rows", name);
    for (int32_t i = 0; i < table->column_count; i++) {
        const struct store_column *column = &table->columns[i];
        if (check_name("column", column->name, sizeof column->name, err) != 0)
            return -1;
        if (column->size == 0 || column->offset + column->size > table->row_size)
            return error_set(err, ERROR_INTERNAL, "table %s: column %s does not fit its row", name,
                             column->name);
    }
    return 0;
}

static int check_parameter(const struct store_network *network,
                           const struct store_parameter *parameter, struct error *err)
{
    if (check_name("parameter", parameter->name, sizeof parameter->name, err) != 0)
        return -1;
    int64_t count = 1;
    for (int32_t i = 0; i < parameter->rank && i < 4; i++)
        count *= parameter->dims[i];
    if (parameter->rank < 1 || parameter->rank > 4 || count < 1 || count != parameter->count ||
        parameter->offset < 0 || parameter->offset > network->block_size - count)
        return error_set(err, ERROR_INTERNAL, "%s/%s: the shape does not fit the block",
                         network->name, parameter->name);
    return 0;
}

static int check_network(const struct store_network *network, struct error *err)
{
    if (check_name("network", network->name, sizeof network->name, err) != 0)
        return -1;
    if (network->parameter_count < 1 || network->parameter_count > STORE_MAX_PARAMETERS ||
        network->when_count < 0 || network->when_count > STORE_MAX_WHENS || network->mask_slots < 0)
        return error_set(err, ERROR_INTERNAL, "network %s has counts out of range", network->name);
    for (int32_t i = 0; i < network->parameter_count; i++)
        if (check_parameter(network, &network->parameters[i], err) != 0)
            return -1;
    for (int32_t i = 0; i < network->when_count; i++)
        if (check_name("set of weights", network->whens[i].name, sizeof network->whens[i].name,
                       err) != 0)
            return -1;
    return 0;
}

static int check_layout(const struct store_layout *layout, struct error *err)
{
    if (check_table("experiments", &layout->experiments, err) != 0 ||
        check_table("points", &layout->points, err) != 0 ||
        check_table("tasks", &layout->tasks, err) != 0)
        return -1;
    for (int32_t i = 0; i < layout->network_count; i++)
        if (check_network(&layout->networks[i], err) != 0)
            return -1;
    return layout->curve_rows < 0 || layout->network_count < 0
               ? error_set(err, ERROR_INTERNAL, "a layout with negative counts")
               : 0;
}

/* --- the list --- */

/* Appends a dataset of rows; further dimensions are the caller's to add. Takes over `type`. */
static struct dataset *add(struct dataset_list *list, const char *path, hid_t type, int64_t rows,
                           struct error *err)
{
    void *items = list->items;
    if (type < 0 || mem_grow(&items, &list->capacity, list->count + 1, sizeof *list->items, err)) {
        if (type < 0)
            h5_error(err, ERROR_RESOURCE, "%s: its type cannot be made", path);
        h5_close(type);
        return NULL;
    }
    list->items = items;
    struct dataset *item = &list->items[list->count++];
    *item = (struct dataset){.type = type, .rank = 1, .dims = {(hsize_t)rows}};
    text_copy(item->path, sizeof item->path, path);
    item->bytes = rows * (int64_t)H5Tget_size(type);
    return item;
}

static void add_dimension(struct dataset *item, int64_t size)
{
    item->dims[item->rank++] = (hsize_t)size;
    item->bytes *= size;
}

static int add_table(struct dataset_list *list, enum table table, const struct store_table *rows,
                     struct error *err)
{
    char path[DATASET_PATH_SIZE];
    snprintf(path, sizeof path, "/%s", schema_table_names[table]);
    hid_t type = h5_table_type(rows->columns, rows->column_count, rows->row_size);
    struct dataset *item = add(list, path, type, rows->row_count, err);
    if (item == NULL)
        return -1;
    item->content = CONTENT_ROWS;
    item->rows = rows->rows;
    return 0;
}

static int add_own_table(struct dataset_list *list, enum table table, const struct schema *schema,
                         int64_t rows, enum dataset_content content, struct error *err)
{
    char path[DATASET_PATH_SIZE];
    snprintf(path, sizeof path, "/%s", schema_table_names[table]);
    hid_t type = h5_table_type(schema->columns, schema->count, schema->row_size);
    struct dataset *item = add(list, path, type, rows, err);
    if (item == NULL)
        return -1;
    item->content = content;
    return 0;
}

/* One row a submission, the present grid first; a string type cannot be empty. */
static int add_grid(struct dataset_list *list, const struct store_layout *layout, struct error *err)
{
    static const char nothing[1] = "";
    bool empty = layout->grid_text == NULL || layout->grid_length == 0;
    hid_t type = h5_text_type(empty ? 1 : layout->grid_length);
    struct dataset *item =
        add(list, "/grid", type, layout->grid_rows > 0 ? layout->grid_rows : 1, err);
    if (item == NULL)
        return -1;
    item->content = CONTENT_ROWS;
    item->rows = empty ? nothing : layout->grid_text;
    return 0;
}

static void copy_parameter(struct store_parameter *to, const struct store_parameter *from)
{
    text_copy(to->name, sizeof to->name, from->name);
    text_copy(to->kind, sizeof to->kind, from->kind);
    to->rank = from->rank;
    for (int32_t i = 0; i < 4; i++)
        to->dims[i] = i < from->rank ? from->dims[i] : -1;
    to->count = from->count;
    to->offset = from->offset;
    to->prunable = from->prunable;
}

/* The rows are copied, so that what is missing is -1 and what pads is zero. */
static int add_parameters(struct dataset_list *list, const struct store_network *network,
                          struct error *err)
{
    char path[DATASET_PATH_SIZE];
    snprintf(path, sizeof path, "/parameters/%s", network->name);
    const struct schema *schema = &schema_parameters;
    hid_t type = h5_table_type(schema->columns, schema->count, schema->row_size);
    struct dataset *item = add(list, path, type, network->parameter_count, err);
    if (item == NULL)
        return -1;
    struct store_parameter *rows = mem_zeroed((size_t)network->parameter_count, sizeof *rows, err);
    if (rows == NULL)
        return -1;
    for (int32_t i = 0; i < network->parameter_count; i++)
        copy_parameter(&rows[i], &network->parameters[i]);
    item->content = CONTENT_ROWS;
    item->rows = item->owned = rows;
    return 0;
}

static int add_mask(struct dataset_list *list, const struct store_network *network,
                    int32_t parameter, struct error *err)
{
    char path[DATASET_PATH_SIZE];
    datasets_mask_path(path, network, parameter);
    struct dataset *item = add(list, path, H5Tcopy(H5T_NATIVE_UINT8), network->mask_slots, err);
    if (item == NULL)
        return -1;
    add_dimension(item, datasets_mask_bytes(&network->parameters[parameter]));
    return 0;
}

static int add_weights(struct dataset_list *list, const struct store_network *network,
                       int32_t parameter, int32_t when, struct error *err)
{
    char path[DATASET_PATH_SIZE];
    datasets_weights_path(path, network, parameter, when);
    struct dataset *item =
        add(list, path, H5Tcopy(H5T_NATIVE_FLOAT), network->whens[when].slots, err);
    if (item == NULL)
        return -1;
    for (int32_t i = 0; i < network->parameters[parameter].rank; i++)
        add_dimension(item, network->parameters[parameter].dims[i]);
    return 0;
}

static int add_network(struct dataset_list *list, const struct store_network *network,
                       struct error *err)
{
    if (add_parameters(list, network, err) != 0)
        return -1;
    for (int32_t p = 0; p < network->parameter_count; p++)
        if (network->mask_slots > 0 && network->parameters[p].prunable &&
            add_mask(list, network, p, err) != 0)
            return -1;
    for (int32_t w = 0; w < network->when_count; w++)
        for (int32_t p = 0; p < network->parameter_count && network->whens[w].slots > 0; p++)
            if (add_weights(list, network, p, w, err) != 0)
                return -1;
    return 0;
}

static int add_attempts(struct dataset_list *list, int64_t tasks, struct error *err)
{
    struct dataset *item = add(list, "/attempts", H5Tcopy(H5T_NATIVE_UINT8), tasks, err);
    if (item == NULL)
        return -1;
    item->content = CONTENT_ZERO;
    return 0;
}

static int add_all(struct dataset_list *list, const struct store_layout *layout, struct error *err)
{
    int64_t tasks = layout->tasks.row_count;
    if (add_grid(list, layout, err) != 0 ||
        add_table(list, TABLE_EXPERIMENTS, &layout->experiments, err) != 0 ||
        add_table(list, TABLE_POINTS, &layout->points, err) != 0 ||
        add_table(list, TABLE_TASKS, &layout->tasks, err) != 0 ||
        add_own_table(list, TABLE_RESULTS, &schema_results, tasks, CONTENT_PENDING, err) != 0 ||
        add_attempts(list, tasks, err) != 0 ||
        add_own_table(list, TABLE_ENVIRONMENT, &schema_environment, STORE_ENVIRONMENT_ROWS,
                      CONTENT_ZERO, err) != 0 ||
        add_own_table(list, TABLE_CURVES, &schema_curves, layout->curve_rows, CONTENT_NONE, err) !=
            0)
        return -1;
    for (int32_t i = 0; i < layout->network_count; i++)
        if (add_network(list, &layout->networks[i], err) != 0)
            return -1;
    return 0;
}

int datasets_list(const struct store_layout *layout, struct dataset_list *list, struct error *err)
{
    *list = (struct dataset_list){0};
    if (check_layout(layout, err) == 0 && add_all(list, layout, err) == 0)
        return 0;
    datasets_finish(list);
    return -1;
}

void datasets_finish(struct dataset_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        h5_close(list->items[i].type);
        free(list->items[i].owned);
    }
    free(list->items);
    *list = (struct dataset_list){0};
}

int64_t datasets_file_bytes(const struct dataset_list *list, int64_t metadata)
{
    int64_t end = metadata;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].bytes == 0)
            continue;
        end = (end + DATASET_ALIGNMENT - 1) / DATASET_ALIGNMENT * DATASET_ALIGNMENT;
        end += list->items[i].bytes;
    }
    return end;
}
