/* Slots: where in the store each task's masks and weights are.
 *
 * A slot is a row of a dataset of the task's network. Initial values are kept once for each
 * (network, initialisation, seed, draw): every task that starts from them refers to the slot, and
 * each task that makes them (START_INIT) writes it, the same bytes, so that whoever is finished
 * vouches for it. A lineage has one row for all its rewind points, written by its level-0 task.
 * Everything else belongs to one task. Rows are numbered in the order of the tasks. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "builder.h"

/* --- captures: rewind-K and at-N --- */

/* The bit of an iteration among those a network keeps, added when new; -1 = no room. */
static int bit_of(int64_t *iterations, int32_t *count, int32_t others, int64_t iteration)
{
    for (int32_t i = 0; i < *count; i++)
        if (iterations[i] == iteration)
            return i;
    if (*count + others == PLAN_MAX_CAPTURES)
        return -1;
    iterations[*count] = iteration;
    return (*count)++;
}

static int refuse_capture(const struct builder *builder, const struct experiment *experiment,
                          const char *field, const struct plan_network *network, struct error *err)
{
    return grid_error_at(err, builder->grid, experiment, field_find(field),
                         "weights of more than %d different iterations would be kept for the "
                         "network %s (rewind.to and prune.at); use fewer, or several grids",
                         PLAN_MAX_CAPTURES, network->label);
}

int slots_want_rewind(struct builder *builder, const struct experiment *experiment, int32_t task,
                      int64_t iteration, struct error *err)
{
    struct plan_task *root = &builder->plan->tasks[task];
    struct plan_network *network = &builder->plan->networks[root->network];
    int bit = bit_of(network->rewinds, &network->rewind_count, network->at_count, iteration);
    if (bit < 0)
        return refuse_capture(builder, experiment, "rewind.to", network, err);
    root->rewind_set |= INT64_C(1) << bit;
    return 0;
}

int slots_want_at(struct builder *builder, const struct experiment *experiment, int32_t task,
                  int64_t iteration, struct error *err)
{
    struct plan_task *parent = &builder->plan->tasks[task];
    struct plan_network *network = &builder->plan->networks[parent->network];
    int bit = bit_of(network->ats, &network->at_count, network->rewind_count, iteration);
    if (bit < 0)
        return refuse_capture(builder, experiment, "prune.at", network, err);
    parent->at_set |= INT64_C(1) << bit;
    return 0;
}

static int compare_iterations(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* Where each bit goes when the iterations are sorted. */
struct bit_order {
    int8_t to[PLAN_MAX_CAPTURES];
};

static struct bit_order sort_iterations(int64_t *iterations, int32_t count)
{
    int64_t before[PLAN_MAX_CAPTURES];
    struct bit_order order = {0};
    memcpy(before, iterations, (size_t)count * sizeof *before);
    qsort(iterations, (size_t)count, sizeof *iterations, compare_iterations);
    for (int8_t i = 0; i < count; i++)
        for (int8_t j = 0; j < count; j++)
            if (before[i] == iterations[j])
                order.to[i] = j;
    return order;
}

static int64_t reorder_bits(int64_t set, const struct bit_order *order)
{
    int64_t sorted = 0;
    for (int bit = 0; set >> bit != 0; bit++)
        if (set >> bit & 1)
            sorted |= INT64_C(1) << order->to[bit];
    return sorted;
}

static int sort_captures(struct plan *plan, struct error *err)
{
    struct {
        struct bit_order rewinds, ats;
    } *orders = mem_zeroed((size_t)plan->network_count, sizeof *orders, err);
    if (orders == NULL)
        return -1;
    for (int32_t i = 0; i < plan->network_count; i++) {
        struct plan_network *network = &plan->networks[i];
        orders[i].rewinds = sort_iterations(network->rewinds, network->rewind_count);
        orders[i].ats = sort_iterations(network->ats, network->at_count);
    }
    for (int32_t i = 0; i < plan->task_count; i++) {
        struct plan_task *task = &plan->tasks[i];
        task->rewind_set = reorder_bits(task->rewind_set, &orders[task->network].rewinds);
        task->at_set = reorder_bits(task->at_set, &orders[task->network].ats);
    }
    free(orders);
    return 0;
}

/* --- initial values --- */

/* Whose initial values a task's lineage starts from. */
static struct hash128 init_identity(const struct plan *plan, const struct plan_task *task)
{
    if (task->start != START_INIT)
        task = &plan->tasks[task->root];
    struct {
        int64_t network, kind;
        double sigma;
    } values = {task->network, task->init.kind, task->init.sigma};
    int32_t draw = task->diverts_init ? task->draw : 0;
    return index_key(&values, sizeof values, task->seed_init, draw);
}

static int number_inits(const struct builder *builder, struct index_map *slots, struct error *err)
{
    struct plan *plan = builder->plan;
    for (int32_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *task = &plan->tasks[i];
        struct hash128 identity = init_identity(plan, task);
        if (!builder->wants[i].init || index_map_find(slots, identity) >= 0)
            continue;
        int64_t slot = plan->networks[task->network].init_slots++;
        if (index_map_add(slots, identity, (int32_t)slot, err) != 0)
            return -1;
    }
    return 0;
}

static int assign_inits(const struct builder *builder, struct error *err)
{
    struct plan *plan = builder->plan;
    struct index_map slots = {0};
    int status = number_inits(builder, &slots, err);
    for (int32_t i = 0; status == 0 && i < plan->task_count; i++) {
        struct plan_task *task = &plan->tasks[i];
        task->init_slot = index_map_find(&slots, init_identity(plan, task));
        task->writes_init = task->start == START_INIT && task->init_slot >= 0;
    }
    index_map_finish(&slots);
    return status;
}

/* --- all slots --- */

static int64_t next_slot(bool wanted, int64_t *slots)
{
    return wanted ? (*slots)++ : -1;
}

static void assign_own(const struct builder *builder, int32_t row)
{
    struct plan *plan = builder->plan;
    struct plan_task *task = &plan->tasks[row];
    struct plan_network *network = &plan->networks[task->network];
    const struct wants *wants = &builder->wants[row];
    task->mask_slot = next_slot(task->level > 0, &network->mask_slots);
    task->at_slot = next_slot(task->at_set != 0, &network->at_slots);
    task->early_stop_slot = next_slot(wants->early_stop, &network->early_stop_slots);
    task->final_slot = next_slot(wants->final, &network->final_slots);
    task->writes_mask = task->mask_slot >= 0;
    task->writes_early_stop = task->early_stop_slot >= 0;
    task->writes_final = task->final_slot >= 0;
    bool reads_rewind = task->start == START_REWIND && task->start_iteration > 0;
    if (reads_rewind)
        task->rewind_slot = plan->tasks[task->root].rewind_slot;
    else
        task->rewind_slot = next_slot(task->rewind_set != 0, &network->rewind_slots);
}

static void assign_curve(struct plan *plan, struct plan_task *task)
{
    const struct plan_training *training = &plan->trainings[task->training];
    task->curve_offset = plan->curve_rows;
    task->curve_count = (int32_t)cost_evaluations(training, task->start_iteration);
    plan->curve_rows += task->curve_count;
}

int slots_assign(struct builder *builder, struct error *err)
{
    struct plan *plan = builder->plan;
    if (sort_captures(plan, err) != 0 || assign_inits(builder, err) != 0)
        return -1;
    for (int32_t i = 0; i < plan->task_count; i++) {
        assign_own(builder, i);
        assign_curve(plan, &plan->tasks[i]);
    }
    return 0;
}
