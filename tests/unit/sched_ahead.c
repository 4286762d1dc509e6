/* Tasks that are sent ahead: when, to whom, and what becomes of them when things go wrong. */
#include "sched_support.h"

#define AHEAD 2.0
#define WHOLE 100.0 /* iterations of a task */

/* Five of a kind. */
static const struct sched_task five[] = {{-1, 1, TASK_READY, 0},
                                         {-1, 1, TASK_READY, 0},
                                         {-1, 1, TASK_READY, 0},
                                         {-1, 1, TASK_READY, 0},
                                         {-1, 1, TASK_READY, 0}};

static struct sched *create_ahead(const struct sched_task *tasks, int32_t count, int32_t workers)
{
    struct error err = {0};
    const struct sched_limits limits = {.max_attempts = 3, .silence = 100, .ahead = AHEAD};
    struct sched *sched = sched_create(tasks, count, workers, limits, &err);
    assert_non_null(sched);
    return sched;
}

static void assert_sent_ahead(struct sched *sched, int32_t worker, int32_t task, int32_t attempts)
{
    struct sched_action action;
    assert_true(sched_next(sched, &action));
    assert_int_equal(action.kind, SCHED_SEND_AHEAD);
    assert_int_equal(action.worker, worker);
    assert_int_equal(action.task, task);
    assert_int_equal(action.attempts, attempts);
    assert_int_not_equal(sched_worker_task(sched, worker), task);
}

static bool hear_of(struct sched *sched, double now, int32_t worker, int32_t task, double progress)
{
    return sched_event(sched, &(struct sched_event){.kind = SCHED_HEARD,
                                                    .now = now,
                                                    .worker = worker,
                                                    .task = task,
                                                    .progress = progress,
                                                    .whole = WHOLE});
}

static void give(struct sched *sched, int32_t worker, int32_t task)
{
    assert_true(tell(sched, SCHED_WORKER_READY, 0, worker, -1));
    assert_hand_out(sched, worker, task, 1);
    assert_nothing(sched); /* nothing is known of how long it takes */
}

/* 10 iterations a second: half a second is left at 95. */
static void come_near_the_end(struct sched *sched, int32_t worker, int32_t task)
{
    assert_true(hear_of(sched, 1, worker, task, 10));
    assert_true(hear_of(sched, 9.5, worker, task, 95));
}

static void test_near_the_end(void **state)
{
    (void)state;
    struct sched *sched = create_ahead(five, 5, 1);
    give(sched, 0, 0);
    assert_true(hear_of(sched, 1, 0, 0, 10));
    assert_nothing(sched);
    assert_true(hear_of(sched, 7.5, 0, 0, 75)); /* 2.5 seconds are left */
    assert_nothing(sched);
    assert_true(hear_of(sched, 8.5, 0, 0, 85));
    assert_sent_ahead(sched, 0, 1, 1);
    assert_true(hear_of(sched, 9.5, 0, 0, 95));
    assert_nothing(sched); /* one is enough */
    assert_true(tell(sched, SCHED_TASK_DONE, 10, 0, 0));
    assert_int_equal(sched_worker_task(sched, 0), 1);
    assert_int_equal(sched_task_state(sched, 0), TASK_DONE);
    sched_destroy(sched);
}

/* Tasks like those that were seen to take a second are followed at once. */
static void test_short_tasks(void **state)
{
    (void)state;
    struct sched *sched = create_ahead(five, 5, 1);
    give(sched, 0, 0);
    assert_true(tell(sched, SCHED_TASK_DONE, 1, 0, 0));
    assert_true(tell(sched, SCHED_WORKER_READY, 1, 0, -1));
    assert_hand_out(sched, 0, 1, 1);
    for (int32_t task = 2; task < 5; task++) {
        assert_sent_ahead(sched, 0, task, 1);
        assert_nothing(sched);
        assert_true(tell(sched, SCHED_TASK_DONE, task, 0, task - 1));
        assert_int_equal(sched_worker_task(sched, 0), task);
    }
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_TASK_DONE, 5, 0, 4));
    assert_int_equal(sched_worker_task(sched, 0), -1);
    sched_destroy(sched);
}

/* A task goes to whom waits for it, and a child never before its parent's result. */
static void test_nothing_to_send(void **state)
{
    (void)state;
    const struct sched_task tasks[] = {{-1, 1, TASK_READY, 0}, {0, 1, TASK_WAITING, 0}};
    struct sched *sched = create_ahead(tasks, 2, 2);
    give(sched, 0, 0);
    come_near_the_end(sched, 0, 0);
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_WORKER_READY, 10, 1, -1));
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_TASK_DONE, 10, 0, 0));
    assert_hand_out(sched, 1, 1, 1);
    sched_destroy(sched);
}

static void test_waits_for_a_ready_task(void **state)
{
    (void)state;
    const struct sched_task tasks[] = {{-1, 9, TASK_READY, 0},
                                       {-1, 1, TASK_READY, 0},
                                       {0, 1, TASK_WAITING, 0},
                                       {0, 1, TASK_WAITING, 0}};
    struct sched *sched = create_ahead(tasks, 4, 2);
    give(sched, 0, 0);
    give(sched, 1, 1);
    come_near_the_end(sched, 1, 1);
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_TASK_DONE, 9.6, 0, 0));
    assert_sent_ahead(sched, 1, 2, 1); /* worker 0 has not asked yet */
    assert_true(tell(sched, SCHED_WORKER_READY, 9.6, 0, -1));
    assert_hand_out(sched, 0, 3, 1);
    sched_destroy(sched);
}

/* What was not begun is no attempt; what was at hand is one. */
static void test_loss(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct sched *sched = create_ahead(five, 3, 2);
        give(sched, 0, 0);
        give(sched, 1, 1);
        come_near_the_end(sched, 0, 0);
        assert_sent_ahead(sched, 0, 2, 1);
        if (how == 0) {
            assert_true(tell(sched, SCHED_WORKER_LOST, 10, 0, -1));
        } else if (how == 1) {
            assert_true(tell(sched, SCHED_WORKER_READY, 10, 0, -1));
        } else {
            for (double now = 60; now < 180; now += 60)
                assert_true(hear_of(sched, now, 1, 1, now));
            assert_action(sched, SCHED_PRESUME_DEAD, 0, 0);
        }
        assert_write(sched, 2, 0);
        if (how != 1)
            assert_true(tell(sched, SCHED_WORKER_READY, 181, 0, -1));
        assert_hand_out(sched, 0, 2, 1); /* 0 failed here */
        sched_destroy(sched);
    }
}

static void test_failure(void **state)
{
    (void)state;
    struct sched *sched = create_ahead(five, 2, 1);
    give(sched, 0, 0);
    come_near_the_end(sched, 0, 0);
    assert_sent_ahead(sched, 0, 1, 1);
    assert_true(tell(sched, SCHED_TASK_FAILED, 10, 0, 0));
    assert_int_equal(sched_worker_task(sched, 0), 1);
    assert_true(tell(sched, SCHED_TASK_DONE, 20, 0, 1));
    assert_true(tell(sched, SCHED_WORKER_READY, 20, 0, -1));
    assert_hand_out(sched, 0, 0, 2);
    sched_destroy(sched);
}

/* Both come back, one after the other, and neither hand-out was an attempt. */
static void test_stop(void **state)
{
    (void)state;
    struct sched *sched = create_ahead(five, 5, 1);
    give(sched, 0, 0);
    come_near_the_end(sched, 0, 0);
    assert_sent_ahead(sched, 0, 1, 1);
    assert_true(tell(sched, SCHED_STOP, 10, -1, -1));
    assert_write(sched, 0, 0);
    assert_write(sched, 1, 0);
    assert_nothing(sched);
    assert_true(tell(sched, SCHED_TASK_INTERRUPTED, 10, 0, 0));
    assert_int_equal(sched_worker_task(sched, 0), 1);
    assert_true(tell(sched, SCHED_TASK_INTERRUPTED, 10, 0, 1));
    assert_int_equal(sched_worker_task(sched, 0), -1);
    assert_true(tell(sched, SCHED_WORKER_READY, 10, 0, -1));
    assert_action(sched, SCHED_DISMISS_WORKER, 0, -1);
    sched_destroy(sched);
}

/* The caller could not send it. */
static void test_given_back(void **state)
{
    (void)state;
    struct sched *sched = create_ahead(five, 2, 1);
    give(sched, 0, 0);
    come_near_the_end(sched, 0, 0);
    assert_sent_ahead(sched, 0, 1, 1);
    assert_true(tell(sched, SCHED_TASK_INTERRUPTED, 10, 0, 1));
    assert_int_equal(sched_worker_task(sched, 0), 0);
    assert_int_equal(sched_task_state(sched, 1), TASK_READY);
    assert_write(sched, 1, 0);
    sched_destroy(sched);
}

static void test_counts(void **state)
{
    (void)state;
    struct sched_counts counts;
    struct sched *sched = create_ahead(five, 5, 1);
    give(sched, 0, 0);
    come_near_the_end(sched, 0, 0);
    assert_sent_ahead(sched, 0, 1, 1);
    sched_counts(sched, &counts);
    assert_int_equal(counts.running, 1);
    assert_int_equal(counts.ready, 4);
    sched_destroy(sched);
}

/* Masters whose workers are heard of less often look further ahead. */
static void test_reach(void **state)
{
    (void)state;
    assert_true(sched_ahead(0, 1) > sched_heartbeat(0, 1));
    assert_true(sched_ahead(0, 10000) > sched_heartbeat(0, 10000));
    assert_true(sched_ahead(0, 10000) < sched_heartbeat(0, 10000) + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near_the_end),
        cmocka_unit_test(test_short_tasks),
        cmocka_unit_test(test_nothing_to_send),
        cmocka_unit_test(test_waits_for_a_ready_task),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_given_back),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
