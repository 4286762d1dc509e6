/* A plan's places as the store has them. Which captures a bit of rewind_set or at_set stands for is
 * the order of the network's sets of weights. */
#include <stdlib.h>
#include <string.h>

#include "work/work.h"

static int64_t value(const struct store_table *tasks, int64_t row, const char *column)
{
    return store_table_integer(tasks, row, store_table_column(tasks, column));
}

static int take_captures(const struct store_network *network, const char *family,
                         int64_t *iterations, int32_t *count, struct error *err)
{
    size_t length = strlen(family);
    *count = 0;
    for (int32_t i = 0; i < network->when_count; i++) {
        if (strncmp(network->whens[i].name, family, length) != 0)
            continue;
        if (*count == PLAN_MAX_CAPTURES)
            return error_set(err, ERROR_USAGE, "damaged: %s has too many sets of weights",
                             network->name);
        iterations[(*count)++] = strtoll(network->whens[i].name + length, NULL, 10);
    }
    return 0;
}

static void take_task(const struct store_table *tasks, int64_t row, struct plan_task *task)
{
    const int64_t rewinds = value(tasks, row, "rewind_set"), ats = value(tasks, row, "at_set");
    task->mask_slot = value(tasks, row, "mask_slot");
    task->init_slot = value(tasks, row, "init_slot");
    task->rewind_slot = value(tasks, row, "rewind_slot");
    task->at_slot = value(tasks, row, "at_slot");
    task->early_stop_slot = value(tasks, row, "early_stop_slot");
    task->final_slot = value(tasks, row, "final_slot");
    task->writes_mask = value(tasks, row, "writes_mask") == 1;
    task->writes_init = value(tasks, row, "writes_init") == 1;
    task->writes_early_stop = value(tasks, row, "writes_early_stop") == 1;
    task->writes_final = value(tasks, row, "writes_final") == 1;
    task->rewind_set = rewinds > 0 ? rewinds : 0;
    task->at_set = ats > 0 ? ats : 0;
    task->test_curve = value(tasks, row, "test_curve") == 1;
    task->curve_offset = value(tasks, row, "curve_offset");
}

/* /tasks has no checksum: a place that is wrong would be another task's. */
static int check_task(const struct plan *plan, struct store *store, const struct store_table *tasks,
                      int32_t row, struct error *err)
{
    struct store_payload payload;
    char key[HASH_HEX_SIZE], expected[HASH_HEX_SIZE];
    hash128_hex(plan->tasks[row].key, expected);
    store_table_text(tasks, row, store_table_column(tasks, "key"), key, sizeof key);
    if (strcmp(key, expected) != 0 ||
        value(tasks, row, "curve_count") != plan->tasks[row].curve_count)
        error_set(err, ERROR_USAGE, "damaged: /tasks row %d is not the grid's", row);
    else if (store_task_payload(store, tasks, row, &payload, err) == 0)
        return 0;
    return error_prefix(err, "%s", store_path(store));
}

static int take_tasks(struct plan *plan, struct store *store, const struct store_table *tasks,
                      struct error *err)
{
    for (int32_t i = 0; i < plan->task_count; i++) {
        if (check_task(plan, store, tasks, i, err) != 0)
            return -1;
        take_task(tasks, i, &plan->tasks[i]);
    }
    return 0;
}

int work_take_places(struct plan *plan, struct store *store, struct error *err)
{
    struct store_table tasks;
    if (store_network_count(store) < plan->network_count ||
        store_task_count(store) < plan->task_count)
        return error_set(err, ERROR_INTERNAL, "the store was made for another plan");
    for (int32_t i = 0; i < plan->network_count; i++) {
        struct plan_network *network = &plan->networks[i];
        const struct store_network *kept = store_network(store, i);
        if (kept->block_size != net_spec_block_size(&network->spec))
            return error_set(err, ERROR_USAGE, "%s: damaged: its network %s is not the grid's",
                             store_path(store), kept->name);
        if (take_captures(kept, "rewind-", network->rewinds, &network->rewind_count, err) != 0 ||
            take_captures(kept, "at-", network->ats, &network->at_count, err) != 0)
            return -1;
    }
    if (store_read_table(store, "tasks", &tasks, err) != 0)
        return -1;
    int status = take_tasks(plan, store, &tasks, err);
    store_table_finish(&tasks);
    return status;
}
