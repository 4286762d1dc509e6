/* Checked memory. Sizes are products that may overflow; alignment serves vector loads. */
#ifndef SWEEPSTAKE_BASE_MEMORY_H
#define SWEEPSTAKE_BASE_MEMORY_H

#include <stddef.h>

#include "base/error.h"

#define MEMORY_ALIGNMENT 64

/* `count` zeroed elements of `size` bytes; NULL and a resource error on failure. A count of 0
 * gives a pointer that may be freed. Free with free(). */
void *mem_zeroed(size_t count, size_t size, struct error *err);

/* As mem_zeroed, aligned to MEMORY_ALIGNMENT. Free with free(). */
void *mem_aligned(size_t count, size_t size, struct error *err);

/* Makes room for `needed` elements in a growing array, doubling *capacity.
 * On failure the array is unchanged and -1 is returned. */
int mem_grow(void **array, size_t *capacity, size_t needed, size_t size, struct error *err);

/* A copy of a string; NULL and a resource error on failure. The caller frees it. */
char *mem_string(const char *text, struct error *err);

#endif
