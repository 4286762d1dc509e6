/* The table of workers. Invariants: exactly the idle workers are in the idle list, exactly the live
 * ones in the watched list, and the latter is in the order of `heard`, since time never goes back
 * and whoever is heard goes to its end. A next task is only where there is one at hand; a worker
 * in the near list has a task at hand and no next. */
#include "workers.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

static struct ring_link *ring_create(int32_t count, struct error *err)
{
    struct ring_link *ring = mem_zeroed((size_t)count + 1, sizeof *ring, err);
    if (ring != NULL)
        ring[count] = (struct ring_link){count, count};
    return ring;
}

static void ring_append(struct ring_link *ring, int32_t head, int32_t member)
{
    ring[member] = (struct ring_link){.before = ring[head].before, .after = head};
    ring[ring[head].before].after = member;
    ring[head].before = member;
}

static void ring_remove(struct ring_link *ring, int32_t member)
{
    ring[ring[member].before].after = ring[member].after;
    ring[ring[member].after].before = ring[member].before;
}

/* -1 = none; the first comes after the head. */
static int32_t ring_after(const struct ring_link *ring, int32_t head, int32_t member)
{
    return ring[member].after != head ? ring[member].after : -1;
}

int workers_init(struct worker_table *table, int32_t count, struct error *err)
{
    *table = (struct worker_table){.count = count, .live = count};
    table->workers = mem_zeroed((size_t)count, sizeof *table->workers, err);
    table->idle = ring_create(count, err);
    table->watched = ring_create(count, err);
    table->near = ring_create(count, err);
    if (table->workers == NULL || table->idle == NULL || table->watched == NULL ||
        table->near == NULL)
        return -1;
    for (int32_t i = 0; i < count; i++) {
        table->workers[i] =
            (struct worker){.state = WORKER_COMING, .task = -1, .next = -1, .heard = -INFINITY};
        ring_append(table->watched, count, i);
    }
    return 0;
}

void workers_finish(struct worker_table *table)
{
    free(table->workers);
    free(table->idle);
    free(table->watched);
    free(table->near);
    *table = (struct worker_table){0};
}

/* The lists and the number of live workers follow the state. */
static void change_state(struct worker_table *table, int32_t number, enum worker_state state)
{
    struct worker *worker = &table->workers[number];
    workers_set_near(table, number, false);
    if (worker->state == WORKER_IDLE)
        ring_remove(table->idle, number);
    if (worker->state != WORKER_AWAY) {
        ring_remove(table->watched, number);
        table->live--;
    }
    worker->state = state;
    if (state == WORKER_IDLE)
        ring_append(table->idle, table->count, number);
    if (state != WORKER_AWAY) {
        ring_append(table->watched, table->count, number);
        table->live++;
    }
}

void workers_ask(struct worker_table *table, int32_t number, double now)
{
    change_state(table, number, WORKER_IDLE);
    table->workers[number].heard = now;
}

void workers_give(struct worker_table *table, int32_t number, int32_t task, double now)
{
    change_state(table, number, WORKER_RUNNING);
    struct worker *worker = &table->workers[number];
    worker->task = task;
    worker->heard = worker->handed_out = now;
    worker->progress = worker->first_progress = -INFINITY;
}

void workers_come_home(struct worker_table *table, int32_t number, double now)
{
    change_state(table, number, WORKER_COMING);
    table->workers[number].task = -1;
    table->workers[number].heard = now;
}

void workers_leave(struct worker_table *table, int32_t number)
{
    change_state(table, number, WORKER_AWAY);
    table->workers[number].task = -1;
}

void workers_end_task(struct worker_table *table, int32_t number, double now)
{
    int32_t next = table->workers[number].next;
    workers_set_next(table, number, -1);
    workers_come_home(table, number, now);
    if (next >= 0)
        workers_give(table, number, next, now);
}

void workers_hear(struct worker_table *table, int32_t number, double now)
{
    ring_remove(table->watched, number);
    ring_append(table->watched, table->count, number);
    table->workers[number].heard = now;
}

void workers_hear_progress(struct worker_table *table, int32_t number, double progress, double now)
{
    struct worker *worker = &table->workers[number];
    workers_hear(table, number, now);
    worker->progress = progress;
    if (worker->first_progress == -INFINITY) {
        worker->first_progress = progress;
        worker->first_heard = now;
    }
}

double workers_seconds_left(const struct worker_table *table, int32_t number, double goal)
{
    const struct worker *worker = &table->workers[number];
    double moved = worker->progress - worker->first_progress;
    if (!(goal > 0 && moved > 0))
        return NAN;
    return (goal - worker->progress) / moved * (worker->heard - worker->first_heard);
}

void workers_set_next(struct worker_table *table, int32_t number, int32_t task)
{
    struct worker *worker = &table->workers[number];
    table->ahead += (task >= 0) - (worker->next >= 0);
    worker->next = task;
}

void workers_set_near(struct worker_table *table, int32_t number, bool is_near)
{
    struct worker *worker = &table->workers[number];
    if (worker->is_near == is_near)
        return;
    worker->is_near = is_near;
    if (is_near)
        ring_append(table->near, table->count, number);
    else
        ring_remove(table->near, number);
}

int32_t workers_longest_idle(const struct worker_table *table)
{
    return ring_after(table->idle, table->count, table->count);
}

int32_t workers_first_near(const struct worker_table *table)
{
    return ring_after(table->near, table->count, table->count);
}

int32_t workers_idle_elsewhere(const struct worker_table *table, int32_t worker)
{
    int32_t other = workers_longest_idle(table);
    while (other >= 0 && table->workers[other].host == table->workers[worker].host)
        other = ring_after(table->idle, table->count, other);
    return other >= 0 ? other : ring_after(table->idle, table->count, worker);
}

int32_t workers_longest_silent(const struct worker_table *table)
{
    return ring_after(table->watched, table->count, table->count);
}
