/* The scheduler when workers die, fall silent or come back, and when tasks fail or diverge. */
#include "sched_support.h"

/* --- workers that die, fall silent and come back --- */

static void test_late_result_is_refused(void **state)
{
    (void)state;
    struct sched *sched = create(one, 1, 2);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    for (double now = 3; now <= 12; now += 3)
        assert_true(hear(sched, now, 1, -1, 0));
    assert_action(sched, SCHED_PRESUME_DEAD, 0, 0);
    assert_nothing(sched);
    assert_false(hear(sched, 13, 0, 0, 50));
    assert_false(tell(sched, SCHED_TASK_DONE, 13, 0, 0)); /* not given out again yet */
    tell(sched, SCHED_WORKER_READY, 13, 1, -1);
    assert_hand_out(sched, 1, 0, 2);
    assert_false(tell(sched, SCHED_TASK_DONE, 14, 0, 0));
    assert_false(tell(sched, SCHED_TASK_FAILED, 14, 0, 0));
    assert_int_equal(sched_task_state(sched, 0), TASK_RUNNING);
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_TASK_DONE, 15, 1, 0));
    assert_false(tell(sched, SCHED_TASK_DONE, 15, 1, 0));
    assert_int_equal(sched_task_state(sched, 0), TASK_DONE);
    sched_destroy(sched);
}

static void test_silent_worker_comes_back(void **state)
{
    (void)state;
    struct sched *sched = create(one, 1, 2);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    for (double now = 3; now <= 12; now += 3)
        hear(sched, now, 1, -1, 0);
    assert_action(sched, SCHED_PRESUME_DEAD, 0, 0);
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_WORKER_READY, 13, 0, -1));
    assert_hand_out(sched, 0, 0, 2);
    assert_true(tell(sched, SCHED_TASK_DONE, 14, 0, 0));
    sched_destroy(sched);
}

static void test_standing_still_is_silence(void **state)
{
    (void)state;
    struct sched *sched = create(one, 1, 1);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    assert_false(hear(sched, 1, 0, -1, 0)); /* sent before the task arrived */
    assert_true(hear(sched, 8, 0, 0, 0));
    assert_true(hear(sched, 16, 0, 0, 100));
    assert_false(hear(sched, 22, 0, 0, 100));
    assert_nothing(sched);
    assert_false(hear(sched, 26.5, 0, 0, 100));
    assert_action(sched, SCHED_PRESUME_DEAD, 0, 0);
    sched_destroy(sched);
}

static void test_idle_workers_are_watched(void **state)
{
    (void)state;
    struct sched *sched = create(one, 1, 3);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    tell(sched, SCHED_WORKER_READY, 0, 1, -1);
    assert_hand_out(sched, 0, 0, 1);
    for (double now = 5; now <= 15; now += 5)
        assert_true(hear(sched, now, 0, 0, now));
    assert_action(sched, SCHED_PRESUME_DEAD, 2, -1); /* it never asked */
    assert_action(sched, SCHED_PRESUME_DEAD, 1, -1);
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_TASK_FAILED, 16, 0, 0));
    assert_nothing(sched); /* not for the dead */
    sched_destroy(sched);
}

/* A master that was stopped for an hour must not conclude that everybody else is dead. */
static void test_own_absence(void **state)
{
    (void)state;
    struct sched *sched = create(one, 1, 1);
    tell(sched, SCHED_WORKER_READY, 1000, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    tell(sched, SCHED_TICK, 4600, -1, -1);
    assert_nothing(sched);
    assert_true(hear(sched, 4601, 0, 0, 5));
    tell(sched, SCHED_TICK, 4609, -1, -1);
    assert_nothing(sched);
    tell(sched, SCHED_TICK, 4612, -1, -1);
    assert_action(sched, SCHED_PRESUME_DEAD, 0, 0);
    sched_destroy(sched);
}

static void test_no_bound_no_silence(void **state)
{
    (void)state;
    const struct sched_limits limits = {.max_attempts = 3, .silence = 0};
    struct sched *sched = sched_create(one, 1, 1, limits, NULL);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    tell(sched, SCHED_TICK, 1e9, -1, -1);
    assert_nothing(sched);
    sched_destroy(sched);
}

static void test_loss_is_an_attempt(void **state)
{
    (void)state;
    struct sched *sched = create(one, 1, 2);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    assert_true(tell(sched, SCHED_WORKER_LOST, 1, 0, -1));
    assert_false(tell(sched, SCHED_WORKER_LOST, 1, 0, -1));
    assert_nothing(sched);
    tell(sched, SCHED_WORKER_READY, 2, 1, -1);
    assert_hand_out(sched, 1, 0, 2);
    tell(sched, SCHED_WORKER_READY, 3, 1, -1); /* it was started anew and knows of no task */
    assert_hand_out(sched, 1, 0, 3);
    tell(sched, SCHED_WORKER_LOST, 4, 1, -1);
    assert_write_off(sched, 0, TASK_FAILED);
    assert_action(sched, SCHED_FINISHED, -1, -1);
    sched_destroy(sched);
}

/* With nobody left the launch is over; who comes back after that is sent home. */
static void test_all_workers_dead(void **state)
{
    (void)state;
    struct sched *sched = create(one, 1, 1);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    tell(sched, SCHED_WORKER_LOST, 1, 0, -1);
    assert_action(sched, SCHED_FINISHED, -1, -1);
    struct sched_counts counts;
    sched_counts(sched, &counts);
    assert_int_equal(counts.left, 1);
    assert_int_equal(counts.live_workers, 0);
    tell(sched, SCHED_WORKER_READY, 2, 0, -1);
    assert_action(sched, SCHED_DISMISS_WORKER, 0, -1);
    assert_action(sched, SCHED_FINISHED, -1, -1);
    sched_destroy(sched);
}

static void test_nonsense_is_ignored(void **state)
{
    (void)state;
    struct sched *sched = create(one, 1, 1);
    assert_false(tell(sched, SCHED_WORKER_READY, 0, 1, -1));
    assert_false(tell(sched, SCHED_WORKER_READY, 0, -1, -1));
    assert_false(tell(sched, SCHED_TASK_DONE, 0, 0, 0));
    assert_false(tell(sched, SCHED_TASK_DONE, 0, 0, -1));
    assert_false(tell(sched, SCHED_TASK_INTERRUPTED, 0, 0, 77));
    assert_nothing(sched);
    assert_int_equal(sched_task_state(sched, 0), TASK_READY);
    sched_destroy(sched);
}

/* --- failures --- */

/* 0 -> {1 -> 2, 3}, and 4 alone */
static const struct sched_task family[] = {
    {-1, 5, TASK_READY, 0},  {0, 1, TASK_WAITING, 0}, {1, 1, TASK_WAITING, 0},
    {0, 1, TASK_WAITING, 0}, {-1, 1, TASK_READY, 0},
};

static void test_failure_is_retried_then_written_off(void **state)
{
    (void)state;
    struct sched *sched = create(family, 5, 1);
    for (int32_t attempt = 1; attempt <= 3; attempt++) {
        tell(sched, SCHED_WORKER_READY, attempt, 0, -1);
        assert_hand_out(sched, 0, 0, attempt);
        assert_true(tell(sched, SCHED_TASK_FAILED, attempt, 0, 0));
    }
    assert_write_off(sched, 0, TASK_FAILED);
    assert_write_off(sched, 1, TASK_UNREACHABLE);
    assert_write_off(sched, 3, TASK_UNREACHABLE);
    assert_write_off(sched, 2, TASK_UNREACHABLE);
    assert_nothing(sched);
    tell(sched, SCHED_WORKER_READY, 5, 0, -1);
    assert_hand_out(sched, 0, 4, 1); /* the rest goes on */
    assert_true(tell(sched, SCHED_TASK_DONE, 6, 0, 4));
    tell(sched, SCHED_WORKER_READY, 6, 0, -1);
    assert_action(sched, SCHED_DISMISS_WORKER, 0, -1);
    assert_action(sched, SCHED_FINISHED, -1, -1);
    sched_destroy(sched);
}

static void test_below_diverged_is_skipped(void **state)
{
    (void)state;
    struct sched *sched = create(family, 5, 1);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    assert_true(tell(sched, SCHED_TASK_DIVERGED, 1, 0, 0));
    assert_int_equal(sched_task_state(sched, 0), TASK_DIVERGED);
    assert_write_off(sched, 1, TASK_SKIPPED);
    assert_write_off(sched, 3, TASK_SKIPPED);
    assert_write_off(sched, 2, TASK_SKIPPED);
    assert_nothing(sched);
    sched_destroy(sched);
}

static bool fail_for_good(struct sched *sched, double now, int32_t worker, int32_t task)
{
    return sched_event(sched, &(struct sched_event){.kind = SCHED_TASK_FAILED,
                                                    .now = now,
                                                    .worker = worker,
                                                    .task = task,
                                                    .is_final = true});
}

/* It has tries left, and what is below it goes with it. */
static void test_final_failure_is_written_off_at_once(void **state)
{
    (void)state;
    struct sched *sched = create(family, 5, 1);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    assert_false(fail_for_good(sched, 1, 0, 4)); /* not its task */
    assert_true(fail_for_good(sched, 1, 0, 0));
    assert_write_off(sched, 0, TASK_FAILED);
    assert_write_off(sched, 1, TASK_UNREACHABLE);
    assert_write_off(sched, 3, TASK_UNREACHABLE);
    assert_write_off(sched, 2, TASK_UNREACHABLE);
    tell(sched, SCHED_WORKER_READY, 1, 0, -1);
    assert_hand_out(sched, 0, 4, 1);
    sched_destroy(sched);
}

/* A stop takes running attempts off; a failure that comes all the same counts. */
static void test_final_failure_while_stopping(void **state)
{
    (void)state;
    struct sched *sched = create(one, 1, 1);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    tell(sched, SCHED_STOP, 1, -1, -1);
    assert_write(sched, 0, 0);
    assert_true(fail_for_good(sched, 2, 0, 0));
    struct sched_action action;
    assert_true(sched_next(sched, &action));
    assert_int_equal(action.kind, SCHED_WRITE_OFF);
    assert_int_equal(action.attempts, 1);
    sched_destroy(sched);
}

/* --- elsewhere --- */

/* By urgency: 0, 1, 2. */
static const struct sched_task three[] = {
    {-1, 3, TASK_READY, 0}, {-1, 2, TASK_READY, 0}, {-1, 1, TASK_READY, 0}};

static void test_another_idle_worker_takes_what_failed(void **state)
{
    (void)state;
    struct sched *sched = create(one, 1, 2);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    tell(sched, SCHED_TASK_FAILED, 1, 0, 0);
    tell(sched, SCHED_WORKER_READY, 1, 0, -1);
    tell(sched, SCHED_WORKER_READY, 1, 1, -1); /* idle for less long */
    assert_hand_out(sched, 1, 0, 2);
    sched_destroy(sched);
}

static void test_a_worker_takes_the_next_task_after_a_failure(void **state)
{
    (void)state;
    struct sched *sched = create(three, 3, 2);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    tell(sched, SCHED_TASK_FAILED, 1, 0, 0);
    tell(sched, SCHED_WORKER_READY, 1, 0, -1);
    assert_hand_out(sched, 0, 1, 1);
    tell(sched, SCHED_WORKER_READY, 2, 1, -1);
    assert_hand_out(sched, 1, 0, 2);
    /* Its next failure was elsewhere: the first worker may have it again. */
    tell(sched, SCHED_TASK_FAILED, 3, 1, 0);
    tell(sched, SCHED_TASK_DONE, 3, 0, 1);
    tell(sched, SCHED_WORKER_READY, 3, 0, -1);
    assert_hand_out(sched, 0, 0, 3);
    sched_destroy(sched);
}

/* One that was lost with its worker, which comes back, is left to others as well. */
static void test_a_lost_task_goes_elsewhere(void **state)
{
    (void)state;
    struct sched *sched = create(three, 3, 2);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    tell(sched, SCHED_WORKER_LOST, 1, 0, -1);
    tell(sched, SCHED_WORKER_READY, 2, 0, -1);
    assert_hand_out(sched, 0, 1, 1);
    tell(sched, SCHED_WORKER_READY, 2, 1, -1);
    assert_hand_out(sched, 1, 0, 2);
    sched_destroy(sched);
}

static void test_without_a_choice_the_same_worker_tries_again(void **state)
{
    (void)state;
    /* Nothing else is ready. */
    struct sched *sched = create(one, 1, 2);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    tell(sched, SCHED_TASK_FAILED, 1, 0, 0);
    tell(sched, SCHED_WORKER_READY, 1, 0, -1);
    assert_hand_out(sched, 0, 0, 2);
    sched_destroy(sched);
    /* No other worker lives. */
    sched = create(three, 3, 2);
    tell(sched, SCHED_WORKER_LOST, 0, 1, -1);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    tell(sched, SCHED_TASK_FAILED, 1, 0, 0);
    tell(sched, SCHED_WORKER_READY, 1, 0, -1);
    assert_hand_out(sched, 0, 0, 2);
    sched_destroy(sched);
    /* The next task failed there, too. */
    sched = create(three, 2, 2);
    for (int32_t task = 0; task < 2; task++) {
        tell(sched, SCHED_WORKER_READY, task, 0, -1);
        assert_hand_out(sched, 0, task, 1);
        tell(sched, SCHED_TASK_FAILED, task, 0, task);
    }
    tell(sched, SCHED_WORKER_READY, 2, 0, -1);
    assert_hand_out(sched, 0, 0, 2);
    sched_destroy(sched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_result_is_refused),
        cmocka_unit_test(test_silent_worker_comes_back),
        cmocka_unit_test(test_standing_still_is_silence),
        cmocka_unit_test(test_idle_workers_are_watched),
        cmocka_unit_test(test_own_absence),
        cmocka_unit_test(test_no_bound_no_silence),
        cmocka_unit_test(test_loss_is_an_attempt),
        cmocka_unit_test(test_all_workers_dead),
        cmocka_unit_test(test_nonsense_is_ignored),
        cmocka_unit_test(test_failure_is_retried_then_written_off),
        cmocka_unit_test(test_below_diverged_is_skipped),
        cmocka_unit_test(test_final_failure_is_written_off_at_once),
        cmocka_unit_test(test_final_failure_while_stopping),
        cmocka_unit_test(test_another_idle_worker_takes_what_failed),
        cmocka_unit_test(test_a_worker_takes_the_next_task_after_a_failure),
        cmocka_unit_test(test_a_lost_task_goes_elsewhere),
        cmocka_unit_test(test_without_a_choice_the_same_worker_tries_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
