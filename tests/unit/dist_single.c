/* A grid in one process, from the file to the exit status. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "dist/run.h"

#define GRID                                                                                       \
    "name: small\n"                                                                                \
    "architecture: lenet-12-8\n"                                                                   \
    "dataset: {name: digits, train: 300, test: 100, validation: 60}\n"                             \
    "train: {iterations: 10, batch: 20}\n"                                                         \
    "prune: {rounds: 3}\n"
#define TASKS 4

struct place {
    char folder[64], grid[96], store[96];
    struct run_job job;
    struct progress last; /* shown */
};

static void keep_last(void *user, const struct progress *progress)
{
    struct place *place = user;
    place->last = *progress;
    place->last.workers = NULL;
}

static int begin(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    snprintf(place->folder, sizeof place->folder, "/tmp/dist-test-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->grid, sizeof place->grid, "%s/small.yaml", place->folder);
    snprintf(place->store, sizeof place->store, "%s/s.h5", place->folder);
    assert_int_equal(file_replace(place->grid, GRID, strlen(GRID), NULL), 0);
    place->job = (struct run_job){
        .grid_file = place->grid,
        .store_file = place->store,
        .workers = 1,
        .threads = 1,
        .max_attempts = 2,
        .show = keep_last,
        .show_user = place,
        .fake = "seconds=0",
    };
    *state = place;
    return 0;
}

/* Nothing but the grid and the store is left of any run. */
static int end(void **state)
{
    struct place *place = *state;
    unlink(place->grid);
    unlink(place->store);
    assert_int_equal(rmdir(place->folder), 0);
    free(place);
    return 0;
}

static void read_row(const struct place *place, int32_t task, struct store_result *row,
                     uint8_t *attempts)
{
    struct error err = {0};
    struct store *store = store_open(place->store, STORE_READ, NULL, &err);
    assert_non_null(store);
    assert_int_equal(store_read_results(store, task, 1, row, &err), 0);
    assert_int_equal(store_read_attempts(store, store_task_count(store), attempts, &err), 0);
    store_close(store);
}

static void a_grid_runs_to_its_end(void **state)
{
    struct place *place = *state;
    struct error err = {0};
    place->job.fake = NULL;
    assert_int_equal(run_single(&place->job, &err), RUN_COMPLETE);
    assert_string_equal(err.text, "");
    assert_int_equal(place->last.total, TASKS);
    assert_int_equal(place->last.done, TASKS);
    assert_int_equal(place->last.left, 0);
    /* Again: nothing is run, and nothing shown. */
    place->last = (struct progress){0};
    assert_int_equal(run_single(&place->job, &err), RUN_COMPLETE);
    assert_int_equal(place->last.total, 0);
}

static void a_task_that_fails_is_tried_as_often_as_allowed(void **state)
{
    struct place *place = *state;
    struct error err = {0};
    struct store_result row;
    uint8_t attempts[TASKS];
    place->job.fake = "fail=1:9";
    assert_int_equal(run_single(&place->job, &err), RUN_SOME_FAILED);
    read_row(place, 1, &row, attempts);
    assert_int_equal(row.status, STORE_FAILED);
    assert_int_equal(row.reason, STORE_REASON_ERROR);
    assert_string_equal(row.message, "failed as it was told to");
    assert_int_equal(attempts[1], 2);
    read_row(place, 2, &row, attempts);
    assert_int_equal(row.status, STORE_UNREACHABLE);
    assert_int_equal(attempts[2], 0);
    /* A new run tries again, and keeps what was done. */
    place->job.fake = "fail=0:9";
    assert_int_equal(run_single(&place->job, &err), RUN_COMPLETE);
    assert_int_equal(place->last.kept, 1);
    read_row(place, 1, &row, attempts);
    assert_int_equal(row.status, STORE_DONE);
    assert_int_equal(row.attempts_used, 1);
}

/* What comes twice is not tried a third time; the row says where that was. */
static void a_task_over_its_limit_fails_after_two_tries(void **state)
{
    struct place *place = *state;
    struct error err = {0};
    struct store_result row;
    uint8_t attempts[TASKS];
    char host[64] = "";
    gethostname(host, sizeof host - 1);
    place->job.max_attempts = 5;
    place->job.task_seconds = 0.2;
    place->job.fake = "slow=1:60";
    assert_int_equal(run_single(&place->job, &err), RUN_SOME_FAILED);
    read_row(place, 1, &row, attempts);
    assert_int_equal(row.status, STORE_FAILED);
    assert_int_equal(row.reason, STORE_REASON_TIME);
    assert_string_equal(row.message, "took longer than its limit of 0.2 seconds");
    assert_string_equal(row.host, host);
    assert_int_equal(row.environment, 0);
    assert_int_equal(row.attempts_used, 2);
    assert_int_equal(attempts[1], 2);
    read_row(place, 2, &row, attempts);
    assert_int_equal(row.status, STORE_UNREACHABLE);
    assert_string_equal(row.host, "");
    place->job.task_seconds = 0;
    place->job.fake = "seconds=0";
    assert_int_equal(run_single(&place->job, &err), RUN_COMPLETE);
}

static int64_t count_tasks(const struct place *place)
{
    struct error err = {0};
    struct store *store = store_open(place->store, STORE_READ, NULL, &err);
    assert_non_null(store);
    int64_t count = store_task_count(store);
    store_close(store);
    return count;
}

static void another_grid_extends_the_store(void **state)
{
    struct place *place = *state;
    struct error err = {0};
    static const char other[] = GRID "seed: 2\n";
    assert_int_equal(run_single(&place->job, &err), RUN_COMPLETE);
    int64_t before = count_tasks(place);
    assert_int_equal(file_replace(place->grid, other, sizeof other - 1, NULL), 0);
    assert_int_equal(run_single(&place->job, &err), RUN_COMPLETE);
    assert_int_equal(count_tasks(place), 2 * before); /* no task in common */
}

static void a_wrong_grid_writes_nothing(void **state)
{
    struct place *place = *state;
    struct error err = {0};
    static const char wrong[] = GRID "sede: 2\n";
    assert_int_equal(file_replace(place->grid, wrong, sizeof wrong - 1, NULL), 0);
    assert_int_equal(run_single(&place->job, &err), RUN_USAGE);
    assert_int_equal(access(place->store, F_OK), -1);
}

/* Whoever was at hand whenever the machine went down need not be to blame. */
static void kills_do_not_use_up_a_tasks_tries(void **state)
{
    struct place *place = *state;
    struct error err = {0};
    struct store_result row;
    uint8_t attempts[TASKS];
    place->job.fake = "crash=0:3";
    for (int kill_number = 1; kill_number <= 3; kill_number++) {
        int how;
        pid_t child = fork();
        if (child == 0)
            _exit(run_single(&place->job, &err));
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));
        read_row(place, 0, &row, attempts);
        assert_int_equal(row.status, STORE_PENDING);
        assert_in_range(attempts[0], 1, place->job.max_attempts);
    }
    place->job.fake = "seconds=0";
    assert_int_equal(run_single(&place->job, &err), RUN_COMPLETE);
}

static void stop_soon(void *user, const struct progress *progress)
{
    (void)user;
    (void)progress;
    raise(SIGTERM);
}

static void a_stop_is_resumable(void **state)
{
    struct place *place = *state;
    struct error err = {0};
    int how;
    uint8_t attempts[TASKS];
    struct store_result row;
    place->job.fake = "seconds=20";
    place->job.show = stop_soon;
    pid_t child = fork();
    if (child == 0)
        _exit(run_single(&place->job, &err));
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), RUN_RESUMABLE);
    read_row(place, 0, &row, attempts);
    assert_int_equal(row.status, STORE_PENDING);
    assert_int_equal(attempts[0], 0);
}

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(a_grid_runs_to_its_end),
        RUN_TEST(a_task_that_fails_is_tried_as_often_as_allowed),
        RUN_TEST(a_task_over_its_limit_fails_after_two_tries),
        RUN_TEST(another_grid_extends_the_store),
        RUN_TEST(a_wrong_grid_writes_nothing),
        RUN_TEST(kills_do_not_use_up_a_tasks_tries),
        RUN_TEST(a_stop_is_resumable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
