/* The scheduler in virtual time: makespans that are known, bounds that hold for all, and what
 * mishaps cost. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/simulate.h"

enum { MOST = 5 * (1 + 12 * 4) };

/* A task takes as long as it costs. */
struct grid {
    struct sched_task tasks[MOST];
    struct sched_fate fates[MOST];
    struct sched_workload work;
};

static int32_t add(struct grid *grid, int32_t parent, double seconds)
{
    int32_t number = grid->work.count++;
    assert_true(number < MOST);
    grid->work.tasks = grid->tasks;
    grid->work.fates = grid->fates;
    grid->tasks[number] = (struct sched_task){parent, seconds, TASK_WAITING, 0};
    grid->fates[number] = (struct sched_fate){seconds, false};
    return number;
}

/* As grids are: five seeds, each a dense run and twelve rounds that get cheaper, beside each round
 * three controls. */
static void make_grid(struct grid *grid)
{
    memset(grid, 0, sizeof *grid);
    for (int32_t seed = 0; seed < 5; seed++) {
        int32_t parent = add(grid, -1, 10);
        for (int32_t level = 1; level <= 12; level++) {
            double seconds = 10 * pow(0.8, level);
            int32_t ticket = add(grid, parent, seconds);
            for (int32_t i = 0; i < 3; i++)
                add(grid, parent, seconds);
            parent = ticket;
        }
    }
}

static struct sched_forecast simulate(const struct grid *grid, struct sched_conditions conditions)
{
    struct sched_forecast forecast;
    if (conditions.max_attempts == 0)
        conditions.max_attempts = 3;
    assert_int_equal(sched_simulate(&grid->work, &conditions, &forecast, NULL), 0);
    return forecast;
}

static double makespan(const struct grid *grid, int32_t workers)
{
    return simulate(grid, (struct sched_conditions){.workers = workers}).makespan;
}

static void assert_near(double value, double expected)
{
    assert_true(fabs(value - expected) <= 1e-9 * fabs(expected));
}

/* --- without mishaps --- */

/* A chain of short tasks that takes one worker all the time there is, and enough beside it for the
 * others: what is sent ahead must not come between. */
static void what_is_sent_ahead_holds_up_no_chain(void **state)
{
    (void)state;
    struct grid grid = {0};
    for (int32_t i = 0; i < 20; i++)
        add(&grid, i - 1, 0.5);
    for (int32_t i = 0; i < 40; i++)
        add(&grid, -1, 0.5);
    assert_near(makespan(&grid, 3), 10);
    struct sched_forecast forecast = simulate(&grid, (struct sched_conditions){.workers = 3});
    assert_int_equal(forecast.hand_outs, 60);
    assert_near(forecast.utilisation, 1);
}

/* Four tasks alone, numbered before a chain of four: in the order of their numbers two workers
 * would need 6, longest chain first needs 4. */
static void the_longest_chain_goes_first(void **state)
{
    (void)state;
    struct grid grid = {0};
    for (int32_t i = 0; i < 8; i++)
        add(&grid, i > 4 ? i - 1 : -1, 1);
    assert_true(makespan(&grid, 1) == 8);
    assert_true(makespan(&grid, 2) == 4);
    assert_true(makespan(&grid, 100) == 4);
    struct sched_forecast forecast = simulate(&grid, (struct sched_conditions){.workers = 4});
    assert_true(forecast.useful_seconds == 8 && forecast.lost_seconds == 0);
    assert_true(forecast.utilisation == 0.5);
    assert_int_equal(forecast.hand_outs, 8);
    assert_int_equal(forecast.retries, 0);
    /* each worker asks and is dismissed, each task is handed out and reported */
    assert_int_equal(forecast.messages, 2 * 4 + 2 * 8);
    assert_int_equal(forecast.busiest_second, 4);
    assert_int_equal(forecast.counts.done, 8);
}

/* No schedule beats the longest chain or the mean load. */
static void makespan_lies_between_its_bounds(void **state)
{
    (void)state;
    struct grid grid;
    struct sched_extent extent;
    make_grid(&grid);
    assert_int_equal(sched_measure_extent(&grid.work, &extent, NULL), 0);
    assert_near(extent.longest, 10 * (1 - pow(0.8, 13)) / 0.2);
    assert_int_equal(extent.tasks, 13);
    assert_near(makespan(&grid, 1), extent.seconds);
    double before = extent.seconds;
    for (int32_t workers = 2; workers <= 64; workers++) {
        double bound = fmax(extent.longest, extent.seconds / workers),
               time = makespan(&grid, workers);
        assert_true(time >= bound * (1 - 1e-12));
        assert_true(time <= extent.seconds / workers + extent.longest); /* Graham's bound */
        assert_true(time <= before * (1 + 1e-12));
        before = time;
    }
    assert_near(before, extent.longest);
    static const int32_t busy[] = {2, 3, 5, 8, 20};
    for (size_t i = 0; i < sizeof busy / sizeof busy[0]; i++)
        assert_true(makespan(&grid, busy[i]) <=
                    1.08 * fmax(extent.longest, extent.seconds / busy[i]));
}

/* What has a result costs nothing, and nothing waits for it. */
static void what_is_left_is_shorter(void **state)
{
    (void)state;
    struct grid grid;
    struct sched_extent all, left;
    make_grid(&grid);
    sched_measure_extent(&grid.work, &all, NULL);
    for (int32_t i = 0; i < grid.work.count; i++)
        if (grid.tasks[i].parent < 0)
            grid.tasks[i].state = TASK_DONE;
    sched_measure_extent(&grid.work, &left, NULL);
    assert_near(left.seconds, all.seconds - 50);
    assert_near(left.longest, all.longest - 10);
    assert_int_equal(left.tasks, 12);
    assert_near(makespan(&grid, 1), left.seconds);
    for (int32_t i = 0; i < grid.work.count; i++)
        grid.tasks[i].state = TASK_DONE;
    struct sched_forecast forecast = simulate(&grid, (struct sched_conditions){.workers = 2});
    assert_true(forecast.makespan == 0 && forecast.utilisation == 1);
    assert_int_equal(forecast.hand_outs, 0);
}

/* One that diverges leaves nothing to prune: the rest of its seed is skipped. */
static void below_diverged_nothing_runs(void **state)
{
    (void)state;
    struct grid grid;
    make_grid(&grid);
    grid.fates[0].diverges = true;
    struct sched_forecast forecast = simulate(&grid, (struct sched_conditions){.workers = 3});
    assert_int_equal(forecast.counts.diverged, 1);
    assert_int_equal(forecast.counts.skipped, 12 * 4);
    assert_int_equal(forecast.hand_outs, 1 + 4 * (1 + 12 * 4));
}

/* The largest number of workers that are busy enough: the next larger one is not. */
static void workers_worth_are_the_most_that_are_busy(void **state)
{
    (void)state;
    struct grid grid;
    make_grid(&grid);
    for (double utilisation = 0.35; utilisation < 1; utilisation += 0.1) {
        int32_t workers;
        assert_int_equal(sched_workers_worth(&grid.work, utilisation, &workers, NULL), 0);
        assert_true(workers >= 2);
        assert_true(simulate(&grid, (struct sched_conditions){.workers = workers}).utilisation >=
                    utilisation);
        for (int32_t more = workers + 1; more < 100; more++)
            assert_true(simulate(&grid, (struct sched_conditions){.workers = more}).utilisation <
                        utilisation);
    }
    struct grid alike = {0}, chain = {0};
    int32_t workers = 0;
    for (int i = 0; i < 8; i++)
        add(&alike, -1, 1);
    assert_int_equal(sched_workers_worth(&alike.work, 0.75, &workers, NULL), 0);
    assert_int_equal(workers, 8); /* of 10, two would have nothing to do */
    add(&chain, add(&chain, -1, 1), 1);
    assert_int_equal(sched_workers_worth(&chain.work, 0.75, &workers, NULL), 0);
    assert_int_equal(workers, 1);
    chain.tasks[0].state = chain.tasks[1].state = TASK_DONE;
    assert_int_equal(sched_workers_worth(&chain.work, 0.75, &workers, NULL), 0);
    assert_int_equal(workers, 1);
}

/* --- mishaps --- */

static void failures_are_tried_again(void **state)
{
    (void)state;
    struct grid grid;
    make_grid(&grid);
    struct sched_conditions conditions = {
        .workers = 8, .max_attempts = 100, .failures = 0.2, .seed = 1};
    struct sched_forecast calm = simulate(&grid, (struct sched_conditions){.workers = 8});
    struct sched_forecast forecast = simulate(&grid, conditions);
    assert_int_equal(forecast.counts.done, grid.work.count);
    assert_int_equal(forecast.hand_outs, grid.work.count + forecast.retries);
    /* of each hand-out a fifth: of all, a quarter more; by chance it varies by 8 */
    assert_in_range(forecast.retries, grid.work.count / 4 - 30, grid.work.count / 4 + 30);
    assert_near(forecast.useful_seconds, calm.useful_seconds);
    /* a failure comes half-way through its task on average */
    double mean = calm.useful_seconds / grid.work.count;
    assert_true(forecast.lost_seconds > 0.3 * mean * (double)forecast.retries);
    assert_true(forecast.lost_seconds < 0.7 * mean * (double)forecast.retries);
    assert_true(forecast.makespan > calm.makespan && forecast.utilisation < calm.utilisation);
}

static void the_last_attempt_is_the_last(void **state)
{
    (void)state;
    struct grid grid;
    make_grid(&grid);
    struct sched_conditions conditions = {.workers = 8, .max_attempts = 2, .failures = 1};
    struct sched_forecast forecast = simulate(&grid, conditions);
    assert_int_equal(forecast.counts.failed, 5);
    assert_int_equal(forecast.counts.unreachable, grid.work.count - 5);
    assert_int_equal(forecast.hand_outs, 10);
    assert_true(forecast.useful_seconds == 0 && forecast.lost_seconds > 0);
}

/* A death is noticed after the silence, and the task begun anew by the other worker. */
static void the_dead_are_missed(void **state)
{
    (void)state;
    struct grid grid = {0};
    add(&grid, -1, 1000);
    add(&grid, -1, 1000);
    struct sched_conditions conditions = {
        .workers = 2, .max_attempts = 3, .losses = 1.5, .silence = 60};
    int32_t completed = 0, abandoned = 0;
    for (; conditions.seed < 200; conditions.seed++) {
        struct sched_forecast forecast = simulate(&grid, conditions);
        int32_t left = forecast.counts.left;
        assert_true(forecast.deaths <= 2 && (left == 0 || forecast.deaths == 2));
        assert_true(forecast.useful_seconds == 1000 * forecast.counts.done);
        if (left == 0 && forecast.deaths == 1) {
            completed++;
            /* the survivor did its own task and the other's, or the other's before that died */
            assert_true(forecast.makespan >= 2000);
            assert_true(forecast.makespan <= 2000 + 60);
        }
        abandoned += left > 0;
    }
    assert_true(completed > 20 && abandoned > 20);
}

/* The seed is all that chance depends on. */
static void a_seed_repeats(void **state)
{
    (void)state;
    struct grid grid;
    make_grid(&grid);
    struct sched_conditions conditions = {
        .workers = 6, .max_attempts = 3, .failures = 0.1, .losses = 20, .silence = 5, .seed = 7};
    struct sched_forecast one = simulate(&grid, conditions), again = simulate(&grid, conditions);
    assert_memory_equal(&one, &again, sizeof one);
    assert_true(one.deaths > 0 && one.retries > 0);
    conditions.seed = 8;
    struct sched_forecast other = simulate(&grid, conditions);
    assert_true(other.makespan != one.makespan);
}

/* --- signs of life --- */

static void signs_of_life_are_bounded(void **state)
{
    (void)state;
    assert_true(sched_heartbeat(0, 1) == 1 && sched_heartbeat(60, 500) == 1);
    assert_true(sched_heartbeat(1, 1) == 0.25);   /* four within the silence */
    assert_true(sched_heartbeat(60, 5000) == 10); /* 500 a second of all */
    assert_true(sched_heartbeat(0, 10000) == 20);
    assert_true(sched_heartbeat(60, 100000) == 15); /* silence bounds before the load does */
    assert_true(sched_heartbeat(800, 100000) == 200);
    struct grid grid = {0};
    add(&grid, -1, 1000);
    struct sched_conditions conditions = {.workers = 4, .silence = 60};
    assert_int_equal(simulate(&grid, conditions).signs_of_life, 4 * 1000);
    conditions.workers = 5000;
    assert_int_equal(simulate(&grid, conditions).signs_of_life, 500 * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_ahead_holds_up_no_chain),
        cmocka_unit_test(the_longest_chain_goes_first),
        cmocka_unit_test(makespan_lies_between_its_bounds),
        cmocka_unit_test(what_is_left_is_shorter),
        cmocka_unit_test(below_diverged_nothing_runs),
        cmocka_unit_test(workers_worth_are_the_most_that_are_busy),
        cmocka_unit_test(failures_are_tried_again),
        cmocka_unit_test(the_last_attempt_is_the_last),
        cmocka_unit_test(the_dead_are_missed),
        cmocka_unit_test(a_seed_repeats),
        cmocka_unit_test(signs_of_life_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
