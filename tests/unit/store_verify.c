/* A store notices every change to what a finished task stands for, and blames that task alone. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "store_sample.h"

struct fixture {
    char folder[64], path[128];
    struct store_layout layout;
};

static void run_all(const char *path)
{
    struct error err = {0};
    struct store *store = store_open(path, STORE_WRITE, NULL, &err);
    struct store_table tasks;
    assert_non_null(store);
    assert_int_equal(store_read_table(store, "tasks", &tasks, &err), 0);
    for (int64_t task = 0; task < SAMPLE_TASKS; task++)
        assert_int_equal(sample_run_task(store, &tasks, task, &err), 0);
    store_table_finish(&tasks);
    store_close(store);
}

static int setup(void **state)
{
    static struct fixture fixture;
    struct error err = {0};
    sample_folder(fixture.folder);
    snprintf(fixture.path, sizeof fixture.path, "%s/sample.h5", fixture.folder);
    fixture.layout = sample_layout();
    if (store_create(fixture.path, &fixture.layout, &err) != 0)
        fail_msg("%s", err.text);
    run_all(fixture.path);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    sample_layout_finish(&fixture->layout);
    unlink(fixture->path);
    return rmdir(fixture->folder);
}

/* Tasks that do not hold, as bits. */
static unsigned bad_tasks(const char *path)
{
    struct error err = {0};
    uint8_t bad[SAMPLE_TASKS];
    struct store *store = store_open(path, STORE_READ, NULL, &err);
    assert_non_null(store);
    int64_t count = store_verify(store, bad, &err);
    store_close(store);
    unsigned bits = 0;
    for (int i = 0; i < SAMPLE_TASKS; i++) {
        bits |= (unsigned)bad[i] << i;
        count -= bad[i];
    }
    assert_int_equal(count, 0);
    return bits;
}

static void flip(const char *path, off_t offset)
{
    unsigned char byte;
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

/* Where these bytes stand in the file; they must stand there once. */
static off_t locate(const char *path, const void *bytes, size_t count)
{
    char *file;
    size_t length;
    assert_int_equal(file_read(path, (size_t)1 << 30, &file, &length, NULL), 0);
    char *place = memmem(file, length, bytes, count);
    assert_non_null(place);
    off_t offset = place - file;
    assert_null(memmem(place + 1, length - (size_t)offset - 1, bytes, count));
    free(file);
    return offset;
}

/* Flips the first and the last of these bytes in turn: `task` and nobody else does not hold. */
static void check_flips(const char *path, const void *bytes, size_t count, int task)
{
    off_t first = locate(path, bytes, count);
    const off_t places[] = {first, first + (off_t)count - 1};
    for (int i = 0; i < 2; i++) {
        flip(path, places[i]);
        assert_int_equal(bad_tasks(path), 1u << task);
        flip(path, places[i]);
    }
    assert_int_equal(bad_tasks(path), 0);
}

static void test_all_hold(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(bad_tasks(fixture->path), 0);
}

static void test_weights(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        int task;
        int32_t when;
    } sets[] = {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {1, 3}, {1, 4},
                {2, 0}, {2, 3}, {2, 4}, {3, 0}, {3, 1}, {3, 3}, {4, 1}};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        /* fc1.weight or conv1.weight: the first 15 elements of both blocks */
        float values[15];
        for (int e = 0; e < 15; e++)
            values[e] = sample_weight(sets[i].task, sets[i].when, e);
        check_flips(fixture->path, values, sizeof values, sets[i].task);
    }
}

static void test_biases(void **state)
{
    struct fixture *fixture = *state;
    float values[2] = {sample_weight(1, 4, 24), sample_weight(1, 4, 25)};
    check_flips(fixture->path, values, sizeof values, 1);
}

static void test_masks(void **state)
{
    struct fixture *fixture = *state;
    unsigned char packed[5] = {0};
    for (int e = 0; e < 36; e++)
        packed[e / 8] = (unsigned char)(packed[e / 8] | sample_mask_bit(4, e) << (7 - e % 8));
    check_flips(fixture->path, packed, sizeof packed, 4);
}

static void test_curves(void **state)
{
    struct fixture *fixture = *state;
    struct store_curve_point point = sample_curve_point(2, 3);
    check_flips(fixture->path, &point, sizeof point, 2);
}

static void test_lasting_columns(void **state)
{
    struct fixture *fixture = *state;
    for (int task = 0; task < SAMPLE_TASKS; task++) {
        struct store_result result = sample_result(task);
        check_flips(fixture->path, result.scores, sizeof result.scores, task);
        off_t row = locate(fixture->path, result.scores, sizeof result.scores) -
                    (off_t)offsetof(struct store_result, scores);
        const size_t columns[] = {offsetof(struct store_result, reason),
                                  offsetof(struct store_result, message),
                                  offsetof(struct store_result, weights_remaining),
                                  offsetof(struct store_result, percent_remaining),
                                  offsetof(struct store_result, early_stop_iteration),
                                  offsetof(struct store_result, checksum)};
        for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
            flip(fixture->path, row + (off_t)columns[i]);
            assert_int_equal(bad_tasks(fixture->path), 1u << task);
            flip(fixture->path, row + (off_t)columns[i]);
        }
        flip(fixture->path, row + (off_t)offsetof(struct store_result, seconds));
        assert_int_equal(bad_tasks(fixture->path), 0); /* may differ between equal runs */
    }
}

/* A row that says something no row can say. */
static void test_an_unknown_status(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result = sample_result(3);
    off_t row = locate(fixture->path, result.scores, sizeof result.scores) -
                (off_t)offsetof(struct store_result, scores);
    flip(fixture->path, row);
    assert_int_equal(bad_tasks(fixture->path), 1u << 3);
}

/* /tasks is not under a checksum, but a slot that does not exist must not be followed. */
static void test_a_slot_that_does_not_exist(void **state)
{
    struct fixture *fixture = *state;
    off_t row = locate(fixture->path, "reinit-1", 9);
    flip(fixture->path, row + (off_t)offsetof(struct sample_task, final_slot));
    assert_int_equal(bad_tasks(fixture->path), 1u << 2);
    flip(fixture->path, row + (off_t)offsetof(struct sample_task, final_slot));
    flip(fixture->path, row + (off_t)offsetof(struct sample_task, network));
    assert_int_equal(bad_tasks(fixture->path), 1u << 2);
    flip(fixture->path, row + (off_t)offsetof(struct sample_task, network));
    flip(fixture->path, row + (off_t)offsetof(struct sample_task, curve_offset) + 7);
    assert_int_equal(bad_tasks(fixture->path), 1u << 2);
}

/* Tasks without a payload have a row to hold, too. */
static void test_written_off(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct store *store = store_open(fixture->path, STORE_WRITE, NULL, &err);
    struct store_result result = store_result_pending();
    result.status = STORE_FAILED;
    result.reason = STORE_REASON_MEMORY;
    snprintf(result.message, sizeof result.message, "needs more than there is");
    assert_int_equal(store_commit(store, 1, 0, &result, &err), 0);
    assert_int_equal(store_reset_result(store, 2, &err), 0);
    store_close(store);
    assert_int_equal(bad_tasks(fixture->path), 0);
    flip(fixture->path, locate(fixture->path, "needs more", 10));
    assert_int_equal(bad_tasks(fixture->path), 1u << 1);
}

/* Running a task again writes the same bytes. */
static void test_a_rerun_repeats(void **state)
{
    struct fixture *fixture = *state;
    char *before, *after;
    size_t length;
    assert_int_equal(file_read(fixture->path, (size_t)1 << 30, &before, &length, NULL), 0);
    run_all(fixture->path);
    assert_int_equal(file_read(fixture->path, (size_t)1 << 30, &after, &length, NULL), 0);
    assert_memory_equal(before, after, length);
    free(before);
    free(after);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_all_hold),
        TEST(test_weights),
        TEST(test_biases),
        TEST(test_masks),
        TEST(test_curves),
        TEST(test_lasting_columns),
        TEST(test_an_unknown_status),
        TEST(test_a_slot_that_does_not_exist),
        TEST(test_written_off),
        TEST(test_a_rerun_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
