/* Messages between ranks: what arrives is what was sent, and nonsense is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/dist/wire.h"

#define TASKS 10

static void reports_are_valid_as_made(void **state)
{
    struct work_outcome outcome = {
        .status = WORK_FAILED, .digest = 7, .seconds = 1.5, .result.status = STORE_FAILED};
    struct error err = {.class = ERROR_INTERNAL};
    (void)state;
    memset(err.text, 'x', sizeof err.text - 1); /* longer than a report holds */
    outcome.result.weights_remaining = 42;
    const struct report reports[] = {report_ready(), report_alive(3, 17.0), report_alive(-1, 0),
                                     report_outcome(9, &outcome), report_broken(&err)};
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
        assert_true(report_is_valid(&reports[i], report_size(reports[i].kind), TASKS));
    assert_int_equal(reports[3].task, 9);
    assert_int_equal(reports[3].status, WORK_FAILED);
    assert_int_equal(reports[3].digest, 7);
    assert_int_equal(reports[3].result.weights_remaining, 42);
    assert_int_equal(strlen(reports[4].text), WIRE_TEXT_SIZE - 1);
}

static void heartbeats_are_short(void **state)
{
    (void)state;
    assert_int_equal(report_size(REPORT_ALIVE), 40);
    assert_int_equal(report_size(REPORT_READY), 40);
    assert_int_equal(report_size(REPORT_OUTCOME), sizeof(struct report));
}

static void nonsense_is_no_report(void **state)
{
    struct work_outcome outcome = {.status = WORK_DONE, .result.status = STORE_DONE};
    (void)state;
    struct report report = report_outcome(TASKS, &outcome);
    assert_false(report_is_valid(&report, sizeof report, TASKS));
    report = report_outcome(-1, &outcome);
    assert_false(report_is_valid(&report, sizeof report, TASKS));
    report = report_outcome(1, &outcome);
    assert_true(report_is_valid(&report, sizeof report, TASKS));
    assert_false(report_is_valid(&report, sizeof report - 1, TASKS));
    assert_false(report_is_valid(&report, 4, TASKS));
    report.status = 4;
    assert_false(report_is_valid(&report, sizeof report, TASKS));
    report = report_alive(1, 2);
    assert_false(report_is_valid(&report, sizeof report, TASKS));
    report.kind = 9;
    assert_false(report_is_valid(&report, 40, TASKS));
    report = report_broken(&(struct error){0});
    report.status = ERROR_INTERNAL + 1; /* no class of errors */
    assert_false(report_is_valid(&report, sizeof report, TASKS));
    report.status = ERROR_STORAGE;
    assert_true(report_is_valid(&report, sizeof report, TASKS));
    memset(report.text, 'x', sizeof report.text); /* not terminated */
    assert_false(report_is_valid(&report, sizeof report, TASKS));
}

/* A result row goes into the store as it came. */
static void a_row_that_the_store_does_not_know_is_no_report(void **state)
{
    struct work_outcome outcome = {.status = WORK_DONE, .result = store_result_pending()};
    (void)state;
    outcome.result.status = STORE_DONE;
    const struct report fine = report_outcome(1, &outcome);
    assert_true(report_is_valid(&fine, sizeof fine, TASKS));
    for (int32_t status = -1; status <= 77; status++) {
        struct report report = fine;
        report.result.status = status;
        assert_int_equal(report_is_valid(&report, sizeof report, TASKS), status == STORE_DONE);
        report.status = WORK_DIVERGED;
        assert_int_equal(report_is_valid(&report, sizeof report, TASKS), status == STORE_DIVERGED);
        report.status = WORK_FAILED;
        assert_int_equal(report_is_valid(&report, sizeof report, TASKS), status == STORE_FAILED);
    }
    struct report report = fine;
    report.result.reason = STORE_REASON_COUNT;
    assert_false(report_is_valid(&report, sizeof report, TASKS));
    report.result.reason = -1;
    assert_false(report_is_valid(&report, sizeof report, TASKS));
    report = fine;
    memset(report.result.message, 'x', sizeof report.result.message); /* not terminated */
    assert_false(report_is_valid(&report, sizeof report, TASKS));
}

static void orders(void **state)
{
    (void)state;
    const struct order fine[] = {order_task(0), order_task(TASKS - 1), order_of(ORDER_STOP),
                                 order_of(ORDER_ALIVE), order_leave(true)};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        assert_true(order_is_valid(&fine[i], sizeof fine[i], TASKS));
    assert_true(order_leave(true).together);
    assert_false(order_leave(false).together);
    struct order wrong = order_task(TASKS);
    assert_false(order_is_valid(&wrong, sizeof wrong, TASKS));
    wrong = order_of(ORDER_STOP);
    assert_false(order_is_valid(&wrong, sizeof wrong + 1, TASKS));
    wrong.kind = 0;
    assert_false(order_is_valid(&wrong, sizeof wrong, TASKS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_are_valid_as_made),
        cmocka_unit_test(heartbeats_are_short),
        cmocka_unit_test(nonsense_is_no_report),
        cmocka_unit_test(a_row_that_the_store_does_not_know_is_no_report),
        cmocka_unit_test(orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
