/* The scheduler against random grids, workers and mishaps. A model beside it knows who holds what
 * and what was written, checks each action as it comes, and at the end what became of each task. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "sched/sched.h"

enum { TASKS = 120, WORKERS = 7, MAX_ATTEMPTS = 3 };
#define SILENCE 10.0
#define AHEAD 2.0
#define GOAL 6.0 /* of all progress: some of it goes on for longer */

struct dice {
    struct rng_stream stream;
    uint64_t thrown;
};

static int32_t throw(struct dice * dice, int32_t sides)
{
    return (int32_t)rng_below(dice->stream, dice->thrown++, (uint64_t)sides);
}

/* What a store would hold, and what a real set of workers would do. */
struct model {
    struct dice dice;
    struct sched_task tasks[TASKS]; /* as written: states and attempts */
    int32_t holder[TASKS];          /* as far as the scheduler knows, -1 = none */
    int32_t believes[WORKERS];      /* the task a worker works at, whether it still has it or not */
    bool present[WORKERS];          /* the process lives */
    int32_t will_begin[WORKERS];    /* what it was sent ahead and goes on with, rightfully or not */
    int32_t trusted[WORKERS];       /* the task it has at hand rightfully, -1 = none */
    int32_t next[WORKERS];          /* the one it was sent ahead rightfully, -1 = none */
    bool idle[WORKERS];             /* it asked and was answered nothing yet */
    int32_t failed_at[TASKS];       /* where its last hand-out came to nothing, -1 = none */
    bool final[TASKS];              /* not to be tried again */
    double progress[WORKERS];
    bool stopping, finished;
    double now;
    /* To see that the simulation does what it is for. */
    int32_t hand_outs, refused, elsewhere, same, ahead, begun_ahead, unsent, back_unbegun;
};

static void make_tasks(struct model *model)
{
    for (int32_t i = 0; i < TASKS; i++) {
        int32_t parent = throw(&model->dice, 4) == 0 ? -1 : throw(&model->dice, i + 1) - 1;
        double cost = 0.5 + throw(&model->dice, 10);
        model->tasks[i] = (struct sched_task){parent, cost, TASK_WAITING, 0};
    }
}

static enum task_state parent_state(const struct model *model, int32_t task)
{
    int32_t parent = model->tasks[task].parent;
    return parent < 0 ? TASK_DONE : model->tasks[parent].state;
}

static bool is_ready(const struct model *model, int32_t task)
{
    return model->tasks[task].state == TASK_WAITING && !model->final[task] &&
           model->holder[task] < 0 && parent_state(model, task) == TASK_DONE;
}

static bool any_idle(const struct model *model)
{
    bool any = false;
    for (int32_t i = 0; i < WORKERS; i++)
        any = any || model->idle[i];
    return any;
}

/* Back to where it failed, only when nobody else is idle. */
static void check_elsewhere(struct model *model, int32_t task, int32_t worker)
{
    if (model->failed_at[task] < 0)
        return;
    bool same = model->failed_at[task] == worker;
    model->elsewhere += !same;
    model->same += same;
    if (same)
        assert_false(any_idle(model));
}

/* Whoever gets it, and when. */
static void give(struct model *model, const struct sched_action *action)
{
    int32_t task = action->task;
    assert_false(model->stopping);
    assert_false(model->final[task]);
    assert_int_equal(model->tasks[task].state, TASK_WAITING);
    assert_int_equal(parent_state(model, task), TASK_DONE);
    assert_int_equal(model->holder[task], -1);
    assert_int_equal(action->attempts, model->tasks[task].attempts + 1);
    assert_true(action->attempts <= MAX_ATTEMPTS);
    model->tasks[task].attempts = action->attempts;
    model->holder[task] = action->worker;
    model->hand_outs++;
}

static void do_hand_out(struct model *model, const struct sched_action *action)
{
    int32_t task = action->task, worker = action->worker;
    assert_true(model->idle[worker]);
    assert_int_equal(model->trusted[worker], -1);
    model->idle[worker] = false;
    check_elsewhere(model, task, worker);
    give(model, action);
    model->trusted[worker] = task;
    model->progress[worker] = 0;
    if (model->present[worker])
        model->believes[worker] = task;
}

/* One in ten cannot be sent. A process that was started anew does not know it. */
static void do_send_ahead(struct model *model, struct sched *sched,
                          const struct sched_action *action)
{
    int32_t task = action->task, worker = action->worker;
    assert_false(any_idle(model));
    assert_true(model->trusted[worker] >= 0);
    assert_int_equal(model->next[worker], -1);
    assert_int_not_equal(model->failed_at[task], worker);
    model->elsewhere += model->failed_at[task] >= 0;
    give(model, action);
    model->ahead++;
    if (throw(&model->dice, 10) == 0) {
        assert_true(sched_event(sched, &(struct sched_event){.kind = SCHED_TASK_INTERRUPTED,
                                                             .now = model->now,
                                                             .worker = worker,
                                                             .task = task}));
        model->holder[task] = -1;
        model->unsent++;
        return;
    }
    model->next[worker] = task;
    if (model->present[worker] && model->believes[worker] == model->trusted[worker])
        model->will_begin[worker] = task;
}

static void do_write_off(struct model *model, const struct sched_action *action)
{
    struct sched_task *task = &model->tasks[action->task];
    assert_int_equal(task->state, TASK_WAITING); /* so it is written once, and has no result */
    assert_int_equal(model->holder[action->task], -1);
    enum task_state above = parent_state(model, action->task);
    if (action->state == TASK_FAILED)
        assert_true(model->final[action->task] || action->attempts == MAX_ATTEMPTS);
    else if (action->state == TASK_SKIPPED)
        assert_true(above == TASK_DIVERGED || above == TASK_SKIPPED);
    else
        assert_true(above == TASK_FAILED || above == TASK_UNREACHABLE);
    task->state = action->state;
    task->attempts = action->attempts;
}

/* The task at hand; the next, if any, takes its place. */
static void let_go(struct model *model, int32_t worker)
{
    if (model->trusted[worker] >= 0)
        model->holder[model->trusted[worker]] = -1;
    model->trusted[worker] = model->next[worker];
    model->next[worker] = -1;
    model->progress[worker] = 0;
    model->idle[worker] = false;
}

/* The task at hand came to nothing; the next is free, and nothing is held against it. */
static void lose(struct model *model, int32_t worker)
{
    if (model->trusted[worker] >= 0)
        model->failed_at[model->trusted[worker]] = worker;
    let_go(model, worker);
    if (model->trusted[worker] < 0)
        return;
    model->back_unbegun++;
    let_go(model, worker);
}

static void do_action(struct model *model, struct sched *sched, const struct sched_action *action)
{
    switch (action->kind) {
    case SCHED_HAND_OUT:
        do_hand_out(model, action);
        break;
    case SCHED_SEND_AHEAD:
        do_send_ahead(model, sched, action);
        break;
    case SCHED_WRITE_OFF:
        do_write_off(model, action);
        break;
    case SCHED_WRITE_ATTEMPTS:
        assert_int_equal(model->tasks[action->task].state, TASK_WAITING);
        assert_true(abs(action->attempts - model->tasks[action->task].attempts) == 1);
        model->tasks[action->task].attempts = action->attempts;
        break;
    case SCHED_DISMISS_WORKER:
        assert_int_equal(model->trusted[action->worker], -1);
        model->idle[action->worker] = false;
        break;
    case SCHED_PRESUME_DEAD:
        assert_int_equal(action->task, model->trusted[action->worker]);
        lose(model, action->worker);
        break;
    case SCHED_FINISHED:
        for (int32_t worker = 0; worker < WORKERS; worker++) {
            assert_int_equal(model->trusted[worker], -1);
            assert_int_equal(model->next[worker], -1);
        }
        model->finished = true;
        break;
    }
}

static void act(struct model *model, struct sched *sched)
{
    struct sched_action action;
    while (!model->finished && sched_next(sched, &action))
        do_action(model, sched, &action);
    if (model->finished)
        return;
    assert_false(sched_next(sched, &action));
    for (int32_t i = 0; i < TASKS && any_idle(model); i++)
        assert_false(is_ready(model, i)); /* nobody is idle while there is work */
}

static bool tell(const struct model *model, struct sched *sched, enum sched_event_kind kind,
                 int32_t worker)
{
    return sched_event(sched, &(struct sched_event){kind, model->now, worker,
                                                    worker < 0 ? -1 : model->believes[worker],
                                                    worker < 0 ? 0 : model->progress[worker], 1,
                                                    false, GOAL});
}

/* A worker reports how its task ended: it counts exactly if it still holds it. */
static void report(struct model *model, struct sched *sched, int32_t worker,
                   enum sched_event_kind kind)
{
    int32_t task = model->believes[worker];
    bool holds = model->trusted[worker] == task;
    bool is_final = kind == SCHED_TASK_FAILED && throw(&model->dice, 4) == 0;
    assert_int_equal(sched_event(sched, &(struct sched_event){.kind = kind,
                                                              .now = model->now,
                                                              .worker = worker,
                                                              .task = task,
                                                              .seconds = 1,
                                                              .is_final = is_final}),
                     holds);
    model->believes[worker] = model->will_begin[worker];
    model->begun_ahead += model->will_begin[worker] >= 0;
    model->will_begin[worker] = -1;
    if (!holds) {
        model->refused++;
        return;
    }
    let_go(model, worker);
    model->final[task] = is_final;
    if (kind == SCHED_TASK_FAILED)
        model->failed_at[task] = worker;
    else if (kind == SCHED_TASK_DONE)
        model->tasks[task].state = TASK_DONE;
    else if (kind == SCHED_TASK_DIVERGED)
        model->tasks[task].state = TASK_DIVERGED;
}

static void end_task(struct model *model, struct sched *sched, int32_t worker)
{
    int32_t fate = throw(&model->dice, 100);
    if (model->stopping && fate < 50)
        report(model, sched, worker, SCHED_TASK_INTERRUPTED);
    else if (fate < 25)
        report(model, sched, worker, SCHED_TASK_FAILED);
    else if (fate < 30)
        report(model, sched, worker, SCHED_TASK_DIVERGED);
    else
        report(model, sched, worker, SCHED_TASK_DONE);
}

/* One worker does something, or dies, or comes back from the dead. */
static void step_worker(struct model *model, struct sched *sched, int32_t worker)
{
    int32_t fate = throw(&model->dice, 100);
    if (!model->present[worker] || fate < 1) {
        model->present[worker] = fate >= 95; /* back as a new process */
        model->believes[worker] = model->will_begin[worker] = -1;
    } else if (fate < 2) {
        tell(model, sched, SCHED_WORKER_LOST, worker);
        lose(model, worker);
    } else if (model->believes[worker] < 0) {
        lose(model, worker); /* asking while it holds something gives that up */
        assert_true(tell(model, sched, SCHED_WORKER_READY, worker));
        model->idle[worker] = true;
    } else if (fate < 30) {
        end_task(model, sched, worker);
    } else if (fate < 80) {
        model->progress[worker]++;
        tell(model, sched, SCHED_HEARD, worker);
    }
}

static void start_launch(struct model *model)
{
    model->stopping = model->finished = false;
    for (int32_t i = 0; i < TASKS; i++) {
        model->holder[i] = model->failed_at[i] = -1;
        model->final[i] = false;
    }
    for (int32_t i = 0; i < WORKERS; i++) {
        model->idle[i] = false;
        model->believes[i] = model->will_begin[i] = -1;
        model->trusted[i] = model->next[i] = -1;
        model->present[i] = true;
    }
}

/* One launch up to its end, or to its sudden end when everything is killed. Returns the tasks left.
 */
static int32_t launch(struct model *model)
{
    const struct sched_limits limits = {MAX_ATTEMPTS, SILENCE, AHEAD};
    struct sched *sched = sched_create(model->tasks, TASKS, WORKERS, limits, NULL);
    assert_non_null(sched);
    start_launch(model);
    for (int32_t step = 0; !model->finished && throw(&model->dice, 500) > 0; step++) {
        assert_true(step < 100000);
        model->now += 0.2 * throw(&model->dice, 10);
        tell(model, sched, SCHED_TICK, -1);
        for (int32_t events = throw(&model->dice, WORKERS); events >= 0; events--)
            step_worker(model, sched, throw(&model->dice, WORKERS));
        if (throw(&model->dice, 100) == 0) {
            tell(model, sched, SCHED_STOP, -1);
            model->stopping = true;
        }
        act(model, sched);
    }
    struct sched_counts counts;
    sched_counts(sched, &counts);
    assert_int_equal(counts.total, counts.left + counts.done + counts.diverged + counts.failed +
                                       counts.skipped + counts.unreachable);
    for (int32_t i = 0; model->finished && i < TASKS; i++)
        if (model->tasks[i].state != TASK_WAITING)
            assert_int_equal(sched_task_state(sched, i), model->tasks[i].state);
    sched_destroy(sched);
    return counts.left;
}

/* Every task has come to the one end that its parent's allows. */
static void check_ends(const struct model *model)
{
    for (int32_t i = 0; i < TASKS; i++) {
        enum task_state above = parent_state(model, i), state = model->tasks[i].state;
        if (above == TASK_FAILED || above == TASK_UNREACHABLE)
            assert_int_equal(state, TASK_UNREACHABLE);
        else if (above == TASK_DIVERGED || above == TASK_SKIPPED)
            assert_int_equal(state, TASK_SKIPPED);
        else
            assert_true(state == TASK_DONE || state == TASK_DIVERGED || state == TASK_FAILED);
    }
}

static void test_random_mishaps(void **state)
{
    (void)state;
    int32_t launches = 0, hand_outs = 0, refused = 0, elsewhere = 0, same = 0, ahead = 0,
            begun_ahead = 0, unsent = 0, back_unbegun = 0, ends[TASK_UNREACHABLE + 1] = {0};
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct model model = {.dice.stream = {.seed = seed, .purpose = RNG_GENERATOR}};
        make_tasks(&model);
        int32_t left = TASKS;
        for (int32_t n = 0; left > 0; n++) {
            assert_true(n < 1000);
            left = launch(&model);
            launches++;
        }
        /* The last launch may have been killed between an event and what was to be written. */
        launch(&model);
        check_ends(&model);
        for (int32_t i = 0; i < TASKS; i++)
            ends[model.tasks[i].state]++;
        hand_outs += model.hand_outs;
        refused += model.refused;
        elsewhere += model.elsewhere;
        same += model.same;
        ahead += model.ahead;
        begun_ahead += model.begun_ahead;
        unsent += model.unsent;
        back_unbegun += model.back_unbegun;
    }
    /* All that may happen did happen, often. */
    assert_true(launches > 400 && hand_outs > 200 * TASKS / 2 && refused > 200);
    assert_true(same > 0 && elsewhere > 100 * same);
    assert_true(ahead > 1000 && begun_ahead > 1000 && unsent > 100 && back_unbegun > 100);
    for (enum task_state end = TASK_DONE; end <= TASK_UNREACHABLE; end++)
        assert_true(ends[end] > 100);
}

/* --- order --- */

static void test_order_of_hand_outs(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    struct dice dice = {.stream = {.seed = 5, .purpose = RNG_GENERATOR}};
    for (int32_t count = 1; count <= COUNT; count += 37) {
        struct sched_task tasks[COUNT];
        for (int32_t i = 0; i < count; i++)
            tasks[i] = (struct sched_task){-1, throw(&dice, 100), TASK_READY, 0};
        struct sched *sched =
            sched_create(tasks, count, count, (struct sched_limits){1, 0, 0}, NULL);
        for (int32_t i = 0; i < count; i++)
            sched_event(sched, &(struct sched_event){SCHED_WORKER_READY, 0, i, -1, 0, 0, false, 0});
        struct sched_action action;
        int32_t before = -1, hand_outs = 0;
        for (; sched_next(sched, &action); before = action.task, hand_outs++) {
            assert_int_equal(action.kind, SCHED_HAND_OUT);
            if (before >= 0)
                assert_true(
                    tasks[before].cost > tasks[action.task].cost ||
                    (tasks[before].cost == tasks[action.task].cost && before < action.task));
        }
        assert_int_equal(hand_outs, count);
        sched_destroy(sched);
    }
}

/* --- size --- */

/* A worker's task fails, whose chain's last 24 are lost with it, or is done. */
static void end_large(struct sched *sched, const struct sched_task *tasks, int32_t worker,
                      double now)
{
    int32_t task = sched_worker_task(sched, worker);
    if (task < 0)
        return;
    sched_event(sched, &(struct sched_event){SCHED_TICK, now, -1, -1, 0, 0, false, 0});
    sched_event(sched, &(struct sched_event){SCHED_HEARD, now, worker, task, 1, 0, false, 0});
    sched_event(sched,
                &(struct sched_event){task % 1000 == 501 ? SCHED_TASK_FAILED : SCHED_TASK_DONE, now,
                                      worker, task, 0, tasks[task].cost / 4, false, 0});
    if (sched_worker_task(sched, worker) < 0)
        sched_event(sched,
                    &(struct sched_event){SCHED_WORKER_READY, now, worker, -1, 0, 0, false, 0});
}

/* A million tasks on ten thousand workers: linear behaviour anywhere would take hours. */
static void test_large(void **state)
{
    (void)state;
    enum { LARGE = 1000000, CROWD = 10000 };
    struct sched_task *tasks = calloc(LARGE, sizeof *tasks);
    assert_non_null(tasks);
    for (int32_t i = 0; i < LARGE; i++) /* chains of 25 */
        tasks[i] = (struct sched_task){i % 25 == 0 ? -1 : i - 1, 1 + i % 7, TASK_WAITING, 0};
    const struct sched_limits limits = {3, 60, 2};
    struct sched *sched = sched_create(tasks, LARGE, CROWD, limits, NULL);
    assert_non_null(sched);
    double now = 0;
    for (int32_t i = 0; i < CROWD; i++)
        sched_event(sched, &(struct sched_event){SCHED_WORKER_READY, now, i, -1, 0, 0, false, 0});
    int32_t hand_outs = 0, ahead = 0, written_off = 0;
    struct sched_action action = {.kind = SCHED_HAND_OUT};
    for (int32_t worker = 0; action.kind != SCHED_FINISHED; worker = (worker + 1) % CROWD) {
        while (sched_next(sched, &action) && action.kind != SCHED_FINISHED) {
            written_off += action.kind == SCHED_WRITE_OFF;
            hand_outs += action.kind == SCHED_HAND_OUT || action.kind == SCHED_SEND_AHEAD;
            ahead += action.kind == SCHED_SEND_AHEAD;
        }
        end_large(sched, tasks, worker, now += 1e-4);
    }
    assert_true(ahead > LARGE / 2);
    assert_int_equal(written_off, LARGE / 1000 * 24);
    assert_int_equal(hand_outs, LARGE - LARGE / 1000 * 24 + 3 * LARGE / 1000);
    sched_destroy(sched);
    free(tasks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_mishaps),
        cmocka_unit_test(test_order_of_hand_outs),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
