/* The store opener and all that reads a store. An input is either a file as it is (first byte 0) or
 * edits of a sound store: two bytes for the place, one for the count, then the bytes; an edit of
 * count 0 cuts the file there. Places count the bytes of the sound store that say something (not
 * the empty rows and the padding, most of its half megabyte). */
#include <fcntl.h>

#include "../unit/store_sample.h"

#include "support.h"

static struct {
    uint8_t *bytes; /* the sound store */
    size_t size;
    uint32_t *places;
    size_t place_count;
    char folder[MEMORY_PATH_SIZE], path[MEMORY_PATH_SIZE + 8];
    int fd;
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
    for (size_t i = 0; i < sound.size; i++) {
        bool speaks = false;
        for (size_t near = i < 8 ? 0 : i - 8; near < i + 8 && near < sound.size; near++)
            speaks |= sound.bytes[near] != 0;
        if (speaks)
            sound.places[sound.place_count++] = (uint32_t)i;
    }
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
    sound.fd = open(sound.path, O_RDWR | O_CLOEXEC);
    MUST(sound.fd >= 0);
    atexit(remove_folder);
}

static void edit(struct input *input)
{
    memory_file_set(sound.fd, sound.bytes, sound.size);
    while (input->left > 0) {
        off_t place = sound.places[input_number(input, 2) % sound.place_count];
        struct input bytes = input_take(input, input_number(input, 1));
        if (bytes.left == 0)
            MUST(ftruncate(sound.fd, place) == 0);
        else
            MUST(pwrite(sound.fd, bytes.bytes, bytes.left, place) == (ssize_t)bytes.left);
    }
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
    MUST(mask != NULL && block != NULL);
    if (network->mask_slots > 0 &&
        store_read_mask(store, index, network->mask_slots - 1, mask, &err) != 0)
        must_say_why(&err);
    for (int32_t when = 0; when < network->when_count; when++)
        if (store_read_weights(store, index, when, network->whens[when].slots - 1, block, &err) !=
            0)
            must_say_why(&err);
    free(mask);
    free(block);
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
    if (store_read_attempts(store, bytes, &err) != 0)
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
    if (input_number(&input, 1) == 0)
        memory_file_set(sound.fd, input.bytes, input.left);
    else
        edit(&input);
    struct store *store = store_open(sound.path, STORE_READ, NULL, &err);
    if (store == NULL) {
        must_say_why(&err);
        return 0;
    }
    read_tables(store);
    for (int32_t i = 0; i < 2; i++)
        read_network(store, i);
    read_rest(store);
    store_close(store);
    return 0;
}
