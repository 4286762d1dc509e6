/* The supervisor's small parts: the status file, the scratch folder, the figures of progress, the
 * file of hosts, the choice of cores. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/dist/gauge.h"
#include "../../src/dist/hosts.h"
#include "../../src/dist/peer.h"
#include "../../src/dist/pin.h"
#include "../../src/dist/scratch.h"
#include "../../src/dist/status.h"
#include "../../src/dist/wait.h"
#include "base/file.h"

/* --- the status file --- */

static void a_status_comes_back_as_written(void **state)
{
    char folder[] = "/tmp/dist-test-XXXXXX", store[64], path[96];
    struct status read, status = {.code = 2, .together = true, .err.class = ERROR_USAGE};
    struct error err = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(store, sizeof store, "%s/s.h5", folder);
    snprintf(path, sizeof path, "%s.status", store);
    assert_false(status_read(store, &read));
    snprintf(status.err.text, sizeof status.err.text, "one line\nand another");
    assert_int_equal(status_write(store, &status, &err), 0);
    assert_true(status_read(store, &read));
    assert_int_equal(read.code, 2);
    assert_true(read.together);
    assert_int_equal(read.err.class, ERROR_USAGE);
    assert_string_equal(read.err.text, status.err.text);
    status = (struct status){.code = STATUS_RELAUNCH};
    assert_int_equal(status_write(store, &status, &err), 0);
    assert_true(status_read(store, &read));
    assert_int_equal(read.code, STATUS_RELAUNCH);
    assert_false(read.together);
    /* What is no status is none. */
    static const char *const wrong[] = {"", "0", "0 1 9\n", "x y z\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(file_replace(path, wrong[i], strlen(wrong[i]), &err), 0);
        assert_false(status_read(store, &read));
    }
    status_remove(store);
    assert_int_equal(rmdir(folder), 0);
}

/* --- the scratch folder --- */

static void make_old_folder(const char *path)
{
    struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
}

static void scratch_goes_with_all_that_is_in_it(void **state)
{
    struct scratch scratch;
    struct error err = {0};
    char inner[128], name[32];
    (void)state;
    assert_int_equal(scratch_create(&scratch, &err), 0);
    snprintf(name, sizeof name, "/sweepstake.%ld.", (long)getpid());
    assert_non_null(strstr(scratch.path, name));
    snprintf(inner, sizeof inner, "%s/session", scratch.path);
    assert_int_equal(mkdir(inner, 0700), 0);
    strcat(inner, "/segment");
    assert_int_equal(file_replace(inner, "x", 1, &err), 0);
    scratch_remove(&scratch);
    assert_int_equal(access(scratch.path, F_OK), -1);
}

static void the_scratch_of_a_dead_supervisor_is_removed(void **state)
{
    char abandoned[64], held[64], path[96];
    struct scratch scratch;
    struct error err = {0};
    (void)state;
    snprintf(abandoned, sizeof abandoned, "/tmp/sweepstake.%d.a", (int)getpid());
    snprintf(held, sizeof held, "/tmp/sweepstake.%d.b", (int)getpid());
    make_old_folder(abandoned);
    assert_int_equal(mkdir(held, 0700), 0);
    snprintf(path, sizeof path, "%s/supervisor", held);
    int lock = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, held, long_ago, 0), 0);
    assert_int_equal(scratch_create(&scratch, &err), 0);
    scratch_remove(&scratch);
    assert_int_equal(access(abandoned, F_OK), -1);
    assert_int_equal(access(held, F_OK), 0);
    close(lock);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(held), 0);
}

/* --- peers --- */

static void a_process_that_ended_is_noticed(void **state)
{
    struct peer peer;
    int hold[2];
    char byte;
    (void)state;
    assert_int_equal(pipe(hold), 0);
    pid_t child = fork();
    if (child == 0) {
        close(hold[1]);
        _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    peer_self(&peer);
    assert_int_equal(peer.pid, getpid());
    assert_true(peer.host[0] != '\0');
    peer.pid = child;
    int watch = peer_watch(&peer);
    if (watch < 0)
        skip(); /* this kernel cannot tell */
    assert_false(peer_has_ended(watch));
    close(hold[0]);
    close(hold[1]);
    for (int i = 0; i < 500 && !peer_has_ended(watch); i++)
        sleep_seconds(0.01);
    assert_true(peer_has_ended(watch));
    close(watch);
    peer.pid_space++;
    assert_int_equal(peer_watch(&peer), -1); /* on another machine */
    assert_false(peer_has_ended(-1));
}

/* --- progress --- */

static void figures_follow_the_heartbeats(void **state)
{
    struct plan_training training = {.iterations = 100};
    struct plan_task tasks[2] = {{.parent = -1}, {.parent = 0, .level = 1, .start_iteration = 20}};
    struct plan plan = {.tasks = tasks, .task_count = 2, .trainings = &training};
    struct sched_task scheduled[2] = {{.parent = -1, .cost = 1}, {.parent = 0, .cost = 1}};
    struct sched_limits limits = {.max_attempts = 1};
    struct error err = {0};
    struct gauge gauge;
    (void)state;
    struct sched *sched = sched_create(scheduled, 2, 2, limits, &err);
    assert_non_null(sched);
    assert_int_equal(gauge_init(&gauge, &plan, 2, 0, 10.0, &err), 0);
    assert_true(isnan(gauge_read(&gauge, sched, 10.0)->iterations_a_second));
    gauge_task(&gauge, 0, 0);
    gauge_task(&gauge, 1, 1);
    gauge_iteration(&gauge, 0, 0, 50);
    gauge_iteration(&gauge, 1, 1, 40);
    gauge_iteration(&gauge, 1, 0, 90); /* of a task it has no more */
    const struct progress *progress = gauge_read(&gauge, sched, 12.0);
    assert_int_equal(progress->total, 2);
    assert_int_equal(progress->left, 2);
    assert_true(progress->elapsed == 2.0);
    assert_true(progress->iterations_a_second == 35.0); /* 50 and 20 in two seconds */
    assert_string_equal(progress->workers[0].what, "dense");
    assert_string_equal(progress->workers[1].what, "ticket");
    assert_int_equal(progress->workers[1].level, 1);
    gauge_iteration(&gauge, 0, 0, INFINITY); /* done */
    assert_true(gauge.workers[0].iteration == 100);
    gauge_task(&gauge, 0, -1);
    assert_int_equal(gauge_read(&gauge, sched, 12.0)->workers[0].task, -1);
    gauge_finish(&gauge);
    sched_destroy(sched);
}

static void the_last_rate_is_that_of_the_whole_run(void **state)
{
    struct plan_training training = {.iterations = 100};
    struct plan_task tasks[2] = {{.parent = -1}, {.parent = -1}};
    struct plan plan = {.tasks = tasks, .task_count = 2, .trainings = &training};
    struct sched_task scheduled[2] = {{.parent = -1, .state = TASK_DONE},
                                      {.parent = -1, .state = TASK_DONE}};
    struct sched_limits limits = {.max_attempts = 1};
    struct error err = {0};
    struct gauge gauge;
    (void)state;
    struct sched *sched = sched_create(scheduled, 2, 1, limits, &err);
    assert_non_null(sched);
    assert_int_equal(gauge_init(&gauge, &plan, 1, 0, 10.0, &err), 0);
    for (int32_t i = 0; i < 2; i++) { /* tasks shorter than any heartbeat */
        gauge_task(&gauge, 0, i);
        gauge_iteration(&gauge, 0, i, INFINITY);
        gauge_task(&gauge, 0, -1);
    }
    assert_true(gauge_read(&gauge, sched, 10.1)->iterations_a_second == 200 / (10.1 - 10.0));
    assert_true(gauge_read(&gauge, sched, 14.0)->iterations_a_second == 50);
    gauge_finish(&gauge);
    sched_destroy(sched);
}

/* --- the batch system's file of hosts --- */

static void assert_hosts(const char *content, int slots, bool several)
{
    char path[] = "/tmp/dist-hosts-XXXXXX";
    struct hosts hosts;
    struct error err = {0};
    int fd = mkstemp(path);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
    setenv("LSB_DJOB_HOSTFILE", path, 1);
    assert_int_equal(hosts_read(&hosts, &err), slots > 0 ? 0 : -1);
    if (slots > 0) {
        assert_string_equal(hosts.file, path);
        assert_int_equal(hosts.slots, slots);
        assert_int_equal(hosts.several, several);
    } else {
        assert_int_equal(err.class, ERROR_USAGE);
        assert_non_null(strstr(err.text, "unset LSB_DJOB_HOSTFILE"));
    }
    unlink(path);
    assert_int_equal(hosts_read(&hosts, &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    unsetenv("LSB_DJOB_HOSTFILE");
}

static void assert_cores(int index, int workers, int threads, uint64_t allowed, uint64_t expected)
{
    cpu_set_t all, chosen;
    CPU_ZERO(&all);
    for (size_t cpu = 0; cpu < 64; cpu++)
        if (allowed >> cpu & 1)
            CPU_SET(cpu, &all);
    CPU_ZERO(&chosen);
    assert_int_equal(pin_choose(&all, (struct seat){index, workers}, threads, &chosen),
                     expected != 0);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        assert_int_equal(CPU_ISSET(cpu, &chosen) != 0, cpu < 64 && (expected >> cpu & 1) != 0);
}

static void workers_that_fill_the_cores_get_their_own(void **state)
{
    (void)state;
    assert_cores(0, 4, 1, 0xf, 0x1);
    assert_cores(3, 4, 1, 0xf, 0x8);
    assert_cores(0, 2, 2, 0xf, 0x3);
    assert_cores(1, 2, 2, 0xf, 0xc);
    assert_cores(1, 2, 2, 0xf0a0, 0); /* six cores */
    assert_cores(1, 3, 2, 0xf0a0, 0x3000);
    assert_cores(0, 3, 1, 0xf, 0);
    assert_cores(0, 5, 1, 0xf, 0);
    assert_cores(0, 1, 4, 0xf, 0xf);
}

static void hosts_are_a_line_a_slot(void **state)
{
    (void)state;
    struct hosts hosts;
    assert_int_equal(hosts_read(&hosts, NULL), 0);
    assert_null(hosts.file);
    assert_hosts("a\nb\na\nb\n", 4, true);
    assert_hosts("a\na\n", 2, false);
    assert_hosts("\r\n a.b.c 1\r\na.b.c", 2, false);
    assert_hosts("node1\nnode12", 2, true);
    assert_hosts("", 0, false);
    assert_hosts(" \n\n", 0, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_comes_back_as_written),
        cmocka_unit_test(scratch_goes_with_all_that_is_in_it),
        cmocka_unit_test(the_scratch_of_a_dead_supervisor_is_removed),
        cmocka_unit_test(a_process_that_ended_is_noticed),
        cmocka_unit_test(figures_follow_the_heartbeats),
        cmocka_unit_test(the_last_rate_is_that_of_the_whole_run),
        cmocka_unit_test(hosts_are_a_line_a_slot),
        cmocka_unit_test(workers_that_fill_the_cores_get_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
