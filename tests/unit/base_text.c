#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"

static void test_growing(void **state)
{
    (void)state;
    struct text text = {0};
    for (int i = 0; i < 100; i++)
        text_add(&text, "%d,", i);
    text_add_bytes(&text, "end", 3);
    text_add_bytes(&text, NULL, 0);
    assert_false(text.failed);
    assert_int_equal(text.length, 10 * 2 + 90 * 3 + 3);
    assert_int_equal(strlen(text.bytes), text.length);
    assert_string_equal(text.bytes + text.length - 6, "99,end");
    text_finish(&text);
    assert_null(text.bytes);
    text_add_bytes(&text, "", 0);
    assert_string_equal(text.bytes, "");
    text_finish(&text);
}

static void test_failure_is_sticky(void **state)
{
    (void)state;
    struct text text = {0};
    text_add(&text, "kept");
    text_add_bytes(&text, "never read", SIZE_MAX - 2);
    assert_true(text.failed);
    text_add(&text, " ignored");
    assert_true(text.failed);
    assert_string_equal(text.bytes, "kept");
    text_finish(&text);
    assert_false(text.failed);
}

static void test_copy(void **state)
{
    (void)state;
    char to[5];
    assert_true(text_copy(to, sizeof to, "four"));
    assert_string_equal(to, "four");
    assert_false(text_copy(to, sizeof to, "fives"));
    assert_string_equal(to, "five");
    assert_true(text_copy(to, sizeof to, ""));
    assert_string_equal(to, "");
    assert_false(text_copy(to, 0, "x"));
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"iterations", "optimizer", "learning_rate", "batch", "to"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"iteration", "iterations"},
        {"itertaions", "iterations"},
        {"optimiser", "optimizer"},
        {"learningrate", "learning_rate"},
        {"bathc", "batch"},
        {"batch", "batch"},
        {"t", NULL},
        {"xy", NULL},
        {"weight_decay", NULL},
        {"", NULL},
        {"a word much longer than any name could be, so long that it is never compared", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *nearest = text_nearest(cases[i].word, names, 5);
        if (cases[i].nearest == NULL)
            assert_null(nearest);
        else
            assert_string_equal(nearest, cases[i].nearest);
    }
    assert_null(text_nearest("batch", names, 0));
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *bytes, *duration;
    } cases[] = {
        {0, "0 B", "0.0 s"},
        {12.34, "12 B", "12.3 s"},
        {59.97, "60 B", "1 min 0 s"},
        {999.7, "1.0 kB", "16 min 40 s"},
        {3599.7, "3.6 kB", "1 h 0 min"},
        {7500, "7.5 kB", "2 h 5 min"},
        {9960, "10 kB", "2 h 46 min"},
        {86390, "86 kB", "1 d 0 h"},
        {273600, "274 kB", "3 d 4 h"},
        {1.25e9, "1.2 GB", "14467 d 14 h"},
        {NAN, "nan B", "unknown"},
        {-1, "-1 B", "unknown"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char to[32];
        assert_string_equal(text_duration(to, sizeof to, cases[i].value), cases[i].duration);
        assert_string_equal(text_bytes(to, sizeof to, cases[i].value), cases[i].bytes);
    }
}

static void test_errors(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(error_set(&err, ERROR_USAGE, "expected a %s", "number"), -1);
    assert_int_equal(error_prefix(&err, "%s:%d", "grid.yaml", 3), -1);
    assert_string_equal(err.text, "grid.yaml:3: expected a number");
    assert_int_equal(err.class, ERROR_USAGE);
    assert_int_equal(error_exit_status(&err), 2);
    error_set(&err, ERROR_RESOURCE, "again: %s", err.text);
    assert_string_equal(err.text, "again: grid.yaml:3: expected a number");
    assert_int_equal(error_exit_status(&err), 1);
    assert_int_equal(error_set(NULL, ERROR_TASK, "nobody listens"), -1);
    assert_int_equal(error_prefix(NULL, "nobody listens"), -1);
    for (int i = 0; i < 300; i++)
        error_prefix(&err, "prefix %d", i);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_memory_equal(err.text, "prefix 299: prefix 298: ", 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growing), cmocka_unit_test(test_failure_is_sticky),
        cmocka_unit_test(test_copy),    cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
