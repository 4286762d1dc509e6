/* The table of tasks. Invariants:
 * - a task without a result is WAITING while its parent has none, READY or RUNNING once it is done,
 * and written off as soon as the parent can never be done;
 * - the ready heap holds exactly the READY tasks;
 * - the queue of writes holds each task at most once: what is to be written of it follows from its
 *   state at the time it is taken out;
 * - in_state and the cost sums agree with the states, because only enter_state and leave_state
 * touch them. Every step is constant or logarithmic in the number of tasks; settling the tasks
 * below one that ends is linear in their number, which each task pays once. */
#include "tasks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static bool is_left(enum task_state state)
{
    return state == TASK_WAITING || state == TASK_READY || state == TASK_RUNNING;
}

static bool is_result(enum task_state state)
{
    return state == TASK_DONE || state == TASK_DIVERGED || state == TASK_FAILED;
}

bool task_is_written_off(enum task_state state)
{
    return state == TASK_FAILED || state == TASK_SKIPPED || state == TASK_UNREACHABLE;
}

/* The state of a task without a result below a parent in state `parent`. */
static enum task_state state_below(enum task_state parent)
{
    switch (parent) {
    case TASK_DONE:
        return TASK_READY;
    case TASK_DIVERGED:
    case TASK_SKIPPED:
        return TASK_SKIPPED;
    case TASK_FAILED:
    case TASK_UNREACHABLE:
        return TASK_UNREACHABLE;
    case TASK_WAITING:
    case TASK_READY:
    case TASK_RUNNING:
        break;
    }
    return TASK_WAITING;
}

/* How much slower than all finished tasks those of this tree were. Rounded to eighths, so that the
 * noise of timings does not put equals in another order. */
static double slowness(const struct task_table *table, const struct task *task)
{
    const struct pace *tree = &table->tree_paces[task->tree], *all = &table->pace;
    if (tree->cost <= 0 || all->seconds <= 0)
        return 1;
    double ratio = tree->seconds / tree->cost / (all->seconds / all->cost);
    return fmin(fmax(round(ratio * 8) / 8, 0.125), 8);
}

static void queue_write(struct task_table *table, int32_t task)
{
    if (table->tasks[task].queued)
        return;
    table->tasks[task].queued = true;
    int32_t room = table->count - table->write_first; /* up to the end of the ring */
    int32_t used = table->write_count++;
    table->writes[used < room ? table->write_first + used : used - room] = task;
}

static int32_t queued_write(const struct task_table *table, int32_t position)
{
    int32_t room = table->count - table->write_first;
    return table->writes[position < room ? table->write_first + position : position - room];
}

int32_t tasks_next_write(struct task_table *table)
{
    if (table->write_count == 0)
        return -1;
    int32_t task = table->writes[table->write_first];
    table->write_first = (table->write_first + 1) % table->count;
    table->write_count--;
    table->tasks[task].queued = false;
    return task;
}

static void add_to_sums(struct task_table *table, const struct task *task, int32_t sign)
{
    table->in_state[task->state] += sign;
    if (is_left(task->state))
        table->cost_left += sign * task->cost;
    else if (!task_is_written_off(task->state))
        table->cost_done += sign * task->cost;
}

/* Puts a task that is in no state's sums into `state`. */
static void enter_state(struct task_table *table, int32_t number, enum task_state state)
{
    struct task *task = &table->tasks[number];
    task->state = state;
    add_to_sums(table, task, 1);
    if (state == TASK_READY)
        ready_put(&table->ready, number, task->chain * slowness(table, task));
}

static void change_state(struct task_table *table, int32_t number, enum task_state state)
{
    add_to_sums(table, &table->tasks[number], -1);
    enter_state(table, number, state);
    if (task_is_written_off(state))
        queue_write(table, number);
}

static void settle_children(struct task_table *table, int32_t parent)
{
    enum task_state state = state_below(table->tasks[parent].state);
    for (int32_t child = table->tasks[parent].first_child; child >= 0;
         child = table->tasks[child].next_sibling)
        if (table->tasks[child].state == TASK_WAITING)
            change_state(table, child, state);
}

/* Passes the end of a task on to all below it. The queue of writes is the list of what is left to
 * visit: only a written-off task has more than its children to settle. */
static void settle_descendants(struct task_table *table, int32_t task)
{
    int32_t position = table->write_count;
    settle_children(table, task);
    for (; position < table->write_count; position++)
        settle_children(table, queued_write(table, position));
}

int32_t tasks_left(const struct task_table *table)
{
    return table->in_state[TASK_WAITING] + table->in_state[TASK_READY] +
           table->in_state[TASK_RUNNING];
}

double tasks_expected_seconds(const struct task_table *table, int32_t number)
{
    const struct task *task = &table->tasks[number];
    const struct pace *tree = &table->tree_paces[task->tree];
    const struct pace *pace = tree->cost > 0 ? tree : &table->pace;
    return pace->cost > 0 ? task->cost * (pace->seconds / pace->cost) : NAN;
}

/* The difference of two sums: a rounding error is no urgency. */
double tasks_urgency_below(const struct task_table *table, int32_t number)
{
    const struct task *task = &table->tasks[number];
    double chain = task->chain * (1 - 1e-9) - task->cost;
    return fmax(chain, 0) * slowness(table, task);
}

int32_t tasks_hand_out(struct task_table *table, int32_t place)
{
    int32_t number = ready_take(&table->ready, place);
    table->tasks[number].attempts++;
    table->tasks[number].refunded = false;
    change_state(table, number, TASK_RUNNING);
    return number;
}

void tasks_complete(struct task_table *table, int32_t number, enum task_state state, double seconds)
{
    const struct task *task = &table->tasks[number];
    if (isfinite(seconds) && seconds > 0 && task->cost > 0) {
        struct pace *tree = &table->tree_paces[task->tree];
        tree->seconds += seconds;
        tree->cost += task->cost;
        table->pace.seconds += seconds;
        table->pace.cost += task->cost;
    }
    change_state(table, number, state);
    settle_descendants(table, number);
}

void tasks_retry(struct task_table *table, int32_t number)
{
    if (table->tasks[number].attempts >= table->max_attempts)
        tasks_give_up(table, number);
    else
        change_state(table, number, TASK_READY);
}

void tasks_give_up(struct task_table *table, int32_t number)
{
    change_state(table, number, TASK_FAILED);
    settle_descendants(table, number);
}

void tasks_refund(struct task_table *table, int32_t number)
{
    struct task *task = &table->tasks[number];
    if (task->refunded)
        return;
    task->refunded = true;
    task->attempts--;
    queue_write(table, number);
}

void tasks_charge(struct task_table *table, int32_t number)
{
    struct task *task = &table->tasks[number];
    if (!task->refunded)
        return;
    task->refunded = false;
    task->attempts++;
    queue_write(table, number);
}

/* --- the start --- */

static int check(const struct sched_task *tasks, int32_t count, struct error *err)
{
    for (int32_t i = 0; i < count; i++) {
        if (tasks[i].parent < -1 || tasks[i].parent >= i)
            return error_set(err, ERROR_INTERNAL, "task %d has the parent %d: not before it", i,
                             tasks[i].parent);
        if (!isfinite(tasks[i].cost) || tasks[i].cost < 0)
            return error_set(err, ERROR_INTERNAL, "task %d has the cost %g", i, tasks[i].cost);
    }
    return 0;
}

static enum task_state state_at_start(const struct task_table *table,
                                      const struct sched_task *given)
{
    if (is_result(given->state))
        return given->state;
    enum task_state state =
        given->parent < 0 ? TASK_READY : state_below(table->tasks[given->parent].state);
    bool exhausted = given->attempts >= table->max_attempts;
    return exhausted && is_left(state) ? TASK_FAILED : state;
}

/* States in order, each from its parent's; and trees, numbered by their roots. Returns how many. */
static int32_t set_up_states(struct task_table *table, const struct sched_task *given)
{
    int32_t trees = 0;
    for (int32_t i = 0; i < table->count; i++) {
        int32_t parent = given[i].parent;
        table->tasks[i] = (struct task){
            .cost = given[i].cost,
            .tree = parent < 0 ? trees++ : table->tasks[parent].tree,
            .first_child = -1,
            .next_sibling = -1,
            .attempts = given[i].attempts,
            .state = state_at_start(table, &given[i]),
        };
    }
    return trees;
}

/* Children, in ascending order, and chains: backwards, so that a task comes after all below it. */
static void set_up_chains(struct task_table *table, const struct sched_task *given)
{
    for (int32_t i = table->count - 1; i >= 0; i--) {
        struct task *task = &table->tasks[i];
        if (is_left(task->state))
            task->chain += task->cost;
        if (given[i].parent < 0)
            continue;
        struct task *parent = &table->tasks[given[i].parent];
        task->next_sibling = parent->first_child;
        parent->first_child = i;
        parent->chain = fmax(parent->chain, task->chain);
    }
}

int tasks_init(struct task_table *table, const struct sched_task *tasks, int32_t count,
               int32_t max_attempts, struct error *err)
{
    *table = (struct task_table){.count = count, .max_attempts = max_attempts};
    if (check(tasks, count, err) != 0)
        return -1;
    table->tasks = mem_zeroed((size_t)count, sizeof *table->tasks, err);
    table->writes = mem_zeroed((size_t)count, sizeof *table->writes, err);
    if (table->tasks == NULL || table->writes == NULL || ready_init(&table->ready, count, err) != 0)
        return -1;
    int32_t trees = set_up_states(table, tasks);
    table->tree_paces = mem_zeroed((size_t)trees, sizeof *table->tree_paces, err);
    if (table->tree_paces == NULL)
        return -1;
    set_up_chains(table, tasks);
    for (int32_t i = 0; i < count; i++) {
        enter_state(table, i, table->tasks[i].state);
        if (task_is_written_off(table->tasks[i].state) && table->tasks[i].state != tasks[i].state)
            queue_write(table, i);
    }
    return 0;
}

void tasks_finish(struct task_table *table)
{
    free(table->tasks);
    free(table->tree_paces);
    free(table->writes);
    ready_finish(&table->ready);
    *table = (struct task_table){0};
}
