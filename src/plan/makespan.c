/* How long the plan, or what is left of it, takes: the longest chain, and list scheduling on a
 * number of workers (a free worker takes the ready task with the longest chain behind it), the
 * order the master follows. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "plan/plan.h"

/* Tasks by a number, the least first; among equals the lower row. */
struct heap {
    struct entry {
        double by;
        int32_t task;
    } * entries;
    int32_t count;
};

static bool precedes(struct entry a, struct entry b)
{
    return a.by < b.by || (a.by == b.by && a.task < b.task);
}

static void heap_push(struct heap *heap, double by, int32_t task)
{
    struct entry entry = {by, task};
    int32_t at = heap->count++;
    for (; at > 0 && precedes(entry, heap->entries[(at - 1) / 2]); at = (at - 1) / 2)
        heap->entries[at] = heap->entries[(at - 1) / 2];
    heap->entries[at] = entry;
}

static struct entry heap_pop(struct heap *heap)
{
    struct entry least = heap->entries[0], last = heap->entries[--heap->count];
    int32_t at = 0;
    for (int32_t child = 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count && precedes(heap->entries[child + 1], heap->entries[child]))
            child++;
        if (!precedes(heap->entries[child], last))
            break;
        heap->entries[at] = heap->entries[child];
        at = child;
    }
    heap->entries[at] = last;
    return least;
}

struct simulation {
    const struct plan *plan;
    const bool *to_run;   /* NULL = all; the others are as good as done, nothing waits for them */
    double *chains;       /* of a task: its cost and the longest chain of its descendants */
    int32_t *first_child; /* lists of children, -1 = none */
    int32_t *next_sibling;
    struct heap ready, running; /* by chain, the longest first; by time of finishing */
};

static bool is_to_run(const struct simulation *simulation, int32_t task)
{
    return simulation->to_run == NULL || simulation->to_run[task];
}

static void find_chains(struct simulation *simulation)
{
    const struct plan *plan = simulation->plan;
    for (int32_t i = plan->task_count - 1; i >= 0; i--) {
        const struct plan_task *task = &plan->tasks[i];
        if (!is_to_run(simulation, i))
            continue;
        simulation->chains[i] += task->cost;
        if (task->parent >= 0 && simulation->chains[task->parent] < simulation->chains[i])
            simulation->chains[task->parent] = simulation->chains[i];
    }
}

/* Tasks that wait for nothing are ready, the others hang below their parents. */
static void link_children(struct simulation *simulation)
{
    const struct plan *plan = simulation->plan;
    for (int32_t i = 0; i < plan->task_count; i++)
        simulation->first_child[i] = -1;
    for (int32_t i = plan->task_count - 1; i >= 0; i--) {
        int32_t parent = plan->tasks[i].parent;
        if (!is_to_run(simulation, i))
            continue;
        if (parent < 0 || !is_to_run(simulation, parent)) {
            heap_push(&simulation->ready, -simulation->chains[i], i);
        } else {
            simulation->next_sibling[i] = simulation->first_child[parent];
            simulation->first_child[parent] = i;
        }
    }
}

static double simulate(struct simulation *simulation, int32_t workers)
{
    struct heap *ready = &simulation->ready, *running = &simulation->running;
    double now = 0;
    while (ready->count > 0 || running->count > 0) {
        while (ready->count > 0 && running->count < workers) {
            int32_t task = heap_pop(ready).task;
            heap_push(running, now + simulation->plan->tasks[task].cost, task);
        }
        struct entry finished = heap_pop(running);
        now = finished.by;
        for (int32_t child = simulation->first_child[finished.task]; child >= 0;
             child = simulation->next_sibling[child])
            heap_push(ready, -simulation->chains[child], child);
    }
    return now;
}

static bool allocate(struct simulation *simulation)
{
    size_t count = (size_t)simulation->plan->task_count;
    simulation->chains = mem_zeroed(count, sizeof(double), NULL);
    simulation->first_child = mem_zeroed(count, sizeof(int32_t), NULL);
    simulation->next_sibling = mem_zeroed(count, sizeof(int32_t), NULL);
    simulation->ready.entries = mem_zeroed(count, sizeof(struct entry), NULL);
    simulation->running.entries = mem_zeroed(count, sizeof(struct entry), NULL);
    return simulation->chains && simulation->first_child && simulation->next_sibling &&
           simulation->ready.entries && simulation->running.entries;
}

static void finish(struct simulation *simulation)
{
    free(simulation->chains);
    free(simulation->first_child);
    free(simulation->next_sibling);
    free(simulation->ready.entries);
    free(simulation->running.entries);
}

double plan_makespan_cost(const struct plan *plan, int32_t workers, const bool *to_run)
{
    struct simulation simulation = {.plan = plan, .to_run = to_run};
    double makespan = NAN;
    if (allocate(&simulation)) {
        find_chains(&simulation);
        link_children(&simulation);
        makespan = simulate(&simulation, workers < 1 ? 1 : workers);
    }
    finish(&simulation);
    return makespan;
}

double plan_critical_cost(const struct plan *plan, const bool *to_run)
{
    /* With a worker for each task nothing waits but for its parent. */
    return plan_makespan_cost(plan, plan->task_count, to_run);
}
