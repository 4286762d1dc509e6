/* Stores whose description of themselves was changed: refused with what is wrong, before anything
 * is read or taken by what they claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hdf5.h>

#include "store_sample.h"

struct fixture {
    char folder[64], path[96];
};

static int setup(void **state)
{
    static struct fixture fixture;
    struct error err = {0};
    sample_folder(fixture.folder);
    snprintf(fixture.path, sizeof fixture.path, "%s/s.h5", fixture.folder);
    struct store_layout layout = sample_layout();
    if (store_create(fixture.path, &layout, &err) != 0)
        fail_msg("%s", err.text);
    sample_layout_finish(&layout);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->path);
    return rmdir(fixture->folder);
}

static void expect_refusal(const struct fixture *fixture, const char *says)
{
    struct error err = {0};
    struct store *store = store_open(fixture->path, STORE_READ, NULL, &err);
    if (store != NULL || err.class != ERROR_USAGE || strstr(err.text, says) == NULL)
        fail_msg("instead of \"%s\": %s", says, store != NULL ? "opened" : err.text);
}

/* Puts a dataset of another shape or type in a dataset's place. */
static void replace(const struct fixture *fixture, const char *name, hid_t type, int rank,
                    const hsize_t *dims)
{
    hid_t file = H5Fopen(fixture->path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t space = H5Screate_simple(rank, dims, NULL);
    assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    hid_t made = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(made >= 0);
    H5Dclose(made);
    H5Sclose(space);
    assert_true(H5Fclose(file) >= 0);
}

static void replace_with_same_type(const struct fixture *fixture, const char *name, int rank,
                                   const hsize_t *dims)
{
    hid_t file = H5Fopen(fixture->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), type = H5Dget_type(dataset);
    H5Dclose(dataset);
    H5Fclose(file);
    replace(fixture, name, type, rank, dims);
    H5Tclose(type);
}

/* Overwrites bytes of a parameter's row in /parameters. */
static void patch(const struct fixture *fixture, const char *name, const char *kind, size_t offset,
                  const void *bytes, size_t size)
{
    static char content[1 << 20];
    struct store_parameter row = {0};
    snprintf(row.name, sizeof row.name, "%s", name);
    snprintf(row.kind, sizeof row.kind, "%s", kind);
    FILE *file = fopen(fixture->path, "r+b");
    size_t length = fread(content, 1, sizeof content, file);
    const char *at = memmem(content, length, &row, offsetof(struct store_parameter, rank));
    assert_non_null(at);
    assert_int_equal(fseek(file, (long)(at - content) + (long)offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void more_dimensions_than_readers_take_memory_for(void **state)
{
    static const char *const names[] = {"/attempts", "/tasks", "/results", "/curves", "/grid"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setup(state);
        replace_with_same_type(*state, names[i], 2, (const hsize_t[]){SAMPLE_TASKS, 20});
        expect_refusal(*state, names[i]);
        expect_refusal(*state, "has 2 dimensions instead of 1");
        teardown(state);
    }
}

static void more_rows_than_the_file_holds(void **state)
{
    static const char *const names[] = {"/experiments", "/curves", "/environment", "/grid"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setup(state);
        replace_with_same_type(*state, names[i], 1, (const hsize_t[]){(hsize_t)1 << 40});
        expect_refusal(*state, names[i]);
        expect_refusal(*state, "more than the file holds");
        teardown(state);
    }
}

static void a_grid_that_is_not_a_text(void **state)
{
    hid_t variable = H5Tcopy(H5T_C_S1);
    H5Tset_size(variable, H5T_VARIABLE);
    replace(*state, "/grid", variable, 1, (const hsize_t[]){1});
    expect_refusal(*state, "/grid is not a text");
    replace(*state, "/grid", H5T_NATIVE_INT64, 1, (const hsize_t[]){1});
    expect_refusal(*state, "/grid is not a text");
    H5Tclose(variable);
}

static void a_table_without_columns(void **state)
{
    replace(*state, "/points", H5T_NATIVE_INT64, 1, (const hsize_t[]){5});
    expect_refusal(*state, "not a table");
}

static void a_rank_out_of_range(void **state)
{
    /* With the three dims that a bias does not use (-1), an even sign hid it. */
    const int32_t rank = 0x7fffff1c;
    patch(*state, "fc1.bias", "bias", offsetof(struct store_parameter, rank), &rank, sizeof rank);
    expect_refusal(*state, "parameter 1 of tiny.5-3-2 makes no sense");
}

static void negative_dimensions(void **state)
{
    const int64_t dims[] = {-3, -5};
    patch(*state, "fc1.weight", "fc", offsetof(struct store_parameter, dims), dims, sizeof dims);
    expect_refusal(*state, "parameter 0 of tiny.5-3-2 makes no sense");
}

static void a_block_larger_than_its_parameters(void **state)
{
    struct fixture *fixture = *state;
    const int64_t size = (int64_t)1 << 40;
    hid_t file = H5Fopen(fixture->path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t table = H5Dopen2(file, "/parameters/conv-wide", H5P_DEFAULT);
    hid_t attribute = H5Aopen(table, "block_size", H5P_DEFAULT);
    assert_true(H5Awrite(attribute, H5T_NATIVE_INT64, &size) >= 0);
    H5Aclose(attribute);
    H5Dclose(table);
    H5Fclose(file);
    expect_refusal(fixture, "conv-wide has a block of 1099511627776 elements");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_dimensions_than_readers_take_memory_for),
        cmocka_unit_test(more_rows_than_the_file_holds),
        cmocka_unit_test_setup_teardown(a_grid_that_is_not_a_text, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_without_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rank_out_of_range, setup, teardown),
        cmocka_unit_test_setup_teardown(negative_dimensions, setup, teardown),
        cmocka_unit_test_setup_teardown(a_block_larger_than_its_parameters, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
