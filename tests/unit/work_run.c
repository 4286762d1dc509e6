/* The real executor: what a task leaves depends on the task alone. */
#include "work_support.h"

#include <sys/resource.h>

#include "work/speed.h"

static void run_task(struct bench *bench, const struct executor *executor, int32_t task,
                     struct work_outcome *outcome)
{
    struct error err = {0};
    bench_check(executor->run(executor->self, task, NULL, outcome, &err) != 0, &err);
    if (outcome->status == WORK_DONE || outcome->status == WORK_DIVERGED)
        bench_check(store_commit(bench->store, task, outcome->digest, &outcome->result, &err) != 0,
                    &err);
}

static void create(struct bench *bench, struct executor *executor)
{
    struct error err = {0};
    bench_check(executor_create_real(executor, bench->plan, bench->store, NULL, &err) != 0, &err);
}

static void run_all(struct bench *bench, uint64_t *digests)
{
    struct executor executor;
    create(bench, &executor);
    for (int32_t i = 0; i < bench->plan->task_count; i++) {
        struct work_outcome outcome;
        run_task(bench, &executor, i, &outcome);
        assert_int_equal(outcome.status, WORK_DONE);
        digests[i] = outcome.digest;
    }
    executor.destroy(executor.self);
}

static void all_tasks_run_and_verify(void **state)
{
    struct bench bench;
    struct error err = {0};
    uint64_t digests[16];
    uint8_t bad[16];
    (void)state;
    bench_begin(&bench, WORK_GRID);
    run_all(&bench, digests);
    assert_int_equal(store_verify(bench.store, bad, &err), 0);
    bench_end(&bench);
}

static void a_result_depends_on_the_task_alone(void **state)
{
    struct bench bench;
    uint64_t digests[16];
    (void)state;
    bench_begin(&bench, WORK_GRID);
    run_all(&bench, digests);
    /* Each task again, by an executor that has run nothing before and by one that just ran another.
     */
    for (int32_t i = 0; i < bench.plan->task_count; i++) {
        struct executor executor;
        struct work_outcome outcome;
        int32_t other = bench.plan->task_count - 1 - i;
        create(&bench, &executor);
        run_task(&bench, &executor, i, &outcome);
        assert_true(outcome.digest == digests[i]);
        run_task(&bench, &executor, other, &outcome);
        assert_true(outcome.digest == digests[other]);
        executor.destroy(executor.self);
    }
    bench_end(&bench);
}

static void rows_say_what_was_trained(void **state)
{
    struct bench bench;
    struct executor executor;
    struct work_outcome outcome;
    (void)state;
    bench_begin(&bench, WORK_GRID);
    create(&bench, &executor);
    run_task(&bench, &executor, task_at(bench.plan, 0, 0, CONTROL_NONE, 0), &outcome);
    const int64_t weights = 784 * 12 + 12 * 8 + 8 * 10;
    assert_int_equal(outcome.result.status, STORE_DONE);
    assert_int_equal(outcome.result.weights_remaining, weights);
    assert_true(outcome.result.percent_remaining == 100);
    assert_true(outcome.result.early_stop_iteration > 0);
    assert_true(isfinite(outcome.result.scores[PART_TEST][0].accuracy));
    assert_true(isfinite(outcome.result.scores[PART_TRAIN][2].loss)); /* at: [10] */
    assert_true(isnan(outcome.result.scores[PART_TRAIN][3].loss));
    run_task(&bench, &executor, task_at(bench.plan, 0, 1, CONTROL_NONE, 0), &outcome);
    /* 20% of fc, 10% of the output layer, to the nearest weight. */
    const int64_t left = 784 * 12 - 1882 + 12 * 8 - 19 + 8 * 10 - 8;
    assert_int_equal(outcome.result.weights_remaining, left);
    executor.destroy(executor.self);
    bench_end(&bench);
}

static bool interrupt(void *user, double iteration)
{
    (void)user;
    return iteration >= 12;
}

static void an_interrupted_task_leaves_nothing(void **state)
{
    struct bench bench;
    struct executor executor;
    struct work_outcome outcome;
    struct work_hooks hooks = {.progress = interrupt};
    struct store_curve_point point;
    struct error err = {0};
    (void)state;
    bench_begin(&bench, WORK_GRID);
    create(&bench, &executor);
    bench_check(executor.run(executor.self, 0, &hooks, &outcome, &err) != 0, &err);
    assert_int_equal(outcome.status, WORK_INTERRUPTED);
    bench_check(
        store_read_curve(bench.store, bench.plan->tasks[0].curve_offset + 1, 1, &point, &err) != 0,
        &err);
    assert_int_equal(point.iteration, 0);
    executor.destroy(executor.self);
    bench_end(&bench);
}

static void divergence_is_a_result(void **state)
{
    struct bench bench;
    struct executor executor;
    struct work_outcome outcome;
    struct error err = {0};
    uint8_t bad[16];
    (void)state;
    bench_begin(&bench,
                "name: small\narchitecture: lenet-12-8\n"
                "dataset: {name: digits, train: 300, test: 100, validation: 60}\n"
                "train: {iterations: 50, batch: 20, optimizer: {name: sgd, learning_rate: 1e30}}\n"
                "prune: {rounds: 1}\n");
    create(&bench, &executor);
    run_task(&bench, &executor, 0, &outcome);
    assert_int_equal(outcome.status, WORK_DIVERGED);
    assert_int_equal(outcome.result.status, STORE_DIVERGED);
    assert_true(isnan(outcome.result.scores[PART_TEST][1].accuracy));
    assert_int_equal(store_verify(bench.store, bad, &err), 0);
    executor.destroy(executor.self);
    bench_end(&bench);
}

#ifdef __SANITIZE_ADDRESS__
static void a_task_too_large_for_memory_fails_alone(void **state)
{
    (void)state;
    skip(); /* its shadow memory cannot be limited */
}
#else
/* Runs `task` with `bytes` more memory than now; the outcome's reason, -1 = it did not fail. */
static int32_t reason_with_memory(const struct executor *executor, int32_t task, rlim_t bytes)
{
    struct work_outcome outcome;
    struct error err = {0};
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm == NULL || fscanf(statm, "%ld", &pages) != 1)
        return -2;
    fclose(statm);
    struct rlimit limit, before;
    getrlimit(RLIMIT_AS, &before);
    limit = before;
    limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes;
    setrlimit(RLIMIT_AS, &limit);
    int failed = executor->run(executor->self, task, NULL, &outcome, &err);
    setrlimit(RLIMIT_AS, &before);
    if (failed)
        return -2;
    return outcome.status == WORK_FAILED ? outcome.result.reason : -1;
}

static void a_task_too_large_for_memory_fails_alone(void **state)
{
    struct bench bench;
    struct executor executor;
    (void)state;
    bench_begin(&bench, "name: small\narchitecture: lenet-4000-4000\n"
                        "dataset: {name: digits, train: 300, test: 100, validation: 60}\n"
                        "train: {iterations: 1, batch: 20, evaluate: {every: 1}}\n"
                        "prune: {rounds: 1}\nsnapshots: []\n");
    create(&bench, &executor);
    assert_int_equal(reason_with_memory(&executor, 0, 20 << 20), STORE_REASON_MEMORY);
    assert_int_equal(reason_with_memory(&executor, 0, (rlim_t)4 << 30), -1);
    executor.destroy(executor.self);
    bench_end(&bench);
}
#endif

static void speed_is_measured(void **state)
{
    struct error err = {0};
    double seconds = 0;
    struct plan *plan = plan_of(WORK_GRID);
    (void)state;
    bench_check(work_measure_speed(plan, &seconds, &err) != 0, &err);
    assert_true(seconds > 1e-13 && seconds < 1e-6);
    plan_drop(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_tasks_run_and_verify),
        cmocka_unit_test(a_result_depends_on_the_task_alone),
        cmocka_unit_test(rows_say_what_was_trained),
        cmocka_unit_test(an_interrupted_task_leaves_nothing),
        cmocka_unit_test(divergence_is_a_result),
        cmocka_unit_test(a_task_too_large_for_memory_fails_alone),
        cmocka_unit_test(speed_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
