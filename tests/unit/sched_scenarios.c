/* The scheduler in the ordinary course, over what earlier launches left, and when it is stopped. */
#include "sched_support.h"

/* --- the ordinary course --- */

static void test_children_after_parents(void **state)
{
    (void)state;
    const struct sched_task tasks[] = {{-1, 1, TASK_READY, 0}, {0, 1, TASK_WAITING, 0}};
    struct sched *sched = create(tasks, 2, 2);
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_WORKER_READY, 0, 1, -1));
    assert_true(tell(sched, SCHED_WORKER_READY, 0, 0, -1));
    assert_hand_out(sched, 1, 0, 1);
    assert_nothing(sched);
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_TASK_DONE, 1, 1, 0));
    assert_int_equal(sched_worker_task(sched, 1), -1);
    assert_hand_out(sched, 0, 1, 1);
    assert_true(tell(sched, SCHED_WORKER_READY, 1, 1, -1));
    assert_nothing(sched); /* task 1 may yet come back */
    assert_true(tell(sched, SCHED_TASK_DONE, 2, 0, 1));
    assert_action(sched, SCHED_DISMISS_WORKER, 1, -1);
    assert_nothing(sched); /* worker 0 has not been told yet */
    assert_true(tell(sched, SCHED_WORKER_READY, 2, 0, -1));
    assert_action(sched, SCHED_DISMISS_WORKER, 0, -1);
    for (int i = 0; i < 3; i++)
        assert_action(sched, SCHED_FINISHED, -1, -1);
    sched_destroy(sched);
}

static void test_longest_chain_first(void **state)
{
    (void)state;
    const struct sched_task tasks[] = {
        {-1, 2, TASK_READY, 0}, /* alone */
        {-1, 1, TASK_READY, 0}, /* 1 -> 3 -> 4: 2.5 */
        {-1, 2, TASK_READY, 0}, /* as 0 */
        {1, 1, TASK_WAITING, 0}, {3, 0.5, TASK_WAITING, 0},
        {-1, 1, TASK_READY, 0}, /* the longer of two children: 3 */
        {5, 1, TASK_WAITING, 0}, {5, 2, TASK_WAITING, 0},
    };
    struct sched *sched = create(tasks, 8, 4);
    for (int32_t worker = 0; worker < 4; worker++)
        tell(sched, SCHED_WORKER_READY, 0, worker, -1);
    assert_hand_out(sched, 0, 5, 1);
    assert_hand_out(sched, 1, 1, 1);
    assert_hand_out(sched, 2, 0, 1);
    assert_hand_out(sched, 3, 2, 1);
    sched_destroy(sched);
}

/* What finished tasks took corrects the estimates: the tree that is slow goes first. */
static void test_slow_trees_first(void **state)
{
    (void)state;
    const struct sched_task tasks[] = {
        {-1, 10, TASK_READY, 0},
        {-1, 10, TASK_READY, 0},
        {0, 10, TASK_WAITING, 0},
        {1, 9, TASK_WAITING, 0},
    };
    struct sched *sched = create(tasks, 4, 2);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    tell(sched, SCHED_WORKER_READY, 0, 1, -1);
    assert_hand_out(sched, 0, 0, 1);
    assert_hand_out(sched, 1, 1, 1);
    sched_event(sched, &(struct sched_event){SCHED_TASK_DONE, 1, 0, 0, 0, .seconds = 1});
    sched_event(sched, &(struct sched_event){SCHED_TASK_DONE, 3, 1, 1, 0, .seconds = 3});
    tell(sched, SCHED_WORKER_READY, 3, 0, -1);
    assert_hand_out(sched, 0, 3, 1);
    sched_destroy(sched);
}

static void test_counts(void **state)
{
    (void)state;
    const struct sched_task tasks[] = {
        {-1, 4, TASK_DONE, 1},     {0, 2, TASK_WAITING, 0}, {1, 6, TASK_WAITING, 0},
        {-1, 1, TASK_READY, 0},    {-1, 1, TASK_FAILED, 3}, {4, 1, TASK_WAITING, 0},
        {-1, 1, TASK_DIVERGED, 1}, {6, 1, TASK_WAITING, 0},
    };
    struct sched *sched = create(tasks, 8, 2);
    struct sched_counts counts;
    sched_counts(sched, &counts);
    assert_int_equal(counts.total, 8);
    assert_int_equal(counts.done, 1);
    assert_int_equal(counts.diverged, 1);
    assert_int_equal(counts.failed, 1);
    assert_int_equal(counts.unreachable, 1);
    assert_int_equal(counts.skipped, 1);
    assert_int_equal(counts.ready, 2);
    assert_int_equal(counts.waiting, 1);
    assert_int_equal(counts.left, 3);
    assert_int_equal(counts.live_workers, 2);
    assert_true(counts.cost_left == 9 && counts.cost_done == 5);
    assert_true(counts.seconds_per_cost == 0 && isnan(counts.seconds_left));

    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_write_off(sched, 5, TASK_UNREACHABLE);
    assert_write_off(sched, 7, TASK_SKIPPED);
    assert_hand_out(sched, 0, 1, 1);
    sched_event(sched, &(struct sched_event){SCHED_TASK_DONE, 20, 0, 1, 0, .seconds = 20});
    sched_counts(sched, &counts);
    assert_true(counts.seconds_per_cost == 10 && counts.cost_left == 7);
    assert_true(counts.seconds_left == 60); /* the chain, not 70 / 2 */
    tell(sched, SCHED_WORKER_READY, 20, 0, -1);
    assert_hand_out(sched, 0, 2, 1);
    tell(sched, SCHED_WORKER_READY, 28, 1, -1);
    assert_hand_out(sched, 1, 3, 1);
    tell(sched, SCHED_TICK, 33, -1, -1);
    sched_counts(sched, &counts);
    assert_int_equal(counts.running, 2);
    assert_true(counts.seconds_left == 47);
    sched_destroy(sched);
}

/* --- what earlier launches left --- */

static void test_kept_results(void **state)
{
    (void)state;
    const struct sched_task tasks[] = {
        {-1, 1, TASK_DONE, 1},         {0, 1, TASK_WAITING, 1}, /* its turn, the second hand-out */
        {-1, 1, TASK_DIVERGED, 1},     {2, 1, TASK_SKIPPED, 0}, /* known: not written again */
        {3, 1, TASK_WAITING, 0},                                /* not known */
        {-1, 1, TASK_FAILED, 3},       {5, 1, TASK_UNREACHABLE, 0},
        {0, 0.5, TASK_UNREACHABLE, 0}, /* its parent was repaired */
        {1, 0.1, TASK_DONE, 1},        /* its parent is run again, it is not */
    };
    struct sched *sched = create(tasks, 9, 2);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    tell(sched, SCHED_WORKER_READY, 0, 1, -1);
    assert_write_off(sched, 4, TASK_SKIPPED);
    assert_hand_out(sched, 0, 1, 2);
    assert_hand_out(sched, 1, 7, 1);
    assert_nothing(sched);
    tell(sched, SCHED_TASK_DONE, 1, 0, 1);
    tell(sched, SCHED_TASK_DONE, 1, 1, 7);
    tell(sched, SCHED_WORKER_READY, 1, 0, -1);
    assert_action(sched, SCHED_DISMISS_WORKER, 0, -1);
    sched_destroy(sched);
}

static void test_kept_attempts_at_the_maximum(void **state)
{
    (void)state;
    const struct sched_task tasks[] = {
        {-1, 1, TASK_READY, 3},  {0, 1, TASK_WAITING, 0}, {-1, 1, TASK_READY, 2},
        {2, 1, TASK_WAITING, 3}, {3, 1, TASK_WAITING, 0},
    };
    struct sched *sched = create(tasks, 5, 1);
    assert_write_off(sched, 0, TASK_FAILED);
    assert_write_off(sched, 1, TASK_UNREACHABLE);
    assert_write_off(sched, 3, TASK_FAILED);
    assert_write_off(sched, 4, TASK_UNREACHABLE);
    assert_nothing(sched);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    assert_hand_out(sched, 0, 2, 3);
    assert_true(tell(sched, SCHED_TASK_FAILED, 1, 0, 2));
    assert_write_off(sched, 2, TASK_FAILED);
    assert_nothing(sched);
    sched_destroy(sched);
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    const struct sched_task done[] = {{-1, 1, TASK_DONE, 1}};
    for (int32_t count = 0; count <= 1; count++) {
        struct sched *sched = create(done, count, 1);
        assert_nothing(sched); /* the worker is yet to be told */
        tell(sched, SCHED_WORKER_READY, 0, 0, -1);
        assert_action(sched, SCHED_DISMISS_WORKER, 0, -1);
        assert_action(sched, SCHED_FINISHED, -1, -1);
        struct sched_counts counts;
        sched_counts(sched, &counts);
        assert_true(counts.left == 0 && counts.seconds_left == 0);
        sched_destroy(sched);
    }
}

/* --- stops --- */

static void test_stop(void **state)
{
    (void)state;
    const struct sched_task tasks[] = {
        {-1, 4, TASK_READY, 2}, {-1, 3, TASK_READY, 0},  {-1, 2, TASK_READY, 0},
        {-1, 1, TASK_READY, 0}, {0, 1, TASK_WAITING, 0},
    };
    struct sched *sched = create(tasks, 5, 5);
    for (int32_t worker = 0; worker < 3; worker++)
        tell(sched, SCHED_WORKER_READY, 0, worker, -1);
    assert_hand_out(sched, 0, 0, 3);
    assert_hand_out(sched, 1, 1, 1);
    assert_hand_out(sched, 2, 2, 1);
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_STOP, 1, -1, -1));
    assert_false(tell(sched, SCHED_STOP, 1, -1, -1));
    assert_write(sched, 0, 2); /* at once: the launch may be cut short */
    assert_write(sched, 1, 0);
    assert_write(sched, 2, 0);
    assert_nothing(sched);

    tell(sched, SCHED_WORKER_READY, 2, 3, -1);
    assert_action(sched, SCHED_DISMISS_WORKER, 3, -1); /* though task 3 is ready */
    assert_true(tell(sched, SCHED_TASK_INTERRUPTED, 2, 0, 0));
    assert_int_equal(sched_task_state(sched, 0), TASK_READY);
    assert_true(tell(sched, SCHED_TASK_DONE, 2, 1, 1)); /* it was quicker than the stop */
    assert_true(tell(sched, SCHED_WORKER_LOST, 2, 2, -1));
    assert_int_equal(sched_task_state(sched, 2), TASK_READY);
    tell(sched, SCHED_WORKER_READY, 2, 0, -1);
    tell(sched, SCHED_WORKER_READY, 2, 1, -1);
    assert_action(sched, SCHED_DISMISS_WORKER, 0, -1);
    assert_action(sched, SCHED_DISMISS_WORKER, 1, -1);
    assert_nothing(sched);
    tell(sched, SCHED_WORKER_LOST, 3, 4, -1);
    assert_action(sched, SCHED_FINISHED, -1, -1);
    sched_destroy(sched);
}

/* A task that fails by itself during a stop has been tried. */
static void test_failure_after_stop(void **state)
{
    (void)state;
    const struct sched_task tasks[] = {{-1, 2, TASK_READY, 2}, {-1, 1, TASK_READY, 0}};
    struct sched *sched = create(tasks, 2, 2);
    tell(sched, SCHED_WORKER_READY, 0, 0, -1);
    tell(sched, SCHED_WORKER_READY, 0, 1, -1);
    assert_hand_out(sched, 0, 0, 3);
    assert_hand_out(sched, 1, 1, 1);
    tell(sched, SCHED_STOP, 1, -1, -1);
    assert_true(tell(sched, SCHED_TASK_FAILED, 1, 0, 0)); /* before the refund was written */
    assert_write_off(sched, 0, TASK_FAILED);
    assert_write(sched, 1, 0);
    assert_true(tell(sched, SCHED_TASK_FAILED, 2, 1, 1));
    assert_write(sched, 1, 1);
    assert_int_equal(sched_task_state(sched, 1), TASK_READY);
    assert_nothing(sched);
    sched_destroy(sched);
}

/* A worker alone is stopped: its task goes to another, and the attempt does not count. */
static void test_interruption_of_one_worker(void **state)
{
    (void)state;
    struct sched *sched = create(one, 1, 2);
    for (int round = 0; round < 10; round++) {
        tell(sched, SCHED_WORKER_READY, round, round % 2, -1);
        assert_hand_out(sched, round % 2, 0, 1);
        assert_true(tell(sched, SCHED_TASK_INTERRUPTED, round, round % 2, 0));
        assert_write(sched, 0, 0);
        assert_nothing(sched);
    }
    sched_destroy(sched);
}

static void test_bad_input(void **state)
{
    (void)state;
    const struct sched_limits good = {3, 10, 0}, no_attempts = {0, 10, 0}, no_time = {3, NAN, 0};
    const struct sched_task own_parent[] = {{0, 1, TASK_READY, 0}};
    const struct sched_task later_parent[] = {{1, 1, TASK_READY, 0}, {-1, 1, TASK_READY, 0}};
    const struct sched_task no_cost[] = {{-1, NAN, TASK_READY, 0}};
    struct error err = {0};
    assert_null(sched_create(own_parent, 1, 1, good, &err));
    assert_string_equal(err.text, "task 0 has the parent 0: not before it");
    assert_int_equal(err.class, ERROR_INTERNAL);
    assert_null(sched_create(later_parent, 2, 1, good, &err));
    assert_null(sched_create(no_cost, 1, 1, good, &err));
    assert_null(sched_create(one, 1, 1, no_attempts, &err));
    assert_null(sched_create(one, 1, 1, no_time, &err));
    assert_null(sched_create(one, 1, -1, good, &err));
    sched_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_children_after_parents),
        cmocka_unit_test(test_longest_chain_first),
        cmocka_unit_test(test_slow_trees_first),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_kept_results),
        cmocka_unit_test(test_kept_attempts_at_the_maximum),
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_failure_after_stop),
        cmocka_unit_test(test_interruption_of_one_worker),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
