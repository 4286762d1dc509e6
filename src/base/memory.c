/* Checked memory: every product of sizes is checked for overflow, every failure is a resource error
 * that says how much was asked for. */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void set_exhausted(struct error *err, size_t count, size_t size)
{
    char amount[32];
    text_bytes(amount, sizeof amount, (double)count * (double)size);
    error_set(err, ERROR_RESOURCE, "not enough memory for %s", amount);
}

/* Bytes of `count` elements, at least 1, with `padding` to spare; 0 where that overflows. */
static size_t bytes_of(size_t count, size_t size, size_t padding)
{
    size_t bytes, padded;
    if (__builtin_mul_overflow(count, size, &bytes) ||
        __builtin_add_overflow(bytes, padding, &padded))
        return 0;
    return bytes > 0 ? bytes : 1;
}

void *mem_zeroed(size_t count, size_t size, struct error *err)
{
    size_t bytes = bytes_of(count, size, 0);
    void *memory = bytes > 0 ? calloc(bytes, 1) : NULL;
    if (memory == NULL)
        set_exhausted(err, count, size);
    return memory;
}

void *mem_aligned(size_t count, size_t size, struct error *err)
{
    size_t bytes = bytes_of(count, size, MEMORY_ALIGNMENT);
    /* aligned_alloc wants a multiple of the alignment. */
    size_t padded = (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    void *memory = padded > 0 ? aligned_alloc(MEMORY_ALIGNMENT, padded) : NULL;
    if (memory == NULL)
        set_exhausted(err, count, size);
    else
        memset(memory, 0, padded);
    return memory;
}

int mem_grow(void **array, size_t *capacity, size_t needed, size_t size, struct error *err)
{
    if (needed <= *capacity)
        return 0;
    size_t doubled = *capacity < 8 ? 8 : *capacity;
    while (doubled < needed)
        if (__builtin_mul_overflow(doubled, (size_t)2, &doubled))
            doubled = needed;
    /* *array is a pointer of the caller's own type: it is read and written as bytes, since an
     * access as void * would break the aliasing rules. */
    void *old;
    memcpy(&old, array, sizeof old);
    size_t bytes = bytes_of(doubled, size, 0);
    void *grown = bytes > 0 ? realloc(old, bytes) : NULL;
    if (grown == NULL) {
        set_exhausted(err, doubled, size);
        return -1;
    }
    memcpy(array, &grown, sizeof grown);
    *capacity = doubled;
    return 0;
}

char *mem_string(const char *text, struct error *err)
{
    char *copy = strdup(text);
    if (copy == NULL)
        set_exhausted(err, strlen(text) + 1, 1);
    return copy;
}
