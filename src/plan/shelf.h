/* A shelf holds values of one kind once each: networks, datasets, trainings, prunings. What a value
 * is, is its canonical text; that text is also its part of a task's key. */
#ifndef PLAN_SHELF_H
#define PLAN_SHELF_H

#include "base/text.h"
#include "index_map.h"

struct shelf {
    struct index_map by_text;
    struct text *texts; /* [count] */
    size_t capacity, text_capacity;
};

/* The index of the value with this text in the array *items of *count values of `size` bytes, to
 * which it is appended when it is new; -1 on failure. Takes over the text. */
int32_t shelf_put(struct shelf *shelf, struct text *text, void **items, int32_t *count,
                  const void *item, size_t size, struct error *err);
void shelf_finish(struct shelf *shelf, int32_t count);

#endif
