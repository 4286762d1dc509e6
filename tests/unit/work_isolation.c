/* What tasks do to their process ends the task and nothing else. Each task here is one mishap. */
#include "work_support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/file.h"
#include "work/isolation.h"

enum task { FINE, CRASH, KILLED, EXIT, HUNG, ENDLESS, HUNGRY, BROKEN, STOPPABLE, PID };

static void spin(double seconds)
{
    for (double end = clock_seconds() + seconds; clock_seconds() < end;)
        usleep(500);
}

static int eat(struct work_outcome *outcome)
{
    const size_t piece = 64 << 20;
    for (int i = 0; i < 64; i++) {
        char *memory = malloc(piece);
        if (memory == NULL) {
            outcome->status = WORK_FAILED;
            outcome->result.reason = STORE_REASON_MEMORY;
            return 0;
        }
        memset(memory, 1, piece);
    }
    return 0;
}

static int run(void *self, int32_t task, const struct work_hooks *hooks,
               struct work_outcome *outcome, struct error *err)
{
    int *runs = self;
    *outcome = (struct work_outcome){.status = WORK_DONE, .result = store_result_pending()};
    outcome->digest = (uint64_t)++ * runs;
    switch ((enum task)task) {
    case CRASH:
        raise(SIGSEGV);
        break;
    case KILLED:
        raise(SIGKILL);
        break;
    case EXIT:
        _exit(7);
    case HUNG:
        hooks->progress(hooks->user, 1);
        spin(60);
        break;
    case ENDLESS:
    case STOPPABLE:
        for (double i = 0; i < 1e5; i++) {
            spin(1e-3);
            if (hooks->progress(hooks->user, i)) {
                outcome->status = WORK_INTERRUPTED;
                return 0;
            }
        }
        break;
    case HUNGRY:
        return eat(outcome);
    case BROKEN:
        return error_set(err, ERROR_INTERNAL, "the executor is broken");
    case PID:
        outcome->digest = (uint64_t)getpid();
        break;
    case FINE:
        break;
    }
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static int make(void *user, const void *bytes, size_t size, struct executor *executor,
                struct error *err)
{
    (void)user;
    if (size > 0 && strcmp(bytes, "refuse") == 0)
        return error_set(err, ERROR_USAGE, "refused as asked");
    *executor = (struct executor){.self = calloc(1, sizeof(int)), .run = run, .destroy = destroy};
    return 0;
}

struct world {
    struct isolation *isolation;
    struct executor executor;
};

static struct world world_begin(struct isolation_limits limits)
{
    struct world world;
    struct error err = {0};
    struct isolation_setup setup = {.make = make, .limits = limits};
    world.isolation = isolation_start(&setup, &err);
    bench_check(world.isolation == NULL, &err);
    bench_check(isolation_begin(world.isolation, NULL, 0, &world.executor, &err) != 0, &err);
    return world;
}

static void world_end(struct world *world)
{
    world->executor.destroy(world->executor.self);
    isolation_end(world->isolation);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no process is left */
    assert_int_equal(errno, ECHILD);
}

static struct work_outcome do_task(struct world *world, enum task task,
                                   const struct work_hooks *hooks)
{
    struct work_outcome outcome;
    struct error err = {0};
    int failed = world->executor.run(world->executor.self, (int32_t)task, hooks, &outcome, &err);
    bench_check(failed, &err);
    return outcome;
}

static void assert_fails(struct world *world, enum task task, enum store_reason reason,
                         const char *message)
{
    struct work_outcome outcome = do_task(world, task, NULL);
    assert_int_equal(outcome.status, WORK_FAILED);
    assert_int_equal(outcome.result.status, STORE_FAILED);
    assert_int_equal(outcome.result.reason, reason);
    if (strstr(outcome.result.message, message) == NULL)
        fail_msg("'%s' does not say '%s'", outcome.result.message, message);
    assert_int_equal(do_task(world, FINE, NULL).status, WORK_DONE); /* life goes on */
}

static void test_tasks_of_one_trainer_follow_each_other(void **state)
{
    (void)state;
    struct world world = world_begin((struct isolation_limits){0});
    for (uint64_t i = 1; i <= 200; i++)
        assert_int_equal(do_task(&world, FINE, NULL).digest, i);
    world_end(&world);
}

static void test_ends_are_told_apart(void **state)
{
    (void)state;
    struct world world = world_begin((struct isolation_limits){.standstill = 0.3, .seconds = 1});
    assert_fails(&world, CRASH, STORE_REASON_CRASH, "Segmentation fault");
    assert_fails(&world, KILLED, STORE_REASON_MEMORY, "killed");
    assert_fails(&world, EXIT, STORE_REASON_CRASH, "status 7");
    assert_fails(&world, HUNG, STORE_REASON_TIME, "no step for 0.3 seconds");
    assert_fails(&world, ENDLESS, STORE_REASON_TIME, "longer than its limit of 1 seconds");
    world_end(&world);
}

static void test_memory_has_a_limit(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* memory is not limited under it */
#endif
    struct world world = world_begin((struct isolation_limits){.memory = 512 << 20});
    struct work_outcome outcome = do_task(&world, HUNGRY, NULL);
    assert_int_equal(outcome.status, WORK_FAILED);
    assert_int_equal(outcome.result.reason, STORE_REASON_MEMORY);
    world_end(&world);
}

static void test_errors_of_the_executor_come_through(void **state)
{
    (void)state;
    struct world world = world_begin((struct isolation_limits){0});
    struct work_outcome outcome;
    struct error err = {0};
    assert_int_equal(world.executor.run(world.executor.self, BROKEN, NULL, &outcome, &err), -1);
    assert_int_equal(err.class, ERROR_INTERNAL);
    assert_string_equal(err.text, "the executor is broken");
    world_end(&world);

    struct isolation_setup setup = {.make = make};
    struct isolation *isolation = isolation_start(&setup, &err);
    assert_int_equal(isolation_begin(isolation, "refuse", 6, &world.executor, &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_string_equal(err.text, "refused as asked");
    isolation_end(isolation);
}

static bool stop_at_five(void *user, double iteration)
{
    double *seen = user;
    *seen = iteration;
    return iteration >= 5;
}

static void test_progress_is_seen_and_a_wish_to_stop_passed_on(void **state)
{
    (void)state;
    double seen = -1;
    struct work_hooks hooks = {.user = &seen, .progress = stop_at_five};
    struct world world = world_begin((struct isolation_limits){0});
    assert_int_equal(do_task(&world, STOPPABLE, &hooks).status, WORK_INTERRUPTED);
    assert_true(seen >= 5);
    assert_int_equal(do_task(&world, FINE, NULL).status, WORK_DONE);
    world_end(&world);
}

/* Killed between tasks, a trainer is replaced and no task notices. */
static void test_an_idle_trainer_may_die(void **state)
{
    (void)state;
    struct world world = world_begin((struct isolation_limits){0});
    for (int i = 0; i < 20; i++) {
        pid_t trainer = (pid_t)do_task(&world, PID, NULL).digest;
        assert_int_equal(kill(trainer, SIGKILL), 0);
        if (i % 2 == 0)
            spin(0.01);
        struct work_outcome outcome = do_task(&world, PID, NULL);
        /* Without a pause the task may meet the trainer that is about to die. */
        if (i % 2 == 0 || outcome.status == WORK_DONE)
            assert_true((pid_t)outcome.digest != trainer);
    }
    world_end(&world);
}

static bool is_gone(pid_t pid)
{
    for (int i = 0; i < 400; i++) {
        if (kill(pid, 0) != 0)
            return true;
        usleep(5000);
    }
    return false;
}

/* Nothing outlives a front that is killed. Orphans come to this process and are reaped here. */
static void test_all_end_with_the_front(void **state)
{
    (void)state;
    volatile pid_t *trainer =
        mmap(NULL, sizeof *trainer, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t front = fork();
    if (front == 0) {
        struct world world = world_begin((struct isolation_limits){0});
        *trainer = (pid_t)do_task(&world, PID, NULL).digest;
        pause();
    }
    while (*trainer == 0)
        usleep(1000);
    assert_int_equal(kill(*trainer, 0), 0);
    kill(front, SIGKILL);
    waitpid(front, NULL, 0);
    assert_true(is_gone(*trainer));
    munmap((void *)trainer, sizeof *trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tasks_of_one_trainer_follow_each_other),
        cmocka_unit_test(test_ends_are_told_apart),
        cmocka_unit_test(test_memory_has_a_limit),
        cmocka_unit_test(test_errors_of_the_executor_come_through),
        cmocka_unit_test(test_progress_is_seen_and_a_wish_to_stop_passed_on),
        cmocka_unit_test(test_an_idle_trainer_may_die),
        cmocka_unit_test(test_all_end_with_the_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
