/* The ready tasks as a binary heap: tasks[0] is the most urgent, and none is before its parent
 * tasks[(i - 1) / 2]. */
#include "ready.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

int ready_init(struct ready_heap *heap, int32_t capacity, struct error *err)
{
    heap->count = 0;
    heap->tasks = mem_zeroed((size_t)capacity, sizeof *heap->tasks, err);
    return heap->tasks != NULL ? 0 : -1;
}

void ready_finish(struct ready_heap *heap)
{
    free(heap->tasks);
    *heap = (struct ready_heap){0};
}

static bool is_before(const struct ready_task *a, const struct ready_task *b)
{
    return a->urgency > b->urgency || (a->urgency == b->urgency && a->task < b->task);
}

void ready_put(struct ready_heap *heap, int32_t task, double urgency)
{
    const struct ready_task added = {urgency, task};
    int32_t hole = heap->count++;
    while (hole > 0 && is_before(&added, &heap->tasks[(hole - 1) / 2])) {
        heap->tasks[hole] = heap->tasks[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    heap->tasks[hole] = added;
}

int32_t ready_second(const struct ready_heap *heap)
{
    if (heap->count < 2)
        return -1;
    return heap->count > 2 && is_before(&heap->tasks[2], &heap->tasks[1]) ? 2 : 1;
}

/* What fills the hole can only be too low for it: nothing but the most urgent task is above. */
int32_t ready_take(struct ready_heap *heap, int32_t place)
{
    int32_t taken = heap->tasks[place].task, hole = place;
    const struct ready_task last = heap->tasks[--heap->count];
    for (int32_t child = 2 * hole + 1; child < heap->count; child = 2 * hole + 1) {
        if (child + 1 < heap->count && is_before(&heap->tasks[child + 1], &heap->tasks[child]))
            child++;
        if (!is_before(&heap->tasks[child], &last))
            break;
        heap->tasks[hole] = heap->tasks[child];
        hole = child;
    }
    heap->tasks[hole] = last;
    return taken;
}
