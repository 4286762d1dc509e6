/* In-flight states: found as they were saved, by whoever; what is torn is not believed; what is
 * still of use goes into the file of the next launch. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/checkpoint.h"

enum { STATE = 3 * 1000 * 1000 }; /* not a multiple of anything */

static const struct store_identity here = {
    .isa = "avx2", .blas_core = "Haswell", .kernel_mode = "4-auto"};
static const struct hash128 keys[] = {{{1}}, {{2}}, {{3, 255}}, {{4}}};

struct place {
    char folder[64], store[96], file[96];
};

static int begin(void **state)
{
    struct place *place = malloc(sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/checkpoint-test-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->store, sizeof place->store, "%s/s.h5", place->folder);
    snprintf(place->file, sizeof place->file, "%s/s.checkpoint.h5", place->folder);
    *state = place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;
    checkpoint_remove(place->store);
    assert_int_equal(rmdir(place->folder), 0); /* nothing else is left */
    free(place);
    return 0;
}

static void renew(const struct place *place, const struct store_identity *identity, int32_t slots,
                  int32_t first_key, int32_t key_count)
{
    struct error err = {0};
    struct checkpoint_setup setup = {place->store, identity,         slots,
                                     STATE,        keys + first_key, key_count};
    if (checkpoint_renew(&setup, &err) != 0)
        fail_msg("%s", err.text);
}

static struct checkpoint *open_slot(const struct place *place, int32_t slot)
{
    struct error err = {0};
    struct checkpoint *checkpoint = checkpoint_open(place->store, slot, &err);
    if (checkpoint == NULL)
        fail_msg("%s", err.text);
    return checkpoint;
}

/* A state that says what it is. */
static void fill(unsigned char *bytes, int key, int64_t iteration)
{
    for (int i = 0; i < STATE; i++)
        bytes[i] = (unsigned char)(i * 31 + key * 7 + (int)iteration);
}

static void save(struct checkpoint *checkpoint, int key, int64_t iteration)
{
    unsigned char *bytes = malloc(STATE);
    fill(bytes, key, iteration);
    assert_int_equal(checkpoint_begin(checkpoint, NULL), 0);
    assert_int_equal(checkpoint_put(checkpoint, bytes, 10, NULL), 0);
    assert_int_equal(checkpoint_put(checkpoint, bytes + 10, STATE - 10, NULL), 0);
    assert_int_equal(
        checkpoint_end(checkpoint, &keys[key], iteration, 0.5 * (double)iteration, NULL), 0);
    free(bytes);
}

static void assert_found(struct checkpoint *checkpoint, int key, int64_t iteration)
{
    struct checkpoint_state state;
    assert_int_equal(checkpoint_find(checkpoint, &keys[key], &state, NULL), 1);
    assert_int_equal(state.iteration, iteration);
    assert_true(state.seconds == 0.5 * (double)iteration);
    unsigned char *wanted = malloc(STATE), *bytes = malloc(STATE);
    fill(wanted, key, iteration);
    assert_int_equal(checkpoint_take(checkpoint, bytes, 1000, NULL), 0);
    assert_int_equal(checkpoint_take(checkpoint, bytes + 1000, STATE - 1000, NULL), 0);
    assert_memory_equal(bytes, wanted, STATE);
    assert_int_equal(checkpoint_take(checkpoint, bytes, 1, NULL), -1);
    free(wanted);
    free(bytes);
}

static void assert_none(struct checkpoint *checkpoint, int key)
{
    struct checkpoint_state state;
    assert_int_equal(checkpoint_find(checkpoint, &keys[key], &state, NULL), 0);
}

static void test_the_furthest_state_is_found_by_another_worker(void **state)
{
    renew(*state, &here, 2, 0, 4);
    struct checkpoint *one = open_slot(*state, 0), *two = open_slot(*state, 1);
    assert_none(two, 0);
    save(one, 0, 100);
    assert_found(two, 0, 100);
    save(one, 0, 200);
    save(one, 0, 300);
    assert_found(two, 0, 300);
    save(two, 0, 250);
    assert_found(one, 0, 300);
    assert_none(one, 1);
    checkpoint_close(one);
    checkpoint_close(two);
}

/* Changes a byte of a file. */
static void damage(const char *path, off_t place)
{
    int fd = open(path, O_RDWR);
    char byte;
    assert_int_equal(pread(fd, &byte, 1, place), 1);
    byte ^= 16;
    assert_int_equal(pwrite(fd, &byte, 1, place), 1);
    close(fd);
}

static void test_a_torn_state_is_not_believed(void **state)
{
    struct place *place = *state;
    struct stat status;
    renew(place, &here, 1, 0, 4);
    struct checkpoint *checkpoint = open_slot(place, 0);
    save(checkpoint, 2, 10);
    save(checkpoint, 2, 20); /* the second copy, the last in the file */
    stat(place->file, &status);
    damage(place->file, status.st_size - 5000);
    assert_found(checkpoint, 2, 10);
    damage(place->file, status.st_size - STATE - 5000);
    assert_none(checkpoint, 2);
    save(checkpoint, 2, 30);
    assert_found(checkpoint, 2, 30);
    checkpoint_close(checkpoint);
}

/* A save that never came to its end leaves what was saved before. */
static void test_a_save_that_was_cut_off(void **state)
{
    renew(*state, &here, 1, 0, 4);
    struct checkpoint *checkpoint = open_slot(*state, 0);
    unsigned char bytes[100] = {9};
    save(checkpoint, 1, 10);
    save(checkpoint, 1, 20);
    assert_int_equal(checkpoint_begin(checkpoint, NULL), 0);
    assert_int_equal(checkpoint_put(checkpoint, bytes, sizeof bytes, NULL), 0);
    checkpoint_close(checkpoint);
    checkpoint = open_slot(*state, 0);
    assert_found(checkpoint, 1, 20);
    checkpoint_close(checkpoint);
}

static void test_the_next_launch_takes_over_what_is_of_use(void **state)
{
    renew(*state, &here, 3, 0, 4);
    for (int i = 0; i < 3; i++) {
        struct checkpoint *checkpoint = open_slot(*state, i);
        save(checkpoint, i, 100 + i);
        save(checkpoint, i, 200 + i);
        checkpoint_close(checkpoint);
    }
    renew(*state, &here, 1, 1, 3); /* fewer workers; the first task has a result */
    struct checkpoint *checkpoint = open_slot(*state, 0);
    assert_none(checkpoint, 0);
    assert_found(checkpoint, 1, 201);
    assert_found(checkpoint, 2, 202);
    save(checkpoint, 1, 300);
    checkpoint_close(checkpoint);

    renew(*state, &here, 5, 0, 4); /* more workers */
    checkpoint = open_slot(*state, 4);
    assert_found(checkpoint, 1, 300);
    assert_found(checkpoint, 2, 202);
    checkpoint_close(checkpoint);
}

static void test_other_kernels_begin_anew(void **state)
{
    struct store_identity other = here;
    renew(*state, &here, 1, 0, 4);
    struct checkpoint *checkpoint = open_slot(*state, 0);
    save(checkpoint, 1, 10);
    checkpoint_close(checkpoint);
    strcpy(other.isa, "avx512");
    renew(*state, &other, 1, 0, 4);
    checkpoint = open_slot(*state, 0);
    assert_none(checkpoint, 1);
    checkpoint_close(checkpoint);
}

static void test_what_is_no_checkpoint_file_is_left_aside(void **state)
{
    struct place *place = *state;
    FILE *file = fopen(place->file, "w");
    fputs("not HDF5", file);
    fclose(file);
    struct error err = {0};
    assert_null(checkpoint_open(place->store, 0, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    renew(place, &here, 1, 0, 4);
    struct checkpoint *checkpoint = open_slot(place, 0);
    assert_none(checkpoint, 0);
    checkpoint_close(checkpoint);
}

static void test_too_little_space_leaves_everything_as_it_was(void **state)
{
    struct place *place = *state;
    struct error err = {0};
    renew(place, &here, 1, 0, 4);
    struct checkpoint *checkpoint = open_slot(place, 0);
    save(checkpoint, 1, 10);
    checkpoint_close(checkpoint);
    struct checkpoint_setup setup = {place->store, &here, 1000000, INT64_C(1) << 40, keys, 4};
    assert_int_equal(checkpoint_renew(&setup, &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.text, "free"));
    checkpoint = open_slot(place, 0);
    assert_found(checkpoint, 1, 10);
    checkpoint_close(checkpoint);
}

/* Of the first `count` tasks together. */
static int64_t iterations(const struct place *place, int32_t count)
{
    struct hash128 wanted[4] = {keys[3], keys[2], keys[1], keys[0]};
    struct error err = {0};
    int64_t reached = -1;
    assert_int_equal(checkpoint_iterations(place->store, wanted + 4 - count, count, &reached, &err),
                     0);
    return reached;
}

static void test_iterations_saved_so_far(void **state)
{
    struct place *place = *state;
    assert_int_equal(iterations(place, 4), 0); /* no file */
    renew(place, &here, 2, 0, 4);
    assert_int_equal(iterations(place, 4), 0);
    struct checkpoint *one = open_slot(place, 0), *two = open_slot(place, 1);
    save(one, 0, 100);
    save(one, 0, 200);
    save(two, 0, 150); /* another worker's, of the same task */
    assert_int_equal(iterations(place, 4), 200);
    save(two, 2, 7);
    save(two, 3, 30);
    assert_int_equal(iterations(place, 4), 200 + 7 + 30);
    assert_int_equal(iterations(place, 3), 200 + 7); /* the last is done, say */
    assert_int_equal(iterations(place, 0), 0);
    checkpoint_close(one);
    checkpoint_close(two);
    FILE *file = fopen(place->file, "w");
    fputs("not HDF5", file);
    fclose(file);
    assert_int_equal(iterations(place, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_furthest_state_is_found_by_another_worker, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_a_torn_state_is_not_believed, begin, end),
        cmocka_unit_test_setup_teardown(test_a_save_that_was_cut_off, begin, end),
        cmocka_unit_test_setup_teardown(test_the_next_launch_takes_over_what_is_of_use, begin, end),
        cmocka_unit_test_setup_teardown(test_other_kernels_begin_anew, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_no_checkpoint_file_is_left_aside, begin, end),
        cmocka_unit_test_setup_teardown(test_iterations_saved_so_far, begin, end),
        cmocka_unit_test_setup_teardown(test_too_little_space_leaves_everything_as_it_was, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
