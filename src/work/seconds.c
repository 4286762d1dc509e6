/* What finished tasks took, of whatever grid's store: matched by key. For estimates, so that
 * checksums are not looked at. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "work/work.h"

enum { ROWS_AT_ONCE = 64 }; /* a row is half a kilobyte */

struct keyed {
    struct hash128 key;
    int32_t task;
};

static int compare_keys(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct hash128));
}

static struct keyed *sort_tasks(const struct plan *plan, struct error *err)
{
    struct keyed *keyed = mem_zeroed((size_t)plan->task_count, sizeof *keyed, err);
    for (int32_t i = 0; keyed != NULL && i < plan->task_count; i++)
        keyed[i] = (struct keyed){plan->tasks[i].key, i};
    if (keyed != NULL)
        qsort(keyed, (size_t)plan->task_count, sizeof *keyed, compare_keys);
    return keyed;
}

/* The plan's task of a store's row, or -1. */
static int32_t task_of(const struct plan *plan, const struct keyed *keyed,
                       const struct store_table *tasks, int64_t row)
{
    char text[HASH_HEX_SIZE];
    struct keyed wanted = {0};
    store_table_text(tasks, row, store_table_column(tasks, "key"), text, sizeof text);
    if (!hash128_parse(text, &wanted.key))
        return -1;
    const struct keyed *found =
        bsearch(&wanted, keyed, (size_t)plan->task_count, sizeof *keyed, compare_keys);
    return found != NULL ? found->task : -1;
}

static void take(const struct store_result *row, int32_t task, double *seconds, bool *diverged)
{
    bool is_finished = row->status == STORE_DONE || row->status == STORE_DIVERGED;
    if (task < 0 || !is_finished || !(row->seconds >= 0 && row->seconds < 1e12))
        return;
    seconds[task] = row->seconds;
    diverged[task] = row->status == STORE_DIVERGED;
}

static int read_rows(const struct plan *plan, struct store *store, const struct keyed *keyed,
                     double *seconds, bool *diverged, struct error *err)
{
    struct store_table tasks = {0};
    struct store_result rows[ROWS_AT_ONCE];
    int failed = store_read_table(store, "tasks", &tasks, err);
    for (int64_t first = 0; failed == 0 && first < tasks.row_count; first += ROWS_AT_ONCE) {
        int64_t count =
            tasks.row_count - first < ROWS_AT_ONCE ? tasks.row_count - first : ROWS_AT_ONCE;
        failed = store_read_results(store, first, count, rows, err);
        for (int64_t i = 0; failed == 0 && i < count; i++)
            take(&rows[i], task_of(plan, keyed, &tasks, first + i), seconds, diverged);
    }
    store_table_finish(&tasks);
    return failed;
}

int work_read_seconds(const struct plan *plan, struct store *store, double *seconds, bool *diverged,
                      struct error *err)
{
    struct keyed *keyed = sort_tasks(plan, err);
    int failed = keyed == NULL || read_rows(plan, store, keyed, seconds, diverged, err) != 0;
    free(keyed);
    return failed ? -1 : 0;
}
