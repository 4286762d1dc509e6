/* Asking a file why it could not be written changes nothing in it, stays within the range asked
 * for, and finds a failure anywhere in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/storage.h"

#define BYTES 20000

static void fill(char *bytes)
{
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (char)(i * 7 % 251);
}

static int open_sample(int flags)
{
    char path[] = "/tmp/storage-XXXXXX", bytes[BYTES];
    int fd = mkstemp(path);
    fill(bytes);
    assert_int_equal(write(fd, bytes, BYTES), BYTES);
    int again = open(path, flags);
    close(fd);
    unlink(path);
    return again;
}

static void test_nothing_is_changed(void **state)
{
    (void)state;
    char before[BYTES], after[BYTES];
    int fd = open_sample(O_RDWR);
    fill(before);
    assert_int_equal(storage_probe_write(fd, 100, BYTES - 200), 0);
    assert_int_equal(storage_probe_write(fd, BYTES - 10, 5000), 0); /* over the end */
    assert_int_equal(storage_probe_read(fd, 0, BYTES), 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), BYTES);
    assert_int_equal(pread(fd, after, BYTES, 0), BYTES);
    assert_memory_equal(before, after, BYTES);
    close(fd);
}

static void test_a_file_that_cannot_be_written(void **state)
{
    (void)state;
    int fd = open_sample(O_RDONLY);
    assert_int_equal(storage_probe_write(fd, 0, 10), EBADF);
    assert_int_equal(storage_probe_read(fd, 0, 10), 0);
    close(fd);
}

/* A file that may be written up to some byte: the reason stands beyond it. */
static void test_a_failure_in_the_middle(void **state)
{
    (void)state;
    int fd = open_sample(O_RDWR), status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){12000, 12000});
        int within = storage_probe_write(fd, 0, 12000), beyond = storage_probe_write(fd, 0, BYTES);
        _exit(within == 0 && beyond == EFBIG ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(fd);
}

static void test_what_is_said(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(storage_error(&err, EDQUOT, "s.h5"), -1);
    assert_int_equal(err.class, ERROR_STORAGE);
    assert_int_equal(error_exit_status(&err), 75);
    assert_string_equal(err.text, "s.h5: Disk quota exceeded; free some of your quota there, or "
                                  "have it raised");
    storage_error(&err, 0, "it failed");
    assert_string_equal(err.text, "it failed; see what is wrong with its file system");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_changed),
        cmocka_unit_test(test_a_file_that_cannot_be_written),
        cmocka_unit_test(test_a_failure_in_the_middle),
        cmocka_unit_test(test_what_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
