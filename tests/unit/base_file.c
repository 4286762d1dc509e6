/* Files and log lines, in a temporary folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"

static int enter_folder(void **state)
{
    static char folder[] = "sweepstake-test-XXXXXX";
    *state = mkdtemp(folder);
    return *state != NULL ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
    return chdir("..") == 0 ? rmdir(*state) : -1;
}

static void test_replace_and_read(void **state)
{
    (void)state;
    struct error err = {0};
    char *bytes, large[10000];
    size_t length;
    memset(large, 'x', sizeof large);
    assert_int_equal(file_replace("f", large, sizeof large, &err), 0);
    assert_int_equal(file_read("f", sizeof large, &bytes, &length, &err), 0);
    assert_int_equal(length, sizeof large);
    assert_memory_equal(bytes, large, sizeof large);
    assert_int_equal(bytes[length], '\0');
    free(bytes);
    assert_int_equal(file_replace("./f", "", 0, &err), 0);
    assert_int_equal(file_read("f", 0, &bytes, &length, &err), 0);
    assert_string_equal(bytes, "");
    free(bytes);
    assert_int_equal(unlink("f"), 0); /* and leave_folder finds no temporary file */
}

static void test_read_refuses(void **state)
{
    (void)state;
    struct error err = {0};
    char *bytes;
    size_t length;
    assert_int_equal(file_read("missing", 10, &bytes, &length, &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_string_equal(err.text, "missing: cannot open: No such file or directory");
    assert_null(bytes);
    assert_int_equal(file_read(".", 10, &bytes, &length, &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_string_equal(err.text, ".: cannot read: Is a directory");
    assert_int_equal(file_replace("f", "12345", 5, &err), 0);
    assert_int_equal(file_read("f", 4, &bytes, &length, &err), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_string_equal(err.text, "f: larger than the 4 bytes that may be read");
    assert_null(bytes);
    assert_int_equal(unlink("f"), 0);
}

static void test_replace_fails_cleanly(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(file_replace("missing/f", "x", 1, &err), -1);
    assert_int_equal(err.class, ERROR_RESOURCE);
    assert_string_equal(err.text, "missing/f: cannot write: No such file or directory");
    assert_int_equal(mkdir("folder", 0777), 0);
    assert_int_equal(file_replace("folder", "x", 1, &err), -1); /* leaves no temporary file */
    assert_int_equal(rmdir("folder"), 0);
}

static void count_call(void *user)
{
    ++*(int *)user;
}

static void test_log(void **state)
{
    (void)state;
    int calls = 0, kept = dup(STDERR_FILENO);
    assert_true(kept >= 0);
    assert_non_null(freopen("log", "w", stderr));
    log_set_before_line(count_call, &calls);
    log_line(LOG_DEBUG, "not shown");
    log_line(LOG_INFO, "%d tasks", 3);
    log_line(LOG_ERROR, "%s: %s", "x.h5", "torn");
    log_set_level(LOG_ERROR);
    log_line(LOG_WARNING, "not shown");
    log_line(LOG_ERROR, "%3000s", "cut");
    log_set_before_line(NULL, NULL);
    log_set_level(LOG_INFO);
    fflush(stderr);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);

    char *bytes;
    size_t length;
    assert_int_equal(file_read("log", 10000, &bytes, &length, NULL), 0);
    static const char expected[] = "sweepstake: 3 tasks\nsweepstake: error: x.h5: torn\n";
    assert_memory_equal(bytes, expected, strlen(expected));
    assert_true(length < 3000);
    assert_int_equal(bytes[length - 1], '\n');
    assert_int_equal(calls, 3);
    free(bytes);
    assert_int_equal(unlink("log"), 0);
}

static void test_clock(void **state)
{
    (void)state;
    double before = clock_seconds();
    usleep(2000);
    double passed = clock_seconds() - before;
    assert_true(passed >= 0.002 && passed < 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace_and_read),
        cmocka_unit_test(test_read_refuses),
        cmocka_unit_test(test_replace_fails_cleanly),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
