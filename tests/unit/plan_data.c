/* Data from files: what counts is what they hold, not where they are. */
#include "plan_support.h"

static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

static void put_32(FILE *file, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(value >> shift & 255), file);
}

/* `side` 0: labels. */
static void write_idx(const char *path, uint32_t count, uint32_t side, uint32_t first)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    put_32(file, side > 0 ? 0x803 : 0x801);
    put_32(file, count);
    for (int i = 0; i < 2 && side > 0; i++)
        put_32(file, side);
    for (uint32_t i = 0; i < count * (side > 0 ? side * side : 1); i++)
        fputc((int)((first + i) % 10), file);
    assert_int_equal(fclose(file), 0);
}

/* A folder of 600 and 100 examples whose pixels begin with `first`. */
struct folder {
    char path[32];
};

static struct folder make_folder(uint32_t side, uint32_t first)
{
    struct folder folder = {"/tmp/plan_data_XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    for (int i = 0; i < 4; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder.path, names[i]);
        write_idx(path, i < 2 ? 600 : 100, i % 2 == 0 ? side : 0, i % 2 == 0 ? first : 0);
    }
    return folder;
}

static void remove_folder(struct folder folder)
{
    for (int i = 0; i < 4; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder.path, names[i]);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(remove(folder.path), 0);
}

#define MNIST                                                                                      \
    "name: files\narchitecture: fc-5\n"                                                            \
    "train: {iterations: 10, batch: 10}\nprune: {rounds: 1}\n"                                     \
    "dataset: {name: mnist, validation: 100}\n"

static void equal_examples_are_one_dataset_wherever_they_are(void **state)
{
    (void)state;
    struct folder one = make_folder(5, 0), same = make_folder(5, 0), other = make_folder(5, 1);
    char text[1024];
    snprintf(text, sizeof text, MNIST "axes: {dataset.folder: [%s, %s, %s]}\n", one.path, same.path,
             other.path);
    struct plan *plan = plan_of(text);
    assert_int_equal(plan->dataset_count, 2);
    assert_int_equal(ticket_at(plan, 0, 1), ticket_at(plan, 1, 1));
    assert_int_not_equal(ticket_at(plan, 0, 0), ticket_at(plan, 2, 0));
    assert_int_equal(plan->task_count, 4);
    plan_drop(plan);
    remove_folder(one);
    remove_folder(same);
    remove_folder(other);
}

static void splits_of_one_folder_have_one_content(void **state)
{
    (void)state;
    struct folder folder = make_folder(5, 0);
    char text[1024];
    snprintf(text, sizeof text,
             MNIST "axes: {dataset.folder: [%s], dataset.split_seed: [0, 1], "
                   "dataset.validation: [0, 100]}\n",
             folder.path);
    struct plan *plan = plan_of(text);
    assert_int_equal(plan->dataset_count, 3); /* without a split its seed is nothing */
    for (int32_t i = 1; i < 3; i++)
        assert_memory_equal(&plan->datasets[i].content, &plan->datasets[0].content,
                            sizeof(struct hash128));
    plan_drop(plan);
    remove_folder(folder);
}

/* The grid's folder, else the option's, else the environment's. */
static void folders_come_in_order(void **state)
{
    (void)state;
    struct folder small = make_folder(4, 0), large = make_folder(6, 0);
    struct error err = {0};
    struct grid *grid = grid_parse("grid.yaml", MNIST, strlen(MNIST), &err);
    assert_non_null(grid);
    assert_int_equal(setenv("SWEEPSTAKE_DATA", small.path, 1), 0);
    struct plan *plan = plan_create(grid, &(struct plan_options){0}, &err);
    assert_non_null(plan);
    assert_int_equal(plan->datasets[0].info.width, 4);
    assert_string_equal(plan->datasets[0].request.folder, small.path);
    plan_destroy(plan);
    plan = plan_create(grid, &(struct plan_options){.data_folder = large.path}, &err);
    assert_non_null(plan);
    assert_int_equal(plan->datasets[0].info.width, 6);
    plan_drop(plan);
    char text[1024];
    snprintf(text, sizeof text, MNIST "axes: {dataset.folder: [%s]}\n", large.path);
    plan = plan_of(text);
    assert_int_equal(plan->datasets[0].info.width, 6);
    plan_drop(plan);
    assert_int_equal(unsetenv("SWEEPSTAKE_DATA"), 0);
    remove_folder(small);
    remove_folder(large);
}

static void transfer_needs_the_same_shape(void **state)
{
    (void)state;
    struct folder folder = make_folder(5, 0);
    char text[1024];
    snprintf(text, sizeof text,
             SMALL "controls: [{kind: same, set: {dataset.folder: %s, dataset.name: mnist, "
                   "dataset.train: 600, dataset.test: 100}}]\n",
             folder.path);
    struct error err = {0};
    assert_null(plan_try(text, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.text, "grid.yaml:5:"));
    assert_non_null(strstr(err.text, "dataset.name: control same would train another network "
                                     "(lenet-20-10.1x5x5.10) than its ticket"));
    remove_folder(folder);
}

/* Files whose headers are right and whose contents are not: no field of the split is to blame. */
static void damaged_files_are_blamed_on_the_name(void **state)
{
    (void)state;
    struct folder folder = make_folder(5, 0);
    char path[128], text[1024];
    snprintf(path, sizeof path, "%s/%s", folder.path, names[1]);
    FILE *labels = fopen(path, "r+b");
    assert_non_null(labels);
    assert_int_equal(fseek(labels, 8 + 17, SEEK_SET), 0);
    fputc(200, labels);
    assert_int_equal(fclose(labels), 0);
    snprintf(text, sizeof text, MNIST "axes: {dataset.folder: [%s]}\n", folder.path);
    struct error err = {0};
    assert_null(plan_try(text, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    const char *place = "grid.yaml:5:17: dataset.name: ";
    if (strncmp(err.text, place, strlen(place)) != 0 || strstr(err.text, "200") == NULL)
        fail_msg("%s", err.text);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_examples_are_one_dataset_wherever_they_are),
        cmocka_unit_test(splits_of_one_folder_have_one_content),
        cmocka_unit_test(folders_come_in_order),
        cmocka_unit_test(damaged_files_are_blamed_on_the_name),
        cmocka_unit_test(transfer_needs_the_same_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
