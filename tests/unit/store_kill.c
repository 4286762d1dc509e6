/* A writer killed at any instant leaves a file that opens, with every committed row intact; and
 * others read while it writes. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/rng.h"
#include "store_sample.h"

#define TASKS 400
#define KILLS 30

struct fixture {
    char folder[64], path[128];
    struct store_layout layout;
};

static int setup(void **state)
{
    static struct fixture fixture;
    struct error err = {0};
    sample_folder(fixture.folder);
    snprintf(fixture.path, sizeof fixture.path, "%s/sample.h5", fixture.folder);
    fixture.layout = sample_many(TASKS);
    if (store_create(fixture.path, &fixture.layout, &err) != 0)
        fail_msg("%s", err.text);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    sample_many_finish(&fixture->layout);
    unlink(fixture->path);
    return rmdir(fixture->folder);
}

/* Runs what is pending, and says on the pipe which task was committed. */
static void write_pending(const char *path, int committed)
{
    struct error err = {0};
    struct store_table tasks;
    struct store *store = store_open(path, STORE_WRITE, NULL, &err);
    uint8_t bad[TASKS];
    static struct store_result results[TASKS];
    if (store == NULL || store_read_table(store, "tasks", &tasks, &err) != 0 ||
        store_verify(store, bad, &err) < 0 ||
        store_read_results(store, 0, TASKS, results, &err) != 0)
        _exit(1);
    for (int32_t task = 0; task < TASKS; task++) {
        if (results[task].status == STORE_DONE && !bad[task])
            continue;
        if (sample_run_task(store, &tasks, task, &err) != 0 ||
            write(committed, &task, sizeof task) != sizeof task)
            _exit(1);
    }
    _exit(0);
}

static pid_t start_writer(const char *path, int *committed)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        write_pending(path, ends[1]);
    close(ends[1]);
    *committed = ends[0];
    return child;
}

/* Notes what the writer said it committed; false once it has no more to say. */
static bool note_report(int reports, bool *committed)
{
    int32_t task;
    if (read(reports, &task, sizeof task) != sizeof task)
        return false;
    committed[task] = true;
    return true;
}

/* What the dead writer said it had committed must hold. Returns how many tasks are done. */
static int check_committed(const char *path, bool *committed)
{
    struct error err = {0};
    uint8_t bad[TASKS];
    static struct store_result results[TASKS];
    struct store *store = store_open(path, STORE_READ, NULL, &err);
    if (store == NULL)
        fail_msg("%s", err.text);
    int64_t torn = store_verify(store, bad, &err);
    assert_in_range(torn, 0, 1);
    assert_int_equal(store_read_results(store, 0, TASKS, results, &err), 0);
    int done = 0;
    for (int i = 0; i < TASKS; i++) {
        done += results[i].status == STORE_DONE && !bad[i];
        if (committed[i])
            assert_true(results[i].status == STORE_DONE && !bad[i]);
    }
    store_close(store);
    return done;
}

/* The bytes before the first dataset, without the superblock's flags: there HDF5 notes who has the
 * file open for writing, which in this version of the format nobody looks at. */
static uint64_t front_sum(const char *path)
{
    char *file;
    size_t length;
    uint64_t sum = 14695981039346656037u;
    assert_int_equal(file_read(path, (size_t)1 << 30, &file, &length, NULL), 0);
    char *end = memmem(file, length, sample_grid, sizeof sample_grid - 1);
    assert_non_null(end);
    memset(file + 20, 0, 4);
    for (const char *byte = file; byte < end; byte++)
        sum = (sum ^ (unsigned char)*byte) * 1099511628211u;
    free(file);
    return sum;
}

static void test_killed_at_any_instant(void **state)
{
    struct fixture *fixture = *state;
    const struct rng_stream stream = {.seed = 20240506, .purpose = RNG_ORDER};
    bool committed[TASKS] = {false};
    const uint64_t front = front_sum(fixture->path);
    int done = 0;
    for (uint32_t i = 0; i < KILLS; i++) {
        int reports;
        pid_t writer = start_writer(fixture->path, &reports);
        /* On a busy machine a writer may take longer to open the store than the kill takes to come:
         * every other one is first seen to commit. */
        if (i % 2 == 1)
            note_report(reports, committed);
        usleep((useconds_t)rng_below(stream, i, 25000));
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        while (note_report(reports, committed))
            continue;
        close(reports);
        done = check_committed(fixture->path, committed);
        assert_true(front_sum(fixture->path) == front);
    }
    assert_true(done >= KILLS / 2); /* the kills met writers at work */
    int reports, status;
    pid_t writer = start_writer(fixture->path, &reports);
    waitpid(writer, &status, 0);
    close(reports);
    assert_int_equal(status, 0);
    assert_int_equal(check_committed(fixture->path, committed), TASKS);
    assert_true(front_sum(fixture->path) == front);
}

/* Reads all there is; returns how many tasks are done. */
static int read_beside(const char *path)
{
    struct error err = {0};
    struct store *store = store_open(path, STORE_READ, NULL, &err);
    if (store == NULL)
        fail_msg("%s", err.text);
    uint8_t bad[TASKS];
    static struct store_result results[TASKS];
    assert_int_equal(store_verify(store, bad, &err), 0);
    assert_int_equal(store_read_results(store, 0, TASKS, results, &err), 0);
    int done = 0;
    for (int i = 0; i < TASKS; i++)
        done += results[i].status == STORE_DONE;
    store_close(store);
    return done;
}

static void test_read_while_it_is_written(void **state)
{
    struct fixture *fixture = *state;
    int reports, status, done, reads = 0;
    pid_t writer = start_writer(fixture->path, &reports);
    do {
        done = read_beside(fixture->path);
        reads++;
    } while (waitpid(writer, &status, WNOHANG) == 0);
    close(reports);
    assert_int_equal(status, 0);
    assert_int_equal(read_beside(fixture->path), TASKS);
    assert_true(reads > 1 && done <= TASKS);
}

/* After another rank's death: without a word to HDF5, what was written is there. */
static void test_abandoned(void **state)
{
    struct fixture *fixture = *state;
    bool committed[TASKS] = {true};
    pid_t child = fork();
    if (child == 0) {
        struct error err = {0};
        struct store_table tasks;
        struct store *store = store_open(fixture->path, STORE_WRITE, NULL, &err);
        if (store == NULL || store_read_table(store, "tasks", &tasks, &err) != 0 ||
            sample_run_task(store, &tasks, 0, &err) != 0)
            _exit(1);
        store_abandon(store);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(check_committed(fixture->path, committed), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_killed_at_any_instant),
        TEST(test_read_while_it_is_written),
        TEST(test_abandoned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
