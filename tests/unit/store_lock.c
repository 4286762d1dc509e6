/* One run at a time: who else comes is told who holds the store; nobody is locked out by the dead.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "store_sample.h"

struct fixture {
    char folder[64], path[96], lock[112];
};

static int setup(void **state)
{
    static struct fixture fixture;
    sample_folder(fixture.folder);
    snprintf(fixture.path, sizeof fixture.path, "%s/a.h5", fixture.folder);
    snprintf(fixture.lock, sizeof fixture.lock, "%s.lock", fixture.path);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    return rmdir(fixture->folder); /* a lock file left behind fails the test */
}

static void test_free_again_after_release(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        struct error err = {0};
        struct store_lock *lock = store_lock_take(fixture->path, &err);
        assert_non_null(lock);
        assert_int_equal(access(fixture->lock, F_OK), 0);
        store_lock_release(lock);
        assert_int_not_equal(access(fixture->lock, F_OK), 0);
    }
    store_lock_release(NULL);
}

static void test_held_twice_in_a_process(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct store_lock *lock = store_lock_take(fixture->path, &err);
    assert_null(store_lock_take(fixture->path, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    /* Closing some other descriptor of the file must not drop the lock. */
    close(open(fixture->lock, O_RDWR));
    assert_null(store_lock_take(fixture->path, &err));
    store_lock_release(lock);
}

static void set_job(const char *job, const char *restarts)
{
    setenv("SLURM_JOB_ID", job, 1);
    setenv("SLURM_RESTART_COUNT", restarts, 1);
}

static void forget_job(void)
{
    unsetenv("SLURM_JOB_ID");
    unsetenv("SLURM_RESTART_COUNT");
}

/* A child, the first restart of a job, that takes the lock, says so, and does with it what `hold`
 * does. */
static pid_t start_job(const char *path, const char *job, void (*hold)(struct store_lock *lock))
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        set_job(job, "1");
        struct store_lock *lock = store_lock_take(path, NULL);
        if (lock == NULL || write(ready[1], "x", 1) != 1)
            _exit(1);
        hold(lock);
    }
    char byte;
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void hold_for_ever(struct store_lock *lock)
{
    (void)lock;
    for (;;)
        pause();
}

static pid_t start_holder(const char *path)
{
    return start_job(path, "4711", hold_for_ever);
}

static void test_the_holder_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    char pid[32], host[64];
    pid_t child = start_holder(fixture->path);
    assert_null(store_lock_take(fixture->path, &err));
    snprintf(pid, sizeof pid, "process %d", (int)child);
    gethostname(host, sizeof host);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.text, fixture->path));
    assert_non_null(strstr(err.text, pid));
    assert_non_null(strstr(err.text, host));
    assert_non_null(strstr(err.text, "SLURM job 4711"));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    /* The dead hold nothing, though their file is still there. */
    assert_int_equal(access(fixture->lock, F_OK), 0);
    struct store_lock *lock = store_lock_take(fixture->path, &err);
    assert_non_null(lock);
    store_lock_release(lock);
}

/* Where locks do not reach across nodes, the other host's file and heartbeat are all there is. */
static void write_other_host(const char *lock, time_t silence, const char *job)
{
    FILE *file = fopen(lock, "w");
    fprintf(file, "host: far-away\npid: 12\njob: %s\nsince: 2024-01-01T00:00:00Z\n", job);
    fclose(file);
    const struct timespec then = {.tv_sec = time(NULL) - silence};
    const struct timespec times[2] = {then, then};
    assert_int_equal(utimensat(AT_FDCWD, lock, times, 0), 0);
}

static void test_another_host(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    write_other_host(fixture->lock, 5, "");
    assert_null(store_lock_take(fixture->path, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    char place[160];
    snprintf(place, sizeof place, "%s: another run has this store open: process 12 on far-away",
             fixture->path);
    assert_memory_equal(err.text, place, strlen(place));
    write_other_host(fixture->lock, STORE_LOCK_SILENCE + 5, "");
    struct store_lock *lock = store_lock_take(fixture->path, &err);
    assert_non_null(lock);
    store_lock_release(lock);
}

static void test_the_heart_beats(void **state)
{
    struct fixture *fixture = *state;
    struct store_lock *lock = store_lock_take(fixture->path, NULL);
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct stat status;
    assert_int_equal(utimensat(AT_FDCWD, fixture->lock, times, 0), 0);
    store_lock_beat(lock);
    assert_int_equal(stat(fixture->lock, &status), 0);
    assert_true(status.st_mtime >= time(NULL) - 10);
    store_lock_release(lock);
}

/* Several processes take, check that they are alone, and release, over and over: the race between
 * taking a lock and removing its file. */
static void contend(const struct fixture *fixture, const char *alone)
{
    for (int won = 0; won < 100;) {
        struct store_lock *lock = store_lock_take(fixture->path, NULL);
        if (lock == NULL)
            continue;
        int fd = open(alone, O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (fd < 0)
            _exit(1); /* somebody else is inside */
        close(fd);
        unlink(alone);
        store_lock_release(lock);
        won++;
    }
    _exit(0);
}

static void test_contention(void **state)
{
    struct fixture *fixture = *state;
    char alone[128];
    snprintf(alone, sizeof alone, "%s/alone", fixture->folder);
    for (int i = 0; i < 4; i++)
        if (fork() == 0)
            contend(fixture, alone);
    for (int i = 0; i < 4; i++) {
        int status;
        wait(&status);
        assert_int_equal(status, 0);
    }
}

/* --- the run and its writer --- */

#define REPLACED 7

/* A child that joins the run as its writer and leaves when it is replaced. */
static pid_t start_writer(const char *path, const char *generation)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store_lock *lock = store_lock_join(path, generation, NULL);
        if (lock == NULL || write(ready[1], "x", 1) != 1)
            _exit(1);
        while (store_lock_check(lock, NULL) == 0)
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        _exit(REPLACED);
    }
    char byte;
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

/* Starts a run whose writer is another process, and kills all but the writer, which it returns. */
static pid_t leave_a_writer(const char *path)
{
    char generation[STORE_GENERATION_SIZE];
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t run = fork();
    if (run == 0) {
        struct store_lock *lock = store_lock_take(path, NULL);
        store_lock_leave_writing(lock);
        if (write(told[1], store_lock_generation(lock), STORE_GENERATION_SIZE) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(told[0], generation, sizeof generation), sizeof generation);
    close(told[0]);
    close(told[1]);
    pid_t writer = start_writer(path, generation);
    kill(run, SIGKILL);
    waitpid(run, NULL, 0);
    return writer;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void assert_leaves(pid_t writer)
{
    int status;
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), REPLACED);
}

static void test_a_writer_leaves_when_it_is_replaced(void **state)
{
    struct fixture *fixture = *state;
    pid_t writer = leave_a_writer(fixture->path);
    assert_int_equal(waitpid(writer, NULL, WNOHANG), 0);
    double start = seconds_now();
    struct store_lock *lock = store_lock_take(fixture->path, NULL);
    assert_non_null(lock);
    assert_true(seconds_now() - start < 8);
    assert_leaves(writer);
    assert_int_equal(store_lock_check(lock, NULL), 0);
    store_lock_release(lock);
}

static void test_a_writer_that_stands_still_is_not_waited_for_long(void **state)
{
    struct fixture *fixture = *state;
    pid_t writer = leave_a_writer(fixture->path);
    kill(writer, SIGSTOP);
    double start = seconds_now();
    struct store_lock *lock = store_lock_take(fixture->path, NULL);
    double waited = seconds_now() - start;
    assert_non_null(lock);
    assert_true(waited > 9 && waited < 30);
    kill(writer, SIGCONT);
    assert_leaves(writer);
    store_lock_release(lock);
}

/* --- SLURM starts a job anew whose node it gave up --- */

static void hold_until_replaced(struct store_lock *lock)
{
    while (store_lock_check(lock, NULL) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    store_lock_release(lock);
    _exit(REPLACED);
}

static void test_a_run_that_slurm_gave_up_is_told_to_end(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    pid_t before = start_job(fixture->path, "12", hold_until_replaced);
    set_job("12", "1"); /* beside it, in the same job */
    assert_null(store_lock_take(fixture->path, &err));
    set_job("13", "2"); /* another job */
    assert_null(store_lock_take(fixture->path, &err));
    assert_int_equal(waitpid(before, NULL, WNOHANG), 0);
    set_job("12", "2");
    struct store_lock *lock = store_lock_take(fixture->path, &err);
    assert_non_null(lock);
    assert_leaves(before);
    assert_int_equal(store_lock_check(lock, &err), 0);
    store_lock_release(lock);
    forget_job();
}

static void test_a_node_that_slurm_gave_up_is_not_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    write_other_host(fixture->lock, 1, "12");
    set_job("12", "0");
    assert_null(store_lock_take(fixture->path, &err));
    set_job("12", "1");
    struct store_lock *lock = store_lock_take(fixture->path, &err);
    assert_non_null(lock);
    store_lock_release(lock);
    forget_job();
}

static void test_a_file_that_is_gone(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct store_lock *lock = store_lock_take(fixture->path, NULL);
    assert_int_equal(unlink(fixture->lock), 0);
    assert_int_not_equal(store_lock_check(lock, &err), 0);
    assert_non_null(strstr(err.text, "is gone"));
    /* The next run's file is not this run's to remove. */
    struct store_lock *next = store_lock_take(fixture->path, &err);
    assert_non_null(next);
    assert_int_not_equal(store_lock_check(lock, &err), 0);
    assert_non_null(strstr(err.text, "another run's"));
    store_lock_release(lock);
    assert_int_equal(store_lock_check(next, &err), 0);
    store_lock_release(next);
}

static void test_joining_another_run(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    assert_null(store_lock_join(fixture->path, "0123456789abcdef", &err));
    struct store_lock *lock = store_lock_take(fixture->path, &err);
    assert_null(store_lock_join(fixture->path, "0123456789abcdef", &err));
    assert_null(store_lock_join(fixture->path, "", &err));
    store_lock_leave_writing(lock);
    struct store_lock *rank = store_lock_join(fixture->path, store_lock_generation(lock), &err);
    assert_non_null(rank);
    store_lock_release(rank);
    assert_int_equal(store_lock_check(lock, &err), 0); /* ranks come and go */
    store_lock_release(lock);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_free_again_after_release),
        TEST(test_held_twice_in_a_process),
        TEST(test_the_holder_is_named),
        TEST(test_another_host),
        TEST(test_the_heart_beats),
        TEST(test_contention),
        TEST(test_a_writer_leaves_when_it_is_replaced),
        TEST(test_a_writer_that_stands_still_is_not_waited_for_long),
        TEST(test_a_run_that_slurm_gave_up_is_told_to_end),
        TEST(test_a_node_that_slurm_gave_up_is_not_waited_for),
        TEST(test_a_file_that_is_gone),
        TEST(test_joining_another_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
