#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

static void test_zeroed_and_aligned(void **state)
{
    (void)state;
    for (size_t count = 0; count < 70; count += 23) {
        unsigned char *plain = mem_zeroed(count, 3, NULL);
        unsigned char *aligned = mem_aligned(count, 3, NULL);
        assert_non_null(plain);
        assert_non_null(aligned);
        assert_int_equal((uintptr_t)aligned % MEMORY_ALIGNMENT, 0);
        for (size_t i = 0; i < count * 3; i++)
            assert_true(plain[i] == 0 && aligned[i] == 0);
        free(plain);
        free(aligned);
    }
}

static void test_overflow_is_an_error(void **state)
{
    (void)state;
    /* Volatile: the compiler warns of sizes it can see to be absurd. */
    volatile size_t half = SIZE_MAX / 2;
    struct error err = {0};
    assert_null(mem_zeroed(half, 4, &err));
    assert_int_equal(err.class, ERROR_RESOURCE);
    err.class = ERROR_NONE;
    assert_null(mem_aligned(half, 4, &err));
    assert_int_equal(err.class, ERROR_RESOURCE);
    assert_null(mem_aligned(2 * half + 1, 1, &err));
}

static void test_grow(void **state)
{
    (void)state;
    int *numbers = NULL;
    size_t capacity = 0, reallocations = 0;
    for (size_t i = 0; i < 10000; i++) {
        size_t before = capacity;
        assert_int_equal(mem_grow((void **)&numbers, &capacity, i + 1, sizeof *numbers, NULL), 0);
        reallocations += capacity != before;
        numbers[i] = (int)i;
    }
    for (int i = 0; i < 10000; i++)
        assert_int_equal(numbers[i], i);
    assert_true(reallocations < 16);

    struct error err = {0};
    size_t before = capacity;
    int *kept = numbers;
    assert_int_equal(mem_grow((void **)&numbers, &capacity, SIZE_MAX / 2, 4, &err), -1);
    assert_int_equal(err.class, ERROR_RESOURCE);
    assert_ptr_equal(numbers, kept);
    assert_int_equal(capacity, before);
    free(numbers);
}

static void test_string(void **state)
{
    (void)state;
    char *copy = mem_string("ticket", NULL);
    assert_string_equal(copy, "ticket");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_and_aligned),
        cmocka_unit_test(test_overflow_is_an_error),
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
