/* Owns the memory of one parse: a list of chunks, filled from the front. Nothing is freed singly.
 */
#include "arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define CHUNK_SIZE 65536

struct arena_chunk {
    struct arena_chunk *older;
    alignas(max_align_t) unsigned char bytes[];
};

static int add_chunk(struct arena *arena, size_t least, struct error *err)
{
    size_t size = least > CHUNK_SIZE ? least : CHUNK_SIZE;
    struct arena_chunk *chunk = mem_zeroed(1, sizeof *chunk + size, err);
    if (chunk == NULL)
        return -1;
    chunk->older = arena->newest;
    arena->newest = chunk;
    arena->used = 0;
    arena->size = size;
    return 0;
}

void *arena_zeroed(struct arena *arena, size_t count, size_t size, struct error *err)
{
    const size_t unit = alignof(max_align_t);
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2) {
        error_set(err, ERROR_RESOURCE, "%zu elements of %zu bytes do not fit in memory", count,
                  size);
        return NULL;
    }
    bytes = (bytes + unit - 1) / unit * unit;
    bool fits = arena->newest != NULL && arena->size - arena->used >= bytes;
    if (!fits && add_chunk(arena, bytes, err) != 0)
        return NULL;
    void *piece = arena->newest->bytes + arena->used;
    arena->used += bytes;
    return piece;
}

int arena_grow(struct arena *arena, void *array, size_t *capacity, size_t needed, size_t size,
               struct error *err)
{
    if (needed <= *capacity)
        return 0;
    size_t larger = needed > 2 * *capacity ? needed : 2 * *capacity;
    void *old, *grown = arena_zeroed(arena, larger, size, err);
    if (grown == NULL)
        return -1;
    memcpy(&old, array, sizeof old);
    if (*capacity > 0)
        memcpy(grown, old, *capacity * size);
    memcpy(array, &grown, sizeof grown);
    *capacity = larger;
    return 0;
}

char *arena_text(struct arena *arena, const char *bytes, size_t length, struct error *err)
{
    char *text = arena_zeroed(arena, length + 1, 1, err);
    if (text != NULL && length > 0)
        memcpy(text, bytes, length);
    return text;
}

void arena_finish(struct arena *arena)
{
    while (arena->newest != NULL) {
        struct arena_chunk *older = arena->newest->older;
        free(arena->newest);
        arena->newest = older;
    }
    *arena = (struct arena){0};
}
