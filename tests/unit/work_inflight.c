/* A task that is interrupted, however often and wherever it goes on, leaves the same bits. */
#include "work_support.h"

#include "base/rng.h"

/* Two workers' slots of one checkpoint file. */
struct desk {
    struct bench bench;
    struct work_saving saving[2];
};

static void renew(struct desk *desk)
{
    struct error err = {0};
    struct hash128 keys[32];
    struct checkpoint_setup setup = {
        .store_file = desk->bench.path,
        .identity = store_identity(desk->bench.store),
        .slots = 2,
        .slot_bytes = work_state_bytes(desk->bench.plan),
        .keys = keys,
        .key_count = desk->bench.plan->task_count,
    };
    for (int32_t i = 0; i < setup.key_count; i++)
        keys[i] = desk->bench.plan->tasks[i].key;
    bench_check(checkpoint_renew(&setup, &err) != 0, &err);
    for (int i = 0; i < 2; i++) {
        checkpoint_close(desk->saving[i].checkpoint);
        desk->saving[i].checkpoint = checkpoint_open(desk->bench.path, i, &err);
        bench_check(desk->saving[i].checkpoint == NULL, &err);
        desk->saving[i].every = 1e-3; /* nearly every step */
    }
}

static void desk_begin(struct desk *desk)
{
    *desk = (struct desk){0};
    bench_begin(&desk->bench, WORK_GRID);
    renew(desk);
}

static void desk_end(struct desk *desk)
{
    for (int i = 0; i < 2; i++)
        checkpoint_close(desk->saving[i].checkpoint);
    checkpoint_remove(desk->bench.path);
    bench_end(&desk->bench);
}

/* How far a task comes before it is interrupted. */
struct leash {
    int64_t steps, first;
    int64_t taken;
    double nap; /* seconds before each step */
};

static bool pull(void *user, double iteration)
{
    struct leash *leash = user;
    if (iteration != floor(iteration)) /* while evaluating */
        return false;
    if (leash->taken == 0)
        leash->first = (int64_t)iteration;
    usleep((useconds_t)(1e6 * leash->nap));
    return leash->taken++ >= leash->steps;
}

static struct work_outcome run(struct desk *desk, int slot, int32_t task, struct leash *leash)
{
    struct executor executor;
    struct work_outcome outcome;
    struct work_hooks hooks = {.user = leash, .progress = pull};
    struct error err = {0};
    struct bench *bench = &desk->bench;
    const struct work_saving *saving = slot < 0 ? NULL : &desk->saving[slot];
    bench_check(executor_create_real(&executor, bench->plan, bench->store, saving, &err) != 0,
                &err);
    bench_check(executor.run(executor.self, task, &hooks, &outcome, &err) != 0, &err);
    executor.destroy(executor.self);
    return outcome;
}

static void interrupted_tasks_end_in_the_same_bits(void **state)
{
    struct desk desk;
    struct rng_stream draws = {.seed = 11, .purpose = RNG_GENERATOR};
    uint64_t drawn = 0;
    (void)state;
    desk_begin(&desk);
    for (int32_t task = 0; task < desk.bench.plan->task_count; task++) {
        struct error err = {0};
        struct leash free = {.steps = INT64_MAX};
        struct work_outcome whole = run(&desk, -1, task, &free), outcome;
        int64_t start = desk.bench.plan->tasks[task].start_iteration, reached = start;
        int slot = 0;
        assert_int_equal(whole.status, WORK_DONE);
        do {
            struct leash leash = {.steps = (int64_t)rng_below(draws, drawn++, 9)};
            if (drawn % 5 == 0)
                renew(&desk);
            outcome = run(&desk, slot, task, &leash);
            assert_int_equal(leash.first, reached); /* where it was left, not where it began */
            reached += leash.steps;
            slot = 1 - slot;
        } while (outcome.status == WORK_INTERRUPTED);
        assert_int_equal(outcome.status, WORK_DONE);
        assert_true(outcome.digest == whole.digest);
        assert_true(store_result_checksum(outcome.digest, &outcome.result) ==
                    store_result_checksum(whole.digest, &whole.result));
        bench_check(store_commit(desk.bench.store, task, outcome.digest, &outcome.result, &err),
                    &err);
    }
    desk_end(&desk);
}

/* Its time is that of all attempts. */
static void seconds_add_up(void **state)
{
    struct desk desk;
    const double nap = 0.05;
    struct leash slow = {.steps = 5, .nap = nap}, quick = {.steps = 5};
    (void)state;
    desk_begin(&desk);
    run(&desk, 0, 0, &slow);
    assert_true(run(&desk, 0, 0, &quick).seconds >= 5 * nap);
    desk_end(&desk);
}

/* A state that cannot be written ends the process: the task cannot be blamed. */
static void a_save_that_fails_is_no_failure_of_the_task(void **state)
{
    struct desk desk;
    struct executor executor;
    struct work_outcome outcome;
    struct leash leash = {.steps = 5};
    struct work_hooks hooks = {.user = &leash, .progress = pull};
    struct error err = {0};
    (void)state;
    desk_begin(&desk);
    struct checkpoint_setup small = {
        desk.bench.path, store_identity(desk.bench.store), 2, 4096, NULL, 0};
    bench_check(checkpoint_renew(&small, &err) != 0, &err);
    checkpoint_close(desk.saving[0].checkpoint);
    desk.saving[0].checkpoint = checkpoint_open(desk.bench.path, 0, &err);
    bench_check(executor_create_real(&executor, desk.bench.plan, desk.bench.store, &desk.saving[0],
                                     &err) != 0,
                &err);
    assert_int_equal(executor.run(executor.self, 0, &hooks, &outcome, &err), -1);
    assert_non_null(strstr(err.text, "slot"));
    executor.destroy(executor.self);
    desk_end(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_tasks_end_in_the_same_bits),
        cmocka_unit_test(seconds_add_up),
        cmocka_unit_test(a_save_that_fails_is_no_failure_of_the_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
