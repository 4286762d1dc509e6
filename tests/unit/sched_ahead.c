/* Tasks that are sent ahead: to whom, when, and what becomes of them when their worker is lost,
 * stopped, or cannot take them. */
#include "sched_support.h"

#define AHEAD 2.0

/* No task is below another. The first takes as many seconds as it costs, so that all should. */
static const struct sched_task alone[] = {
    {-1, 9, TASK_READY, 0}, {-1, 1, TASK_READY, 0}, {-1, 1, TASK_READY, 0},
    {-1, 1, TASK_READY, 0}, {-1, 1, TASK_READY, 0}, {-1, 1, TASK_READY, 0},
};

static struct sched *create_ahead(const struct sched_task *tasks, int32_t count, int32_t workers)
{
    const struct sched_limits limits = {.max_attempts = 3, .silence = 10, .ahead = AHEAD};
    struct sched *sched = sched_create(tasks, count, workers, limits, NULL);
    assert_non_null(sched);
    return sched;
}

static bool end(struct sched *sched, double now, int32_t worker, int32_t task, double seconds)
{
    return sched_event(sched, &(struct sched_event){.kind = SCHED_TASK_DONE,
                                                    .now = now,
                                                    .worker = worker,
                                                    .task = task,
                                                    .seconds = seconds});
}

static bool hear_of(struct sched *sched, double now, int32_t worker, int32_t task, double progress,
                    double goal)
{
    return sched_event(sched, &(struct sched_event){.kind = SCHED_HEARD,
                                                    .now = now,
                                                    .worker = worker,
                                                    .task = task,
                                                    .progress = progress,
                                                    .goal = goal});
}

static void assert_ahead(struct sched *sched, int32_t worker, int32_t task, int32_t attempts)
{
    struct sched_action action;
    int32_t at_hand = sched_worker_task(sched, worker);
    assert_true(sched_next(sched, &action));
    assert_int_equal(action.kind, SCHED_SEND_AHEAD);
    assert_int_equal(action.worker, worker);
    assert_int_equal(action.task, task);
    assert_int_equal(action.attempts, attempts);
    assert_int_equal(sched_worker_task(sched, worker), at_hand);
}

/* Worker 0 does task 0, from 0 to 9 o'clock, and asks for another. */
static void finish_first(struct sched *sched)
{
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    assert_nothing(sched); /* how long it takes is not known */
    assert_true(end(sched, 9, 0, 0, 9));
    tell(sched, SCHED_WORKER_READY, 9, 0, -1);
}

/* Worker 0 of `workers` has task 1 at hand and task 2 next, task 0 is done; it is 9 o'clock. */
static struct sched *create_with_next(int32_t workers)
{
    struct sched *sched = create_ahead(alone, 6, workers);
    finish_first(sched);
    assert_hand_out(sched, 0, 1, 1);
    assert_ahead(sched, 0, 2, 1);
    assert_nothing(sched); /* one at most */
    return sched;
}

/* --- when --- */

static void test_short_tasks_follow_each_other(void **state)
{
    (void)state;
    struct sched *sched = create_with_next(1);
    struct sched_counts counts;
    for (int32_t task = 1; task < 5; task++) {
        sched_counts(sched, &counts);
        assert_int_equal(counts.running, 1); /* what has not begun is not running */
        assert_int_equal(counts.ready, 5 - task);
        assert_int_equal(counts.left, 6 - task);
        assert_true(end(sched, 9 + task, 0, task, 1));
        assert_int_equal(sched_worker_task(sched, 0), task + 1);
        if (task < 4)
            assert_ahead(sched, 0, task + 2, 1);
        assert_nothing(sched);
    }
    assert_true(end(sched, 20, 0, 5, 1));
    tell(sched, SCHED_WORKER_READY, 20, 0, -1);
    assert_action(sched, SCHED_DISMISS_WORKER, 0, -1);
    assert_action(sched, SCHED_FINISHED, -1, -1);
    sched_destroy(sched);
}

/* It goes at 2 iterations a second, from where an earlier launch left it. */
static void test_a_long_task_is_near_its_end_when_its_progress_says_so(void **state)
{
    (void)state;
    struct sched *sched = create_ahead(alone, 6, 1);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    for (int32_t second = 1; second <= 12; second++) {
        assert_true(hear_of(sched, second, 0, 0, 70 + 2 * second, 100));
        assert_nothing(sched);
    }
    assert_true(hear_of(sched, 13, 0, 0, 96, 100)); /* 2 seconds are left */
    assert_ahead(sched, 0, 1, 1);
    assert_nothing(sched);
    assert_true(hear_of(sched, 14, 0, 0, 98, 100));
    assert_nothing(sched);
    assert_true(end(sched, 15, 0, 0, 15));
    assert_int_equal(sched_worker_task(sched, 0), 1);
    sched_destroy(sched);
}

/* At 9 o'clock the worker begins a task that should take 5 seconds, and one is left. */
static struct sched *create_at_second(void)
{
    static const struct sched_task tasks[] = {
        {-1, 9, TASK_READY, 0}, {-1, 5, TASK_READY, 0}, {-1, 1, TASK_READY, 0}};
    struct sched *sched = create_ahead(tasks, 3, 1);
    finish_first(sched);
    assert_hand_out(sched, 0, 1, 1);
    return sched;
}

static void test_progress_goes_before_the_estimate(void **state)
{
    (void)state;
    struct sched *sched = create_at_second();
    assert_nothing(sched);
    hear_of(sched, 10, 0, 1, 10, 1000);
    hear_of(sched, 11, 0, 1, 20, 1000);
    hear_of(sched, 13, 0, 1, 40, 1000); /* by its cost it had one second left */
    assert_nothing(sched);
    sched_destroy(sched);
}

/* Without progress and at its expected end it is near. */
static void test_the_estimate_counts_from_the_hand_out(void **state)
{
    (void)state;
    struct sched *sched = create_at_second();
    hear(sched, 11, 0, 1, 10); /* of no known goal */
    assert_nothing(sched);
    hear(sched, 12, 0, 1, 20);
    assert_ahead(sched, 0, 2, 1);
    sched_destroy(sched);
}

static void test_ahead_of_ranks_that_are_seldom_heard(void **state)
{
    (void)state;
    assert_true(sched_ahead(60, 8) == 2);
    for (int32_t workers = 1; workers <= 100000; workers *= 10)
        assert_true(sched_ahead(60, workers) > sched_heartbeat(60, workers));
    assert_true(sched_ahead(0, 1) > sched_heartbeat(0, 1));
}

/* --- which, and to whom --- */

static void test_an_idle_worker_goes_first(void **state)
{
    (void)state;
    struct sched *sched = create_ahead(alone, 4, 2);
    finish_first(sched);
    tell(sched, SCHED_WORKER_READY, 9, 1, -1);
    assert_hand_out(sched, 0, 1, 1);
    assert_hand_out(sched, 1, 2, 1);
    assert_ahead(sched, 0, 3, 1);
    assert_nothing(sched);
    sched_destroy(sched);
}

/* 0 -> 1 -> 2, and tasks alone */
static const struct sched_task chain[] = {
    {-1, 1, TASK_READY, 0},   {0, 1, TASK_WAITING, 0},  {1, 1, TASK_WAITING, 0},
    {-1, 1.5, TASK_READY, 0}, {-1, 0.5, TASK_READY, 0},
};

/* What waits for the longest chain's task would wait for the worker's next as well. */
static void test_what_the_task_at_hand_leaves_goes_before_what_is_less_urgent(void **state)
{
    (void)state;
    struct sched *sched = create_ahead(chain, 5, 1);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    end(sched, 1, 0, 0, 1);
    tell(sched, SCHED_WORKER_READY, 1, 0, -1);
    assert_hand_out(sched, 0, 1, 1); /* below it is 1, ready is 1.5 */
    assert_ahead(sched, 0, 3, 1);
    end(sched, 2, 0, 1, 1);
    assert_ahead(sched, 0, 2, 1);
    end(sched, 3.5, 0, 3, 1.5);
    assert_ahead(sched, 0, 4, 1);
    sched_destroy(sched);

    sched = create_ahead(chain, 3, 2);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 0, 1);
    assert_nothing(sched);
    sched_destroy(sched);
}

static void test_a_long_chain_is_not_held_up(void **state)
{
    (void)state;
    const struct sched_task tasks[] = {
        {-1, 1, TASK_READY, 0},  {0, 1, TASK_WAITING, 0}, {1, 1, TASK_WAITING, 0},
        {2, 1, TASK_WAITING, 0}, {-1, 1, TASK_READY, 0},
    };
    struct sched *sched = create_ahead(tasks, 5, 1);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    for (int32_t task = 0; task < 2; task++) {
        assert_hand_out(sched, 0, task, 1);
        assert_nothing(sched);
        end(sched, task + 1, 0, task, 1);
        tell(sched, SCHED_WORKER_READY, task + 1, 0, -1);
    }
    assert_hand_out(sched, 0, 2, 1);
    assert_ahead(sched, 0, 4, 1); /* as urgent as what task 2 leaves */
    sched_destroy(sched);
}

static void test_what_failed_is_not_sent_ahead_to_the_same_worker(void **state)
{
    (void)state;
    struct sched *sched = create_with_next(2);
    assert_true(tell(sched, SCHED_TASK_FAILED, 10, 0, 1));
    assert_int_equal(sched_worker_task(sched, 0), 2); /* it goes on all the same */
    assert_ahead(sched, 0, 3, 1);                     /* not 1, though its number is lower */
    tell(sched, SCHED_WORKER_READY, 10, 1, -1);
    assert_hand_out(sched, 1, 1, 2);
    sched_destroy(sched);
}

/* --- workers that are lost --- */

static void test_a_dead_workers_next_is_nobodys_attempt(void **state)
{
    (void)state;
    struct sched *sched = create_with_next(2);
    assert_true(tell(sched, SCHED_WORKER_LOST, 10, 0, -1));
    assert_write(sched, 2, 0);
    assert_nothing(sched);
    assert_int_equal(sched_task_state(sched, 2), TASK_READY);
    tell(sched, SCHED_WORKER_READY, 10, 1, -1);
    assert_hand_out(sched, 1, 1, 2);
    assert_ahead(sched, 1, 2, 1);
    assert_false(end(sched, 11, 0, 1, 1)); /* the dead one's, late */
    assert_false(end(sched, 11, 0, 2, 1));
    assert_true(end(sched, 11, 1, 1, 1));
    assert_true(end(sched, 11, 1, 2, 1));
    sched_destroy(sched);
}

static void test_a_silent_workers_next_goes_back(void **state)
{
    (void)state;
    struct sched *sched = create_with_next(2);
    for (double now = 12; now < 20; now += 4)
        assert_true(hear(sched, now, 1, -1, 0));
    tell(sched, SCHED_TICK, 19.5, -1, -1);
    assert_action(sched, SCHED_PRESUME_DEAD, 0, 1);
    assert_write(sched, 2, 0);
    assert_false(hear(sched, 20, 0, 2, 5)); /* it began it, and does not have it any more */
    tell(sched, SCHED_WORKER_READY, 20, 0, -1);
    assert_hand_out(sched, 0, 2, 1); /* 1 came to nothing there */
    sched_destroy(sched);
}

static void test_one_that_asks_has_lost_its_task_and_not_begun_its_next(void **state)
{
    (void)state;
    struct sched *sched = create_with_next(1);
    assert_true(tell(sched, SCHED_WORKER_READY, 10, 0, -1));
    assert_write(sched, 2, 0);
    assert_hand_out(sched, 0, 1, 2);
    assert_ahead(sched, 0, 2, 1);
    sched_destroy(sched);
}

/* --- stops, and what cannot be sent --- */

static void test_a_stop_takes_both_off(void **state)
{
    (void)state;
    struct sched *sched = create_with_next(1);
    assert_true(tell(sched, SCHED_STOP, 9.5, -1, -1));
    assert_write(sched, 1, 0);
    assert_write(sched, 2, 0);
    assert_true(tell(sched, SCHED_TASK_INTERRUPTED, 10, 0, 1));
    assert_int_equal(sched_worker_task(sched, 0), 2);
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_TASK_INTERRUPTED, 10, 0, 2));
    tell(sched, SCHED_WORKER_READY, 10, 0, -1);
    assert_action(sched, SCHED_DISMISS_WORKER, 0, -1);
    assert_action(sched, SCHED_FINISHED, -1, -1);
    for (int32_t task = 1; task < 6; task++)
        assert_int_equal(sched_task_state(sched, task), TASK_READY);
    sched_destroy(sched);
}

/* It was quicker than the stop, and its next one fails by itself. */
static void test_results_after_a_stop_count(void **state)
{
    (void)state;
    struct sched *sched = create_with_next(1);
    tell(sched, SCHED_STOP, 9.5, -1, -1);
    assert_write(sched, 1, 0);
    assert_write(sched, 2, 0);
    assert_true(end(sched, 10, 0, 1, 1));
    assert_nothing(sched); /* nothing more is sent ahead */
    assert_true(tell(sched, SCHED_TASK_FAILED, 10, 0, 2));
    assert_write(sched, 2, 1);
    assert_int_equal(sched_task_state(sched, 1), TASK_DONE);
    sched_destroy(sched);
}

static void test_what_cannot_be_sent_waits_for_the_next_sign_of_life(void **state)
{
    (void)state;
    struct sched *sched = create_with_next(1);
    assert_false(end(sched, 9, 0, 2, 1)); /* it has not begun it */
    assert_true(tell(sched, SCHED_TASK_INTERRUPTED, 9, 0, 2));
    assert_int_equal(sched_worker_task(sched, 0), 1);
    assert_write(sched, 2, 0);
    assert_nothing(sched);
    hear(sched, 9.5, 0, 1, 1);
    assert_ahead(sched, 0, 2, 1);
    sched_destroy(sched);
}

static void test_a_limit_that_makes_no_sense(void **state)
{
    (void)state;
    struct error err = {0};
    const struct sched_limits limits = {.max_attempts = 1, .ahead = -1};
    assert_null(sched_create(one, 1, 1, limits, &err));
    assert_int_equal(err.class, ERROR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_tasks_follow_each_other),
        cmocka_unit_test(test_a_long_task_is_near_its_end_when_its_progress_says_so),
        cmocka_unit_test(test_progress_goes_before_the_estimate),
        cmocka_unit_test(test_the_estimate_counts_from_the_hand_out),
        cmocka_unit_test(test_ahead_of_ranks_that_are_seldom_heard),
        cmocka_unit_test(test_an_idle_worker_goes_first),
        cmocka_unit_test(test_what_the_task_at_hand_leaves_goes_before_what_is_less_urgent),
        cmocka_unit_test(test_a_long_chain_is_not_held_up),
        cmocka_unit_test(test_what_failed_is_not_sent_ahead_to_the_same_worker),
        cmocka_unit_test(test_a_dead_workers_next_is_nobodys_attempt),
        cmocka_unit_test(test_a_silent_workers_next_goes_back),
        cmocka_unit_test(test_one_that_asks_has_lost_its_task_and_not_begun_its_next),
        cmocka_unit_test(test_a_stop_takes_both_off),
        cmocka_unit_test(test_results_after_a_stop_count),
        cmocka_unit_test(test_what_cannot_be_sent_waits_for_the_next_sign_of_life),
        cmocka_unit_test(test_a_limit_that_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
