/* Shelves: the arrays belong to the plan and outlive the shelf, which owns the texts. */
#include "shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int32_t append(struct shelf *shelf, struct hash128 key, struct text *text, void **items,
                      int32_t *count, const void *item, size_t size, struct error *err)
{
    size_t used = (size_t)*count;
    if (mem_grow(items, &shelf->capacity, used + 1, size, err) != 0 ||
        mem_grow((void **)&shelf->texts, &shelf->text_capacity, used + 1, sizeof *text, err) != 0 ||
        index_map_add(&shelf->by_text, key, *count, err) != 0)
        return -1;
    unsigned char *array;
    memcpy(&array, items, sizeof array); /* *items is a pointer of another type */
    memcpy(array + used * size, item, size);
    shelf->texts[used] = *text;
    *text = (struct text){0};
    return (*count)++;
}

int32_t shelf_put(struct shelf *shelf, struct text *text, void **items, int32_t *count,
                  const void *item, size_t size, struct error *err)
{
    if (text->failed)
        return error_set(err, ERROR_RESOURCE, "not enough memory for the text of a key");
    struct hash128 key = hash128_of(text->bytes, text->length);
    int32_t index = index_map_find(&shelf->by_text, key);
    if (index < 0)
        index = append(shelf, key, text, items, count, item, size, err);
    text_finish(text);
    return index;
}

void shelf_finish(struct shelf *shelf, int32_t count)
{
    for (int32_t i = 0; shelf->texts != NULL && i < count; i++)
        text_finish(&shelf->texts[i]);
    free(shelf->texts);
    index_map_finish(&shelf->by_text);
}
