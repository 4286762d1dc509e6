/* The networks of an open store: what /parameters says of them, and their mask and weight datasets.
 * A damaged file may say anything, so every number is checked before it is used as an index. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "datasets.h"
#include "h5.h"
#include "handle.h"

#define BLOCK_GAP 64 /* elements between two parameters, at most */

/* --- reading /parameters --- */

/* -1 where the shape is none. */
static int64_t element_count(const struct store_parameter *parameter)
{
    int64_t count = 1;
    if (parameter->rank < 1 || parameter->rank > 4)
        return -1;
    for (int32_t i = 0; i < parameter->rank; i++)
        if (parameter->dims[i] < 1 || __builtin_mul_overflow(count, parameter->dims[i], &count))
            return -1;
    return count;
}

static int take_parameter(const struct store_table *table, int32_t row, struct store_network *to,
                          struct error *err)
{
    static const char *const dims[] = {"dim0", "dim1", "dim2", "dim3"};
    struct store_parameter *parameter = &to->parameters[row];
    store_table_text(table, row, store_table_column(table, "name"), parameter->name,
                     sizeof parameter->name);
    store_table_text(table, row, store_table_column(table, "kind"), parameter->kind,
                     sizeof parameter->kind);
    parameter->rank = (int32_t)store_table_integer(table, row, store_table_column(table, "rank"));
    parameter->count = store_table_integer(table, row, store_table_column(table, "count"));
    parameter->offset = store_table_integer(table, row, store_table_column(table, "offset"));
    parameter->prunable =
        store_table_integer(table, row, store_table_column(table, "prunable")) > 0;
    for (int32_t i = 0; i < 4; i++)
        parameter->dims[i] = store_table_integer(table, row, store_table_column(table, dims[i]));
    int64_t count = parameter->count;
    if (count < 1 || count != element_count(parameter) || parameter->offset < 0 ||
        to->block_size < count || parameter->offset > to->block_size - count)
        return error_set(err, ERROR_USAGE, "damaged: parameter %d of %s makes no sense", row,
                         to->name);
    return 0;
}

/* Readers take memory for the whole block: it is the parameters and what aligns them. */
static int check_block(const struct store_network *network, struct error *err)
{
    int64_t rest = network->block_size;
    for (int32_t i = 0; i < network->parameter_count && rest > 0; i++)
        rest -= network->parameters[i].count + BLOCK_GAP;
    if (rest <= 0)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "damaged: %s has a block of %lld elements, more than its "
                     "parameters take",
                     network->name, (long long)network->block_size);
}

static int take_parameters(hid_t dataset, struct store_network *to, struct error *err)
{
    struct store_table table;
    if (table_check(dataset, err) != 0 || table_read(dataset, &table, err) != 0)
        return -1;
    int status = 0;
    if (table.row_count < 1 || table.row_count > STORE_MAX_PARAMETERS)
        status = error_set(err, ERROR_USAGE, "damaged: %s has %lld parameters", to->name,
                           (long long)table.row_count);
    else
        to->parameter_count = (int32_t)table.row_count;
    for (int32_t i = 0; i < to->parameter_count && status == 0; i++)
        status = take_parameter(&table, i, to, err);
    store_table_finish(&table);
    return status == 0 ? check_block(to, err) : -1;
}

static int take_whens(hid_t dataset, int64_t count, struct store_network *to, struct error *err)
{
    char names[STORE_MAX_WHENS][sizeof to->whens[0].name];
    int64_t slots[STORE_MAX_WHENS];
    if (count < 0 || count > STORE_MAX_WHENS)
        return error_set(err, ERROR_USAGE, "damaged: %s has %lld sets of weights", to->name,
                         (long long)count);
    to->when_count = (int32_t)count;
    if (count == 0)
        return 0;
    if (h5_read_texts(dataset, "whens", names[0], to->when_count, sizeof names[0], err) != 0 ||
        h5_read_integers(dataset, "when_slots", slots, to->when_count, err) != 0)
        return -1;
    for (int32_t i = 0; i < to->when_count; i++) {
        memcpy(to->whens[i].name, names[i], sizeof names[i]);
        to->whens[i].slots = slots[i];
    }
    return 0;
}

/* Reads one network into the place its index says. */
static int take_network(struct store *store, hid_t dataset, const char *name, struct error *err)
{
    int64_t index, whens;
    if (h5_read_integers(dataset, "index", &index, 1, err) != 0)
        return -1;
    if (index < 0 || index >= store->network_count || store->networks[index].name[0] != '\0')
        return error_set(err, ERROR_USAGE, "damaged: /parameters/%s has index %lld", name,
                         (long long)index);
    struct store_network *to = &store->networks[index];
    snprintf(to->name, sizeof to->name, "%s", name);
    if (h5_read_integers(dataset, "block_size", &to->block_size, 1, err) != 0 ||
        h5_read_integers(dataset, "mask_slots", &to->mask_slots, 1, err) != 0 ||
        h5_read_integers(dataset, "when_count", &whens, 1, err) != 0)
        return -1;
    return take_whens(dataset, whens, to, err) != 0 ? -1 : take_parameters(dataset, to, err);
}

static int take_networks(struct store *store, hid_t group, struct error *err)
{
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0)
        return h5_error(err, ERROR_USAGE, "damaged: /parameters cannot be read");
    store->networks = mem_zeroed(info.nlinks, sizeof *store->networks, err);
    store->handles = mem_zeroed(info.nlinks, sizeof *store->handles, err);
    if (store->networks == NULL || store->handles == NULL)
        return -1;
    store->network_count = (int32_t)info.nlinks;
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[STORE_NAME_SIZE];
        ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                            sizeof name, H5P_DEFAULT);
        if (length < 1 || length >= (ssize_t)sizeof name)
            return error_set(err, ERROR_USAGE, "damaged: network %d has no name", (int)i);
        hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
        int status = dataset < 0 ? h5_error(err, ERROR_USAGE, "damaged: /parameters/%s", name)
                                 : take_network(store, dataset, name, err);
        h5_close(dataset);
        if (status != 0)
            return -1;
    }
    return 0;
}

/* --- opening datasets --- */

/* Opens a dataset that must have these dimensions. */
static hid_t open_shaped(hid_t file, const char *path, int rank, const int64_t *shape,
                         struct error *err)
{
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    if (dataset < 0) {
        h5_error(err, ERROR_USAGE, "damaged: %s", path);
        return H5I_INVALID_HID;
    }
    hsize_t dims[DATASET_MAX_RANK];
    hid_t space = H5Dget_space(dataset);
    bool fits = H5Sget_simple_extent_ndims(space) == rank &&
                H5Sget_simple_extent_dims(space, dims, NULL) == rank;
    for (int i = 0; i < rank && fits; i++)
        fits = dims[i] == (hsize_t)shape[i];
    h5_close(space);
    if (!fits)
        error_set(err, ERROR_USAGE, "damaged: %s has a shape of its own", path);
    else if (h5_check_dataset(dataset, rank, err) == 0)
        return dataset;
    h5_close(dataset);
    return H5I_INVALID_HID;
}

static int open_masks(hid_t file, const struct store_network *network, hid_t *masks,
                      struct error *err)
{
    for (int32_t p = 0; p < network->parameter_count; p++) {
        masks[p] = H5I_INVALID_HID;
        if (network->mask_slots == 0 || !network->parameters[p].prunable)
            continue;
        char path[DATASET_PATH_SIZE];
        datasets_mask_path(path, network, p);
        const int64_t shape[] = {network->mask_slots, datasets_mask_bytes(&network->parameters[p])};
        masks[p] = open_shaped(file, path, 2, shape, err);
        if (masks[p] < 0)
            return -1;
    }
    return 0;
}

static int open_weights(hid_t file, const struct store_network *network, int32_t when,
                        hid_t *weights, struct error *err)
{
    for (int32_t p = 0; p < network->parameter_count; p++) {
        const struct store_parameter *parameter = &network->parameters[p];
        weights[p] = H5I_INVALID_HID;
        if (network->whens[when].slots == 0)
            continue;
        char path[DATASET_PATH_SIZE];
        datasets_weights_path(path, network, p, when);
        int64_t shape[DATASET_MAX_RANK] = {network->whens[when].slots};
        memcpy(shape + 1, parameter->dims, (size_t)parameter->rank * sizeof shape[0]);
        weights[p] = open_shaped(file, path, parameter->rank + 1, shape, err);
        if (weights[p] < 0)
            return -1;
    }
    return 0;
}

static int open_network(hid_t file, const struct store_network *network,
                        struct network_handles *handles, struct error *err)
{
    size_t parameters = (size_t)network->parameter_count;
    handles->masks = mem_zeroed(parameters, sizeof *handles->masks, err);
    handles->weights =
        mem_zeroed(parameters * (size_t)network->when_count, sizeof *handles->weights, err);
    if (handles->masks == NULL || handles->weights == NULL ||
        open_masks(file, network, handles->masks, err) != 0)
        return -1;
    for (int32_t w = 0; w < network->when_count; w++)
        if (open_weights(file, network, w, handles->weights + (size_t)w * parameters, err) != 0)
            return -1;
    return 0;
}

int networks_open(struct store *store, struct error *err)
{
    hid_t group = H5Gopen2(store->file, "/parameters", H5P_DEFAULT);
    int status = group < 0 ? h5_error(err, ERROR_USAGE, "damaged: there is no /parameters")
                           : take_networks(store, group, err);
    h5_close(group);
    for (int32_t i = 0; i < store->network_count && status == 0; i++)
        status = open_network(store->file, &store->networks[i], &store->handles[i], err);
    return status;
}

/* The datasets are closed with the file. */
void networks_finish(struct store *store)
{
    for (int32_t i = 0; i < store->network_count; i++) {
        free(store->handles[i].masks);
        free(store->handles[i].weights);
    }
    free(store->handles);
    free(store->networks);
}
