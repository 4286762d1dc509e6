/* What `verify` looks at, in this order: structure, rows and checksums, lineage, and then what came
 * from a damaged task. One checksum covers all that a task left, so that a mask cannot be told from
 * a curve: whatever has a result below a damaged task counts as made from damaged input. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "examine.h"

void examine_blame(struct examination *examination, int64_t task, enum store_fault fault,
                   const char *format, ...)
{
    struct store_finding *finding = &examination->findings[task];
    if (finding->fault != STORE_SOUND)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
    finding->fault = fault;
}

static int check_row(struct examination *examination, int64_t task, struct error *err)
{
    const struct store_result *row = &examination->rows[task];
    if (examination->findings[task].fault != STORE_SOUND)
        return 0;
    if (row->status < STORE_PENDING || row->status > STORE_UNREACHABLE) {
        examine_blame(examination, task, STORE_FAULT_DAMAGED, "its status %d is none", row->status);
        return 0;
    }
    int holds = verify_holds(examination->store, &examination->tasks, task, row, err);
    if (holds == 0)
        examine_blame(examination, task, STORE_FAULT_DAMAGED, "its checksum does not hold");
    return holds < 0 ? -1 : 0;
}

/* Rows are in the order of the lineage: one pass reaches all descendants. */
static void blame_descendants(struct examination *examination)
{
    for (int64_t i = 0; i < examination->store->task_count; i++) {
        int64_t parent = task_value(&examination->tasks, i, "parent");
        if (parent < 0 || parent >= i || examination->rows[i].status == STORE_PENDING)
            continue;
        enum store_fault above = examination->findings[parent].fault;
        if (above != STORE_SOUND && above != STORE_FAULT_TASKS)
            examine_blame(examination, i, STORE_FAULT_PARENT, "it came from task %lld",
                          (long long)parent);
    }
}

static int examine(struct examination *examination, struct error *err)
{
    int64_t tasks = examination->store->task_count;
    if (store_read_results(examination->store, 0, tasks, examination->rows, err) != 0 ||
        structure_examine(examination, err) != 0)
        return -1;
    for (int64_t i = 0; i < tasks; i++)
        if (check_row(examination, i, err) != 0)
            return -1;
    if (lineage_examine(examination, err) != 0)
        return -1;
    blame_descendants(examination);
    return 0;
}

int store_examine(struct store *store, struct store_finding *findings, struct error *err)
{
    struct examination examination = {.store = store, .findings = findings};
    if (store_read_table(store, "tasks", &examination.tasks, err) != 0)
        return -1;
    examination.rows = mem_zeroed((size_t)store->task_count, sizeof *examination.rows, err);
    int failed = examination.rows == NULL || examine(&examination, err) != 0;
    free(examination.rows);
    store_table_finish(&examination.tasks);
    return failed ? -1 : 0;
}
