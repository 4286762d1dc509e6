/* The table of workers. Invariants: exactly the idle workers are in the idle list, exactly the live
 * ones in the watched list, and the latter is in the order of `heard`, since time never goes back
 * and whoever is heard goes to its end; in the ending list are exactly those that run a task which
 * ends soon, without a next one. */
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
    table->ending = ring_create(count, err);
    if (table->workers == NULL || table->idle == NULL || table->watched == NULL ||
        table->ending == NULL)
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
    free(table->ending);
    *table = (struct worker_table){0};
}

static bool is_ending(const struct worker *worker)
{
    return worker->state == WORKER_RUNNING && worker->ends_soon && worker->next < 0;
}

void workers_send_ahead(struct worker_table *table, int32_t number, int32_t task)
{
    struct worker *worker = &table->workers[number];
    bool was_ending = is_ending(worker);
    table->sent_ahead += (task >= 0) - (worker->next >= 0);
    worker->next = task;
    if (was_ending && !is_ending(worker))
        ring_remove(table->ending, number);
    if (!was_ending && is_ending(worker))
        ring_append(table->ending, table->count, number);
}

void workers_expect_end(struct worker_table *table, int32_t number)
{
    struct worker *worker = &table->workers[number];
    bool was_ending = is_ending(worker);
    worker->ends_soon = true;
    if (!was_ending && is_ending(worker))
        ring_append(table->ending, table->count, number);
}

int32_t workers_ending(const struct worker_table *table)
{
    return ring_after(table->ending, table->count, table->count);
}

/* The lists and the number of live workers follow the state. Whoever changes it has no next task.
 */
static void change_state(struct worker_table *table, int32_t number, enum worker_state state)
{
    struct worker *worker = &table->workers[number];
    workers_send_ahead(table, number, -1);
    if (is_ending(worker))
        ring_remove(table->ending, number);
    worker->ends_soon = false;
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
    worker->heard = worker->begun = now;
    worker->progress = worker->first_progress = -INFINITY;
}

void workers_come_home(struct worker_table *table, int32_t number, double now)
{
    change_state(table, number, WORKER_COMING);
    table->workers[number].task = -1;
    table->workers[number].heard = now;
}

void workers_go_on(struct worker_table *table, int32_t number, double now)
{
    workers_give(table, number, table->workers[number].next, now);
}

void workers_leave(struct worker_table *table, int32_t number)
{
    change_state(table, number, WORKER_AWAY);
    table->workers[number].task = -1;
}

void workers_hear(struct worker_table *table, int32_t number, double now)
{
    ring_remove(table->watched, number);
    ring_append(table->watched, table->count, number);
    table->workers[number].heard = now;
}

int32_t workers_longest_idle(const struct worker_table *table)
{
    return ring_after(table->idle, table->count, table->count);
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
