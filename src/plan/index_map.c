/* The map from hashes to indices. The hashes are uniform already, so that eight bytes of the key
 * serve as the place to look first. */
#include "index_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static struct index_slot *find_slot(struct index_slot *slots, size_t capacity, struct hash128 key)
{
    uint64_t place;
    memcpy(&place, key.bytes, sizeof place);
    size_t at = (size_t)place & (capacity - 1);
    while (slots[at].value != 0 && memcmp(&slots[at].key, &key, sizeof key) != 0)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

int32_t index_map_find(const struct index_map *map, struct hash128 key)
{
    if (map->capacity == 0)
        return -1;
    return find_slot(map->slots, map->capacity, key)->value - 1;
}

static int enlarge(struct index_map *map, struct error *err)
{
    size_t capacity = map->capacity == 0 ? 64 : 2 * map->capacity;
    struct index_slot *slots = mem_zeroed(capacity, sizeof *slots, err);
    if (slots == NULL)
        return -1;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].value != 0)
            *find_slot(slots, capacity, map->slots[i].key) = map->slots[i];
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return 0;
}

int index_map_add(struct index_map *map, struct hash128 key, int32_t index, struct error *err)
{
    if (3 * (map->count + 1) > 2 * map->capacity && enlarge(map, err) != 0)
        return -1;
    *find_slot(map->slots, map->capacity, key) = (struct index_slot){key, index + 1};
    map->count++;
    return 0;
}

void index_map_finish(struct index_map *map)
{
    free(map->slots);
    *map = (struct index_map){0};
}

struct hash128 index_key(const void *bytes, size_t length, int64_t first, int64_t second)
{
    struct {
        struct hash128 hash;
        int64_t numbers[2];
    } parts = {hash128_of(bytes, length), {first, second}};
    return hash128_of(&parts, sizeof parts);
}
