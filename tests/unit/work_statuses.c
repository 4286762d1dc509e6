/* What a store says of a plan: torn rows, failed ones, and what hangs below them. */
#include "work_support.h"

#include <fcntl.h>

#define TASKS 16
#define DIGITS                                                                                     \
    "dataset: {name: digits, train: 300, test: 100, validation: 60}\n"                             \
    "train: {iterations: 10, batch: 20}\nprune: {rounds: 1}\n"

struct reading {
    enum store_status statuses[TASKS];
    uint8_t attempts[TASKS];
    int32_t torn;
};

static void read_all(struct bench *bench, bool repair, struct reading *reading)
{
    struct error err = {0};
    bench_check(work_read_statuses(bench->plan, bench->store, repair, reading->statuses,
                                   reading->attempts, &reading->torn, &err) != 0,
                &err);
}

/* As the fake executor and the master leave it: done, with what the file holds for a payload. */
static void finish(struct bench *bench, int32_t task)
{
    struct executor executor;
    struct work_outcome outcome;
    struct error err = {0};
    bench_check(executor_create_fake(&executor, "", bench->plan, bench->store, getpid(), &err) != 0,
                &err);
    bench_check(store_write_attempts(bench->store, task, 1, &err) != 0, &err);
    bench_check(executor.run(executor.self, task, NULL, &outcome, &err) != 0, &err);
    assert_int_equal(outcome.status, WORK_DONE);
    bench_check(store_commit(bench->store, task, outcome.digest, &outcome.result, &err) != 0, &err);
    executor.destroy(executor.self);
}

static void write_off(struct bench *bench, int32_t task, enum store_status status)
{
    struct error err = {0};
    struct store_result row = store_result_pending();
    row.status = (int32_t)status;
    bench_check(store_commit(bench->store, task, 0, &row, &err) != 0, &err);
    bench_check(store_write_attempts(bench->store, task, 3, &err) != 0, &err);
}

static void a_new_store_has_everything_to_do(void **state)
{
    struct bench bench;
    struct reading reading;
    (void)state;
    bench_begin(&bench, WORK_GRID);
    read_all(&bench, true, &reading);
    assert_int_equal(reading.torn, 0);
    for (int32_t i = 0; i < bench.plan->task_count; i++) {
        assert_int_equal(reading.statuses[i], STORE_PENDING);
        assert_int_equal(reading.attempts[i], 0);
    }
    bench_end(&bench);
}

static void a_torn_result_is_pending_again(void **state)
{
    struct bench bench;
    struct reading reading;
    struct error err = {0};
    struct store_curve_point point = {.iteration = 99};
    (void)state;
    bench_begin(&bench, WORK_GRID);
    finish(&bench, 0);
    finish(&bench, 1);
    /* A curve that is not the one the row's checksum was made for. */
    struct store_payload payload = {.mask_slot = -1,
                                    .curve_offset = bench.plan->tasks[1].curve_offset,
                                    .curve_count = 1,
                                    .curve = &point};
    uint64_t digest;
    bench_check(store_write_payload(bench.store, &payload, &digest, &err) != 0, &err);
    read_all(&bench, false, &reading);
    assert_int_equal(reading.torn, 1);
    assert_int_equal(reading.statuses[0], STORE_DONE);
    assert_int_equal(reading.statuses[1], STORE_PENDING);
    read_all(&bench, true, &reading);
    assert_int_equal(reading.torn, 1);
    assert_int_equal(reading.attempts[1], 0);
    /* Now the store says so itself. */
    read_all(&bench, false, &reading);
    assert_int_equal(reading.torn, 0);
    assert_int_equal(reading.statuses[1], STORE_PENDING);
    bench_end(&bench);
}

static void failures_are_kept_until_a_run_begins(void **state)
{
    struct bench bench;
    struct reading reading;
    (void)state;
    bench_begin(&bench, WORK_GRID);
    int32_t ticket = task_at(bench.plan, 0, 1, CONTROL_NONE, 0);
    int32_t below = task_at(bench.plan, 0, 2, CONTROL_NONE, 0);
    finish(&bench, 0);
    write_off(&bench, ticket, STORE_FAILED);
    write_off(&bench, below, STORE_UNREACHABLE);
    read_all(&bench, false, &reading);
    assert_int_equal(reading.statuses[ticket], STORE_FAILED);
    assert_int_equal(reading.statuses[below], STORE_UNREACHABLE);
    assert_int_equal(reading.attempts[ticket], 3);
    read_all(&bench, true, &reading);
    assert_int_equal(reading.statuses[0], STORE_DONE);
    assert_int_equal(reading.statuses[ticket], STORE_PENDING);
    assert_int_equal(reading.attempts[ticket], 0);
    assert_int_equal(reading.statuses[below], STORE_PENDING);
    bench_end(&bench);
}

static void what_was_skipped_stays_so_below_a_diverged_task(void **state)
{
    struct bench bench;
    struct reading reading;
    (void)state;
    bench_begin(&bench, WORK_GRID);
    int32_t ticket = task_at(bench.plan, 0, 1, CONTROL_NONE, 0);
    int32_t below = task_at(bench.plan, 0, 2, CONTROL_NONE, 0);
    int32_t control = task_at(bench.plan, 0, 1, CONTROL_REINIT, 1);
    finish(&bench, 0);
    finish(&bench, ticket);
    write_off(&bench, below, STORE_SKIPPED);   /* its parent is done: nobody knows why */
    write_off(&bench, control, STORE_SKIPPED); /* so is this one's */
    read_all(&bench, true, &reading);
    assert_int_equal(reading.statuses[below], STORE_PENDING);
    assert_int_equal(reading.statuses[control], STORE_PENDING);
    bench_end(&bench);
}

/* Its blocks would be read into memory of another size. */
static void a_store_with_another_network_is_refused(void **state)
{
    struct bench bench;
    struct error err = {0};
    (void)state;
    bench_begin(&bench, "architecture: lenet-12-8\n" DIGITS);
    struct plan *plan = plan_of("architecture: lenet-14-8\n" DIGITS);
    bench_check(work_take_places(bench.plan, bench.store, &err) != 0, &err);
    assert_int_equal(work_take_places(plan, bench.store, &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.text, "is not the grid's"));
    plan_drop(plan);
    bench_end(&bench);
}

static void labels(void **state)
{
    char text[32];
    (void)state;
    work_task_label(&(struct plan_task){.level = 0}, text, sizeof text);
    assert_string_equal(text, "dense");
    work_task_label(&(struct plan_task){.level = 2}, text, sizeof text);
    assert_string_equal(text, "ticket");
    work_task_label(&(struct plan_task){.level = 2, .control = CONTROL_REINIT, .draw = 3}, text,
                    sizeof text);
    assert_string_equal(text, "reinit 3");
}

static void the_fake_executor_reads_its_description(void **state)
{
    struct bench bench;
    struct executor executor;
    struct error err = {0};
    (void)state;
    bench_begin(&bench, WORK_GRID);
    static const char *const wrong[] = {"sleep", "fail=1", "fail=1:2x", "secs=1", "crash=:3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(
            executor_create_fake(&executor, wrong[i], bench.plan, bench.store, getpid(), &err), -1);
        assert_int_equal(err.class, ERROR_USAGE);
        assert_non_null(strstr(err.text, wrong[i]));
    }
    struct work_outcome outcome;
    bench_check(executor_create_fake(&executor, "seconds=0  fail=0:2", bench.plan, bench.store,
                                     getpid(), &err) != 0,
                &err);
    const enum work_status expected[] = {WORK_FAILED, WORK_FAILED, WORK_DONE};
    for (uint8_t attempt = 1; attempt <= 3; attempt++) {
        bench_check(store_write_attempts(bench.store, 0, attempt, &err) != 0, &err);
        bench_check(executor.run(executor.self, 0, NULL, &outcome, &err) != 0, &err);
        assert_int_equal(outcome.status, expected[attempt - 1]);
    }
    /* Before its parent's row is there, a task fails. */
    bench_check(executor.run(executor.self, 1, NULL, &outcome, &err) != 0, &err);
    assert_int_equal(outcome.status, WORK_FAILED);
    executor.destroy(executor.self);
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_store_has_everything_to_do),
        cmocka_unit_test(a_torn_result_is_pending_again),
        cmocka_unit_test(failures_are_kept_until_a_run_begins),
        cmocka_unit_test(what_was_skipped_stays_so_below_a_diverged_task),
        cmocka_unit_test(a_store_with_another_network_is_refused),
        cmocka_unit_test(labels),
        cmocka_unit_test(the_fake_executor_reads_its_description),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
