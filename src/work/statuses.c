/* What a store says of a plan's tasks, believed only where checksums hold. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "work/work.h"

struct reading {
    const struct plan *plan;
    struct store *store;
    bool repair;
    struct store_result *rows;
    uint8_t *bad;
};

static enum store_status judge(const struct reading *reading, int32_t task,
                               const enum store_status *statuses)
{
    int32_t parent = reading->plan->tasks[task].parent;
    enum store_status status = (enum store_status)reading->rows[task].status;
    enum store_status above = parent < 0 ? STORE_DONE : statuses[parent];
    if (reading->bad[task])
        return STORE_PENDING;
    if (status == STORE_SKIPPED && above != STORE_DIVERGED && above != STORE_SKIPPED)
        return STORE_PENDING;
    if (reading->repair && work_is_to_run(status))
        return STORE_PENDING;
    return status;
}

/* Makes the store say what was judged. */
static int set_back(const struct reading *reading, int32_t task, uint8_t *attempts,
                    struct error *err)
{
    if (store_reset_result(reading->store, task, err) != 0)
        return -1;
    if (attempts[task] == 0)
        return 0;
    attempts[task] = 0;
    return store_write_attempts(reading->store, task, 0, err);
}

static int judge_all(const struct reading *reading, enum store_status *statuses, uint8_t *attempts,
                     struct error *err)
{
    for (int32_t i = 0; i < reading->plan->task_count; i++) {
        statuses[i] = judge(reading, i, statuses);
        bool differs = statuses[i] != (enum store_status)reading->rows[i].status;
        if (reading->repair && differs && set_back(reading, i, attempts, err) != 0)
            return -1;
    }
    return 0;
}

static int read_store(struct reading *reading, uint8_t *attempts, int32_t *torn, struct error *err)
{
    int64_t count = reading->plan->task_count;
    if (store_task_count(reading->store) < count)
        return error_set(err, ERROR_USAGE, "the store has %lld tasks, the grid has %lld",
                         (long long)store_task_count(reading->store), (long long)count);
    reading->rows = mem_zeroed((size_t)count, sizeof *reading->rows, err);
    reading->bad = mem_zeroed((size_t)store_task_count(reading->store), 1, err);
    if (reading->rows == NULL || reading->bad == NULL ||
        store_read_results(reading->store, 0, count, reading->rows, err) != 0 ||
        store_read_attempts(reading->store, count, attempts, err) != 0)
        return -1;
    int64_t found = store_verify(reading->store, reading->bad, err);
    *torn = 0;
    for (int64_t i = 0; i < count; i++)
        *torn += reading->bad[i];
    return found < 0 ? -1 : 0;
}

int work_read_statuses(const struct plan *plan, struct store *store, bool repair,
                       enum store_status *statuses, uint8_t *attempts, int32_t *torn,
                       struct error *err)
{
    struct reading reading = {.plan = plan, .store = store, .repair = repair};
    int failed = read_store(&reading, attempts, torn, err) != 0 ||
                 judge_all(&reading, statuses, attempts, err) != 0;
    free(reading.rows);
    free(reading.bad);
    return failed ? -1 : 0;
}

bool work_is_to_run(enum store_status status)
{
    return status == STORE_PENDING || status == STORE_FAILED || status == STORE_UNREACHABLE;
}

void work_task_label(const struct plan_task *task, char *to, size_t size)
{
    if (task->control == CONTROL_NONE)
        text_copy(to, size, task->level == 0 ? "dense" : "ticket");
    else if (task->draw > 0)
        snprintf(to, size, "%s %d", control_kind_name(task->control), task->draw);
    else
        text_copy(to, size, control_kind_name(task->control));
}
