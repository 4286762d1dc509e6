/* From a 128-bit hash to a small number: the index of a task, a training, ... Open addressing with
 * linear probing; nothing is ever removed. A zeroed struct is an empty map. */
#ifndef PLAN_INDEX_MAP_H
#define PLAN_INDEX_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

struct index_map {
    struct index_slot {
        struct hash128 key;
        int32_t value; /* index + 1; 0 = free */
    } * slots;
    size_t capacity, count; /* capacity: a power of two, at least a third of it free */
};

/* The index, or -1. */
int32_t index_map_find(const struct index_map *map, struct hash128 key);
/* `key` is not in the map yet. */
int index_map_add(struct index_map *map, struct hash128 key, int32_t index, struct error *err);
void index_map_finish(struct index_map *map);

/* The hash of some bytes and two numbers beside them. */
struct hash128 index_key(const void *bytes, size_t length, int64_t first, int64_t second);

#endif
