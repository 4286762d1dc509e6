/* Memory that lives as long as one parse: allocated piece by piece, freed at once. */
#ifndef SWEEPSTAKE_GRID_ARENA_H
#define SWEEPSTAKE_GRID_ARENA_H

#include <stddef.h>

#include "base/error.h"

struct arena {
    struct arena_chunk *newest;
    size_t used, size; /* of the newest chunk */
};

/* `count` zeroed elements, aligned for any type; NULL and a resource error on failure. */
void *arena_zeroed(struct arena *arena, size_t count, size_t size, struct error *err);

/* A growing array in the arena (what it outgrew stays until the end). `array` points to a
 * pointer. On failure the array is unchanged and -1 is returned. */
int arena_grow(struct arena *arena, void *array, size_t *capacity, size_t needed, size_t size,
               struct error *err);

/* A terminated copy of `length` bytes. */
char *arena_text(struct arena *arena, const char *bytes, size_t length, struct error *err);

void arena_finish(struct arena *arena);

#endif
