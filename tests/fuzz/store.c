/* The store opener and all that reads a store. An input is either a file as it is (first byte 0) or
 * edits of a sound store:
 *
 *     0 place(2) count bytes     of the datasets' contents; places count those that are not empty
 *     1 number count bytes       of an attribute, through HDF5; what is beyond the count is zero
 *     2 number type rank sizes   another dataset in a dataset's place, through HDF5; a size is the
 *                                byte, or from 64 on a power of two
 *     3 place(2)                 the file is cut there (in 65536ths)
 *
 * HDF5's own structures (object headers, heaps, symbol tables) stay whole: HDF5 1.10 crashes in
 * itself where they are broken, before we see any of it. */
#include <fcntl.h>
#include <hdf5.h>

#include "../unit/store_sample.h"

#include "support.h"

#define MAX_OBJECTS 256
#define NAME_SIZE 160

struct object {
    char name[NAME_SIZE];
    char attribute[64]; /* "" = the dataset itself */
};

static struct {
    char folder[MEMORY_PATH_SIZE], path[MEMORY_PATH_SIZE + 8];
    int fd;
    uint8_t *bytes; /* the sound store */
    size_t size;
    uint32_t *places;
    size_t place_count;
    struct object datasets[MAX_OBJECTS], attributes[MAX_OBJECTS];
    size_t dataset_count, attribute_count;
} sound;

/* HDF5 gives back less than it took where a file is broken, and asks for what a broken file says:
 * both are the library's. A request that cannot be met fails as it does without sanitizers. */
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* --- the sound store --- */

static void run_tasks(void)
{
    struct error err = {0};
    struct store_table tasks;
    struct store *store = store_open(sound.path, STORE_WRITE, NULL, &err);
    MUST(store != NULL && store_read_table(store, "tasks", &tasks, &err) == 0);
    for (int i = 0; i < SAMPLE_TASKS - 1; i++)
        MUST(sample_run_task(store, &tasks, i, &err) == 0);
    store_table_finish(&tasks);
    store_close(store);
}

static void load(void)
{
    FILE *file = fopen(sound.path, "rb");
    struct stat status;
    MUST(file != NULL && fstat(fileno(file), &status) == 0);
    sound.size = (size_t)status.st_size;
    sound.bytes = malloc(sound.size);
    sound.places = malloc(sound.size * sizeof *sound.places);
    MUST(sound.bytes != NULL && sound.places != NULL);
    MUST(fread(sound.bytes, 1, sound.size, file) == sound.size);
    fclose(file);
}

static void add_object(struct object *objects, size_t *count, const char *name,
                       const char *attribute)
{
    MUST(*count < MAX_OBJECTS);
    snprintf(objects[*count].name, NAME_SIZE, "%s", name);
    snprintf(objects[*count].attribute, sizeof objects[*count].attribute, "%s", attribute);
    ++*count;
}

/* The dataset's bytes, but for those amid zeros: empty rows are most of the file. */
static void add_places(hid_t dataset)
{
    haddr_t first = H5Dget_offset(dataset);
    hsize_t size = H5Dget_storage_size(dataset);
    for (size_t i = first; size > 0 && i < first + size; i++) {
        bool speaks = false;
        for (size_t near = i < 8 ? 0 : i - 8; near < i + 8 && near < sound.size; near++)
            speaks |= sound.bytes[near] != 0;
        if (speaks)
            sound.places[sound.place_count++] = (uint32_t)i;
    }
}

static herr_t add_attribute(hid_t at, const char *attribute, const H5A_info_t *info, void *name)
{
    (void)at;
    (void)info;
    add_object(sound.attributes, &sound.attribute_count, name, attribute);
    return 0;
}

static herr_t visit(hid_t file, const char *name, const H5O_info_t *info, void *user)
{
    char path[NAME_SIZE];
    (void)user;
    snprintf(path, sizeof path, "%s", name);
    H5Aiterate_by_name(file, name, H5_INDEX_NAME, H5_ITER_INC, NULL, add_attribute, path,
                       H5P_DEFAULT);
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    add_object(sound.datasets, &sound.dataset_count, name, "");
    add_places(dataset);
    H5Dclose(dataset);
    return 0;
}

static void list_objects(void)
{
    hid_t file = H5Fopen(sound.path, H5F_ACC_RDONLY, H5P_DEFAULT);
    MUST(file >= 0 && H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit, NULL) >= 0);
    H5Fclose(file);
    MUST(sound.dataset_count > 0 && sound.attribute_count > 0 && sound.place_count > 0);
}

static void remove_folder(void)
{
    unlink(sound.path);
    rmdir(sound.folder);
}

static void prepare(void)
{
    struct error err = {0};
    struct store_layout layout = sample_layout();
    memory_folder(sound.folder);
    snprintf(sound.path, sizeof sound.path, "%s/s.h5", sound.folder);
    MUST(store_create(sound.path, &layout, &err) == 0);
    sample_layout_finish(&layout);
    run_tasks();
    load();
    list_objects();
    sound.fd = open(sound.path, O_RDWR | O_CLOEXEC);
    MUST(sound.fd >= 0);
    atexit(remove_folder);
}

/* --- edits --- */

static void edit_bytes(struct input *input)
{
    off_t place = sound.places[input_number(input, 2) % sound.place_count];
    struct input bytes = input_take(input, input_number(input, 1));
    MUST(pwrite(sound.fd, bytes.bytes, bytes.left, place) == (ssize_t)bytes.left);
}

static void edit_attribute(hid_t file, struct input *input)
{
    uint8_t value[4096] = {0};
    const struct object *object = &sound.attributes[input_number(input, 1) % sound.attribute_count];
    struct input bytes = input_take(input, input_number(input, 1));
    memcpy(value, bytes.bytes, bytes.left);
    hid_t holder = H5Oopen(file, object->name, H5P_DEFAULT);
    hid_t attribute = H5Aopen(holder, object->attribute, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute);
    if (attribute >= 0 && H5Aget_storage_size(attribute) <= sizeof value)
        H5Awrite(attribute, type, value);
    H5Tclose(type);
    H5Aclose(attribute);
    H5Oclose(holder);
}

/* A type that a dataset of a store might have, and some that none has. */
static hid_t make_type(hid_t file, uint32_t kind, uint32_t which)
{
    const char *name = sound.datasets[which % sound.dataset_count].name;
    hid_t dataset, type;
    switch (kind % 6) {
    case 0:
        return H5Tcopy(H5T_NATIVE_FLOAT);
    case 1:
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, which == 0 ? H5T_VARIABLE : which);
        return type;
    case 2:
        type = H5Tcopy(H5T_NATIVE_INT64);
        H5Tset_size(type, which % 8 + 1);
        return type;
    case 3:
        type = H5Tcreate(H5T_COMPOUND, 16);
        H5Tinsert(type, "name", which % 9, H5T_NATIVE_INT64);
        return type;
    default: /* that of a dataset there is */
        dataset = H5Dopen2(file, name, H5P_DEFAULT);
        type = H5Dget_type(dataset);
        H5Dclose(dataset);
        return type;
    }
}

static void edit_dataset(hid_t file, struct input *input)
{
    const char *name = sound.datasets[input_number(input, 1) % sound.dataset_count].name;
    uint32_t kind = input_number(input, 1), which = input_number(input, 1);
    int rank = (int)(input_number(input, 1) % 6);
    hsize_t sizes[6];
    for (int i = 0; i < rank; i++) {
        uint32_t size = input_number(input, 1);
        sizes[i] = size < 64 ? size : (hsize_t)1 << (size & 63);
    }
    hid_t type = make_type(file, kind, which);
    hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, sizes, NULL);
    if (type >= 0 && space >= 0 && H5Ldelete(file, name, H5P_DEFAULT) >= 0) {
        hid_t made = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        if (made >= 0)
            H5Dclose(made);
    }
    H5Sclose(space);
    H5Tclose(type);
}

static void edit(struct input *input)
{
    hid_t file = H5I_INVALID_HID; /* opened when needed: most edits go without */
    size_t end = SIZE_MAX;
    while (input->left > 0) {
        uint32_t kind = input_number(input, 1) % 4;
        if ((kind == 1 || kind == 2) && file < 0)
            file = H5Fopen(sound.path, H5F_ACC_RDWR, H5P_DEFAULT);
        if (kind == 0)
            edit_bytes(input);
        else if (kind == 1)
            edit_attribute(file, input);
        else if (kind == 2)
            edit_dataset(file, input);
        else
            end = sound.size * input_number(input, 2) >> 16;
    }
    if (file >= 0)
        H5Fclose(file);
    if (end < sound.size)
        MUST(ftruncate(sound.fd, (off_t)end) == 0);
}

/* --- all that is read --- */

static void read_tables(struct store *store)
{
    static const char *const names[] = {"experiments", "points", "tasks",
                                        "results",     "curves", "environment"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct store_table table;
        struct error err = {0};
        char text[64];
        if (store_read_table(store, names[i], &table, &err) != 0) {
            must_say_why(&err);
            continue;
        }
        for (int32_t column = 0; column < table.column_count; column++) {
            store_table_integer(&table, table.row_count - 1, column);
            store_table_real(&table, table.row_count - 1, column);
            store_table_text(&table, table.row_count - 1, column, text, sizeof text);
        }
        store_table_finish(&table);
    }
}

static void read_network(struct store *store, int32_t index)
{
    const struct store_network *network = store_network(store, index);
    struct error err = {0};
    uint8_t *mask = mem_zeroed((size_t)network->block_size, 1, &err);
    float *block = mem_zeroed((size_t)network->block_size, sizeof *block, &err);
    bool enough = mask != NULL && block != NULL;
    if (enough && network->mask_slots > 0 &&
        store_read_mask(store, index, network->mask_slots - 1, mask, &err) != 0)
        must_say_why(&err);
    for (int32_t when = 0; enough && when < network->when_count; when++)
        if (network->whens[when].slots > 0 &&
            store_read_weights(store, index, when, network->whens[when].slots - 1, block, &err) !=
                0)
            must_say_why(&err);
    free(mask);
    free(block);
}

static void examine(struct store *store)
{
    struct error err = {0};
    int64_t tasks = store_task_count(store);
    struct store_finding *findings = mem_zeroed((size_t)tasks, sizeof *findings, &err);
    MUST(findings != NULL);
    if (store_examine(store, findings, &err) != 0)
        must_say_why(&err);
    for (int64_t i = 0; i < tasks; i++)
        if (findings[i].fault != STORE_SOUND)
            MUST(findings[i].text[0] != '\0');
    free(findings);
}

static void read_rest(struct store *store)
{
    struct error err = {0};
    char *text;
    size_t length;
    size_t tasks = (size_t)store_task_count(store);
    uint8_t *bytes = mem_zeroed(tasks, 1, &err);
    MUST(bytes != NULL);
    if (store_read_grid(store, &text, &length, &err) != 0)
        must_say_why(&err);
    else
        free(text);
    if (store_read_attempts(store, store_task_count(store), bytes, &err) != 0)
        must_say_why(&err);
    if (store_verify(store, bytes, &err) < 0)
        must_say_why(&err);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct error err = {0};
    if (sound.bytes == NULL)
        prepare();
    if (input_number(&input, 1) == 0) {
        memory_file_set(sound.fd, input.bytes, input.left);
    } else {
        memory_file_set(sound.fd, sound.bytes, sound.size);
        edit(&input);
    }
    struct store *store = store_open(sound.path, STORE_READ, NULL, &err);
    if (store == NULL) {
        must_say_why(&err);
        return 0;
    }
    read_tables(store);
    for (int32_t i = 0; i < store_network_count(store); i++)
        read_network(store, i);
    read_rest(store);
    examine(store);
    store_close(store);
    return 0;
}
