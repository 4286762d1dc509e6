/* Metadata of a store: groups, attributes, datasets without data. Written once; no writer ever
 * touches it again, which is why a kill at any instant leaves a file that opens. */
#include "front.h"

#include <stdio.h>

#include "base/text.h"
#include "h5.h"
#include "schema.h"

static int make_dataset(hid_t file, const struct dataset *item, hid_t links, hid_t creation,
                        struct error *err)
{
    hid_t space = H5Screate_simple(item->rank, item->dims, NULL);
    hid_t dataset = H5Dcreate2(file, item->path, item->type, space, links, creation, H5P_DEFAULT);
    int status = dataset < 0 ? h5_error(err, ERROR_RESOURCE, "%s cannot be made", item->path) : 0;
    h5_close(dataset);
    h5_close(space);
    return status;
}

static int make_datasets(hid_t file, const struct dataset_list *list, struct error *err)
{
    hid_t links = H5Pcreate(H5P_LINK_CREATE), creation = H5Pcreate(H5P_DATASET_CREATE);
    int status = 0;
    if (H5Pset_create_intermediate_group(links, 1) < 0 ||
        H5Pset_layout(creation, H5D_CONTIGUOUS) < 0 ||
        H5Pset_alloc_time(creation, H5D_ALLOC_TIME_LATE) < 0 ||
        H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) < 0 ||
        H5Pset_obj_track_times(creation, false) < 0)
        status = h5_error(err, ERROR_RESOURCE, "property lists cannot be made");
    for (size_t i = 0; i < list->count && status == 0; i++)
        status = make_dataset(file, &list->items[i], links, creation, err);
    h5_close(creation);
    h5_close(links);
    return status;
}

static int make_group(hid_t file, const char *top, const char *name, struct error *err)
{
    char path[DATASET_PATH_SIZE];
    snprintf(path, sizeof path, "/%s/%s", top, name);
    hid_t group = H5Gcreate2(file, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    int status = group < 0 ? h5_error(err, ERROR_RESOURCE, "%s cannot be made", path) : 0;
    h5_close(group);
    return status;
}

/* Groups that readers look for even when nothing is in them. */
static int make_groups(hid_t file, const struct store_layout *layout, struct error *err)
{
    if (make_group(file, "parameters", "", err) != 0 || make_group(file, "masks", "", err) != 0 ||
        make_group(file, "weights", "", err) != 0)
        return -1;
    for (int32_t i = 0; i < layout->network_count; i++)
        if (make_group(file, "masks", layout->networks[i].name, err) != 0 ||
            make_group(file, "weights", layout->networks[i].name, err) != 0)
            return -1;
    return 0;
}

static int describe_file(hid_t file, const struct store_identity *identity, struct error *err)
{
    const int64_t version = STORE_FORMAT_VERSION;
    if (h5_write_texts(file, "format", STORE_FORMAT, 1, sizeof STORE_FORMAT, err) != 0 ||
        h5_write_integers(file, "format_version", &version, 1, err) != 0)
        return -1;
    for (int32_t i = 0; i < SCHEMA_IDENTITY_COUNT; i++) {
        const struct schema_attribute *attribute = &schema_identity[i];
        if (h5_write_texts(file, attribute->name, (const char *)identity + attribute->offset, 1,
                           attribute->size, err) != 0)
            return -1;
    }
    return 0;
}

static int describe_results(hid_t file, struct error *err)
{
    hid_t results = H5Dopen2(file, "/results", H5P_DEFAULT);
    int status = h5_write_texts(results, "status_names", schema_status_names[0],
                                SCHEMA_STATUS_COUNT, SCHEMA_LABEL_SIZE, err);
    if (status == 0)
        status = h5_write_texts(results, "reason_names", schema_reason_names[0],
                                SCHEMA_REASON_COUNT, SCHEMA_LABEL_SIZE, err);
    h5_close(results);
    return status;
}

/* The sets of weights by name, in the order their indices mean, empty ones included. */
static int describe_whens(hid_t table, const struct store_network *network, struct error *err)
{
    char names[STORE_MAX_WHENS][sizeof network->whens[0].name] = {{0}};
    int64_t slots[STORE_MAX_WHENS];
    for (int32_t i = 0; i < network->when_count; i++) {
        text_copy(names[i], sizeof names[i], network->whens[i].name);
        slots[i] = network->whens[i].slots;
    }
    if (network->when_count == 0)
        return 0;
    if (h5_write_texts(table, "whens", names[0], network->when_count, sizeof names[0], err) != 0)
        return -1;
    return h5_write_integers(table, "when_slots", slots, network->when_count, err);
}

static int describe_network(hid_t file, const struct store_network *network, int32_t index,
                            struct error *err)
{
    char path[DATASET_PATH_SIZE];
    snprintf(path, sizeof path, "/parameters/%s", network->name);
    hid_t table = H5Dopen2(file, path, H5P_DEFAULT);
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"index", index},
                   {"block_size", network->block_size},
                   {"mask_slots", network->mask_slots},
                   {"when_count", network->when_count}};
    int status = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && status == 0; i++)
        status = h5_write_integers(table, numbers[i].name, &numbers[i].value, 1, err);
    if (status == 0)
        status = describe_whens(table, network, err);
    h5_close(table);
    return status;
}

static int make_metadata(hid_t file, const struct store_layout *layout,
                         const struct dataset_list *list, struct error *err)
{
    if (describe_file(file, &layout->identity, err) != 0 || make_groups(file, layout, err) != 0 ||
        make_datasets(file, list, err) != 0 || describe_results(file, err) != 0)
        return -1;
    for (int32_t i = 0; i < layout->network_count; i++)
        if (describe_network(file, &layout->networks[i], i, err) != 0)
            return -1;
    return 0;
}

int front_make(const char *path, hid_t access, const struct store_layout *layout,
               const struct dataset_list *list, int64_t *end, struct error *err)
{
    hid_t file = H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, access);
    int made = file < 0 ? h5_error(err, ERROR_USAGE, "cannot be made") : 0;
    h5_close(access);
    if (made != 0)
        return -1;
    int status = make_metadata(file, layout, list, err);
    /* Flushing gives back what HDF5 set aside for more metadata; what an image of the file would
     * take is then exactly where it ends. */
    ssize_t size = 0;
    if (status == 0 &&
        (H5Fflush(file, H5F_SCOPE_LOCAL) < 0 || (size = H5Fget_file_image(file, NULL, 0)) < 0))
        status = h5_error(err, ERROR_RESOURCE, "cannot be written");
    if (H5Fclose(file) < 0 && status == 0)
        status = h5_error(err, ERROR_RESOURCE, "cannot be written");
    *end = (int64_t)size;
    return status;
}

int front_measure(const struct store_layout *layout, const struct dataset_list *list, int64_t *end,
                  struct error *err)
{
    h5_quiet();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_fapl_core(access, (size_t)1 << 20, false) < 0) {
        h5_close(access);
        return h5_error(err, ERROR_RESOURCE, "a file in memory cannot be made");
    }
    return front_make(":memory:", access, layout, list, end, err);
}
