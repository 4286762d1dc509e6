/* For scenarios of the scheduler, one situation at a time: events in, the exact actions out. */
#ifndef TESTS_UNIT_SCHED_SUPPORT_H
#define TESTS_UNIT_SCHED_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/sched.h"

static inline struct sched *create(const struct sched_task *tasks, int32_t count, int32_t workers)
{
    struct error err = {0};
    const struct sched_limits limits = {.max_attempts = 3, .silence = 10};
    struct sched *sched = sched_create(tasks, count, workers, limits, &err);
    assert_non_null(sched);
    return sched;
}

/* An event about a worker, and a task where there is one. */
static inline bool tell(struct sched *sched, enum sched_event_kind kind, double now, int32_t worker,
                        int32_t task)
{
    return sched_event(sched, &(struct sched_event){kind, now, worker, task, 0, 1, false, 0});
}

static inline bool hear(struct sched *sched, double now, int32_t worker, int32_t task,
                        double progress)
{
    return sched_event(
        sched, &(struct sched_event){SCHED_HEARD, now, worker, task, progress, 0, false, 0});
}

static inline void assert_nothing(struct sched *sched)
{
    struct sched_action action;
    assert_false(sched_next(sched, &action));
}

static inline void assert_action(struct sched *sched, enum sched_action_kind kind, int32_t worker,
                                 int32_t task)
{
    struct sched_action action;
    assert_true(sched_next(sched, &action));
    assert_int_equal(action.kind, kind);
    assert_int_equal(action.worker, worker);
    assert_int_equal(action.task, task);
}

static inline void assert_write(struct sched *sched, int32_t task, int32_t attempts)
{
    struct sched_action action;
    assert_true(sched_next(sched, &action));
    assert_int_equal(action.kind, SCHED_WRITE_ATTEMPTS);
    assert_int_equal(action.task, task);
    assert_int_equal(action.attempts, attempts);
}

static inline void assert_hand_out(struct sched *sched, int32_t worker, int32_t task,
                                   int32_t attempts)
{
    struct sched_action action;
    assert_true(sched_next(sched, &action));
    assert_int_equal(action.kind, SCHED_HAND_OUT);
    assert_int_equal(action.worker, worker);
    assert_int_equal(action.task, task);
    assert_int_equal(action.attempts, attempts);
    assert_int_equal(sched_worker_task(sched, worker), task);
    assert_int_equal(sched_task_state(sched, task), TASK_RUNNING);
}

static inline void assert_write_off(struct sched *sched, int32_t task, enum task_state state)
{
    struct sched_action action;
    assert_true(sched_next(sched, &action));
    assert_int_equal(action.kind, SCHED_WRITE_OFF);
    assert_int_equal(action.task, task);
    assert_int_equal(action.state, state);
    assert_int_equal(sched_task_state(sched, task), state);
}

/* A grid of one task. */
static const struct sched_task one[] = {{-1, 1, TASK_READY, 0}};

#endif
