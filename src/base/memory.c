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

void *mem_zeroed(size_t count, size_t size, struct error *err)
{
    void *memory = count == 0 || size == 0 ? calloc(1, 1) : calloc(count, size);
    if (memory == NULL)
        set_exhausted(err, count, size);
    return memory;
}

void *mem_aligned(size_t count, size_t size, struct error *err)
{
    size_t bytes, padded;
    if (__builtin_mul_overflow(count, size, &bytes) ||
        __builtin_add_overflow(bytes, (size_t)MEMORY_ALIGNMENT - 1, &padded)) {
        set_exhausted(err, count, size);
        return NULL;
    }
    padded = padded / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    if (padded == 0)
        padded = MEMORY_ALIGNMENT;
    void *memory = aligned_alloc(MEMORY_ALIGNMENT, padded);
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
    void *grown = reallocarray(old, doubled, size);
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
