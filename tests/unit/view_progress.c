/* The progress line at several widths, and when lines are printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those before it. */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/view.h"

static const struct progress_worker workers[] = {
    {.task = 7, .level = 3, .iteration = 620, .iterations = 1000, .what = "ticket"},
    {.task = 9, .level = 2, .iteration = 109, .iterations = 1000, .what = "reinit 1"},
    {.task = -1},
    {.task = 1, .level = 0, .iteration = 999.9, .iterations = 1000, .what = "dense"},
};

static struct progress halfway(void)
{
    return (struct progress){
        .total = 120,
        .done = 34,
        .running = 3,
        .left = 86,
        .elapsed = 100,
        .seconds_left = 245,
        .iterations_a_second = 3412.4,
        .worker_count = 4,
        .workers = workers,
    };
}

/* What is drawn for a sequence of states; destroyed at the end. The caller frees it. */
static char *drawn(enum view_progress_mode mode, int columns, const struct progress *states,
                   int count)
{
    char *text = NULL;
    size_t length = 0;
    struct error err = {0};
    FILE *out = open_memstream(&text, &length);
    struct view_progress *view = view_progress_create(mode, columns, out, &err);
    assert_non_null(view);
    for (int i = 0; i < count; i++)
        view_progress_show(view, &states[i]);
    view_progress_destroy(view);
    fclose(out);
    return text;
}

static void assert_drawn(enum view_progress_mode mode, int columns, const struct progress *states,
                         int count, const char *expected)
{
    char *text = drawn(mode, columns, states, count);
    assert_string_equal(text, expected);
    free(text);
}

static void test_live_line_at_three_widths(void **state)
{
    (void)state;
    const struct progress now = halfway();
    assert_drawn(VIEW_LIVE, 40, &now, 1, "\r[##........] 34/120 done, 3 running\033[K\n");
    assert_drawn(VIEW_LIVE, 80, &now, 1,
                 "\r[##........] 34/120 done, 3 running | 3,412 it/s | 4 min 5 s left\033[K\n");
    assert_drawn(VIEW_LIVE, 200, &now, 1,
                 "\r[##........] 34/120 done, 3 running | 3,412 it/s | 4 min 5 s left | "
                 "w1 ticket L3 62% w2 reinit 1 L2 10% w3 idle w4 dense 99%\033[K\n");
}

/* The cursor must never reach the last column, or the terminal wraps and lines pile up. */
static void test_live_line_never_fills_the_terminal(void **state)
{
    (void)state;
    const struct progress now = halfway();
    for (int columns = 30; columns < 160; columns++) {
        char *text = drawn(VIEW_LIVE, columns, &now, 1);
        size_t visible = strlen(text) - strlen("\r\033[K\n");
        assert_true(visible < (size_t)columns);
        free(text);
    }
}

static void test_what_went_wrong_fits_the_narrowest_terminal(void **state)
{
    (void)state;
    struct progress now = halfway();
    now.failed = 1;
    now.diverged = 2;
    now.skipped = 4;
    assert_drawn(VIEW_LIVE, 40, &now, 1, "\r[###.......] 34/120 done, 1 failed\033[K\n");
    assert_drawn(VIEW_LIVE, 80, &now, 1,
                 "\r[###.......] 34/120 done, 1 failed, 2 diverged, 4 skipped, 3 running\033[K\n");
}

/* Below a failed task: the next run tries them again, which skipped ones (below a diverged) are
 * not. */
static void test_unreachable_tasks_are_told_apart_from_skipped_ones(void **state)
{
    (void)state;
    struct progress now = halfway();
    now.failed = 1;
    now.unreachable = 14;
    assert_drawn(VIEW_LIVE, 80, &now, 1,
                 "\r[####......] 34/120 done, 1 failed, 14 unreachable, 3 running | "
                 "3,412 it/s\033[K\n");
}

static void test_unknown_rates_are_left_out(void **state)
{
    (void)state;
    struct progress now = halfway();
    now.seconds_left = now.iterations_a_second = NAN;
    now.worker_count = 1;
    assert_drawn(VIEW_LIVE, 80, &now, 1,
                 "\r[##........] 34/120 done, 3 running | w1 ticket L3 62%\033[K\n");
}

static void test_live_line_is_cleared_once(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length = 0;
    const struct progress now = halfway();
    FILE *out = open_memstream(&text, &length);
    struct view_progress *view = view_progress_create(VIEW_LIVE, 40, out, NULL);
    view_progress_clear(view);
    view_progress_show(view, &now);
    view_progress_clear(view);
    view_progress_clear(view);
    view_progress_destroy(view);
    fclose(out);
    assert_string_equal(text, "\r[##........] 34/120 done, 3 running\033[K\r\033[K");
    free(text);
}

static struct progress after(double elapsed, int32_t done)
{
    return (struct progress){
        .total = 100,
        .done = done,
        .running = done < 100,
        .left = 100 - done,
        .elapsed = elapsed,
        .seconds_left = NAN,
        .iterations_a_second = NAN,
    };
}

/* The first, then after ten seconds or a tenth of the tasks, and the last. */
static void test_lines_now_and_then(void **state)
{
    (void)state;
    const struct progress states[] = {
        after(0, 0),   after(1, 0),   after(9.9, 5),  after(10.5, 5),
        after(12, 9),  after(13, 10), after(14, 11),  after(23.5, 12),
        after(24, 99), after(25, 99), after(26, 100), after(26.5, 100),
    };
    assert_drawn(VIEW_LINES, 80, states, sizeof states / sizeof *states,
                 "[..........] 0/100 done, 1 running\n"
                 "[..........] 5/100 done, 1 running\n"
                 "[#.........] 10/100 done, 1 running\n"
                 "[#.........] 12/100 done, 1 running\n"
                 "[#########.] 99/100 done, 1 running\n"
                 "[##########] 100/100 done | took 26.0 s\n");
}

static void test_where_a_run_was_stopped_is_said(void **state)
{
    (void)state;
    const struct progress states[] = {after(0, 0), after(3, 4)};
    assert_drawn(VIEW_LINES, 80, states, 2,
                 "[..........] 0/100 done, 1 running\n"
                 "[..........] 4/100 done, 1 running\n");
}

static void test_quiet_is_quiet(void **state)
{
    (void)state;
    const struct progress states[] = {after(0, 0), after(100, 100)};
    assert_drawn(VIEW_QUIET, 80, states, 2, "");
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    const struct progress now = {.seconds_left = NAN, .iterations_a_second = NAN};
    assert_drawn(VIEW_LINES, 80, &now, 1, "[##########] 0/0 done | took 0.0 s\n");
    view_progress_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_line_at_three_widths),
        cmocka_unit_test(test_live_line_never_fills_the_terminal),
        cmocka_unit_test(test_what_went_wrong_fits_the_narrowest_terminal),
        cmocka_unit_test(test_unreachable_tasks_are_told_apart_from_skipped_ones),
        cmocka_unit_test(test_unknown_rates_are_left_out),
        cmocka_unit_test(test_live_line_is_cleared_once),
        cmocka_unit_test(test_lines_now_and_then),
        cmocka_unit_test(test_where_a_run_was_stopped_is_said),
        cmocka_unit_test(test_quiet_is_quiet),
        cmocka_unit_test(test_nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
