/* What /tasks and /points say, which no checksum covers: references point to rows that are there,
 * slots and curves exist, and no two tasks write the same place. Initial values are shared by
 * design: each of their writers writes the same bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "examine.h"

/* --- rows --- */

static void check_references(struct examination *examination, int64_t task)
{
    const struct store_table *tasks = &examination->tasks;
    int64_t parent = task_value(tasks, task, "parent"), root = task_value(tasks, task, "root");
    int64_t level = task_value(tasks, task, "level");
    if (parent < -1 || parent >= task)
        examine_blame(examination, task, STORE_FAULT_TASKS,
                      "its parent's row %lld is not one before its own", (long long)parent);
    if (root < 0 || root > task)
        examine_blame(examination, task, STORE_FAULT_TASKS,
                      "its root's row %lld is not one up to its own", (long long)root);
    if (level < 0 || (level > 0 && parent < 0))
        examine_blame(examination, task, STORE_FAULT_TASKS, "level %lld %s", (long long)level,
                      level < 0 ? "is none" : "without a parent");
}

/* Slots of the sets of weights whose names begin so. */
static int64_t slots_of(const struct store_network *network, const char *name)
{
    int64_t slots = 0;
    for (int32_t i = 0; i < network->when_count; i++)
        if (strncmp(network->whens[i].name, name, strlen(name)) == 0 &&
            network->whens[i].slots > slots)
            slots = network->whens[i].slots;
    return slots;
}

static const struct place {
    const char *slot, *when;
    const char *writes; /* not 0: its alone; NULL: shared by design */
} places[] = {
    {"mask_slot", NULL, "writes_mask"},
    {"init_slot", "init", NULL},
    {"rewind_slot", "rewind-", "rewind_set"},
    {"at_slot", "at-", "at_set"},
    {"early_stop_slot", "early-stop", "writes_early_stop"},
    {"final_slot", "final", "writes_final"},
};
#define PLACES (sizeof places / sizeof *places)

static void check_slots(struct examination *examination, int64_t task)
{
    const struct store_table *tasks = &examination->tasks;
    int64_t index = task_value(tasks, task, "network");
    const struct store_network *network = &examination->store->networks[index];
    for (size_t i = 0; i < PLACES; i++) {
        int64_t slot = task_value(tasks, task, places[i].slot);
        int64_t slots =
            places[i].when == NULL ? network->mask_slots : slots_of(network, places[i].when);
        if (slot < -1 || slot >= slots)
            examine_blame(examination, task, STORE_FAULT_TASKS,
                          "its %s %lld is none of the %lld there are", places[i].slot,
                          (long long)slot, (long long)slots);
        else if (slot < 0 && places[i].writes != NULL &&
                 task_value(tasks, task, places[i].writes) > 0)
            examine_blame(examination, task, STORE_FAULT_TASKS, "%s without a %s", places[i].writes,
                          places[i].slot);
    }
}

static void check_task(struct examination *examination, int64_t task)
{
    struct store_payload payload;
    struct error why = {0};
    check_references(examination, task);
    if (store_task_payload(examination->store, &examination->tasks, task, &payload, &why) != 0)
        examine_blame(examination, task, STORE_FAULT_TASKS, "%s", why.text);
    else
        check_slots(examination, task);
}

/* --- no two in one place --- */

/* Rows of one dataset that a task alone writes. */
struct claim {
    int64_t space; /* the dataset */
    int64_t first, count, task;
};

static int compare_claims(const void *left, const void *right)
{
    const struct claim *a = left, *b = right;
    if (a->space != b->space)
        return a->space < b->space ? -1 : 1;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return (a->task > b->task) - (a->task < b->task);
}

static size_t add_claims(const struct store_table *tasks, int64_t task, struct claim *claims)
{
    size_t count = 0;
    int64_t network = task_value(tasks, task, "network");
    for (size_t i = 0; i < PLACES; i++) {
        int64_t slot = task_value(tasks, task, places[i].slot);
        if (slot >= 0 && places[i].writes != NULL && task_value(tasks, task, places[i].writes) > 0)
            claims[count++] = (struct claim){network * (int64_t)PLACES + (int64_t)i, slot, 1, task};
    }
    int64_t points = task_value(tasks, task, "curve_count");
    if (points > 0)
        claims[count++] = (struct claim){-1, task_value(tasks, task, "curve_offset"), points, task};
    return count;
}

static void blame_overlap(struct examination *examination, const struct claim *one,
                          const struct claim *other)
{
    const char *what =
        one->space < 0 ? "part of /curves" : places[one->space % (int64_t)PLACES].slot;
    examine_blame(examination, one->task, STORE_FAULT_TASKS, "its %s is task %lld's too", what,
                  (long long)other->task);
    examine_blame(examination, other->task, STORE_FAULT_TASKS, "its %s is task %lld's too", what,
                  (long long)one->task);
}

/* `widest` is the claim that reaches furthest of those before: one may span several others. */
static void check_claims(struct examination *examination, struct claim *claims, size_t count)
{
    const struct claim *widest = NULL;
    qsort(claims, count, sizeof *claims, compare_claims);
    for (size_t i = 0; i < count; i++) {
        const struct claim *claim = &claims[i];
        bool is_near = widest != NULL && widest->space == claim->space;
        if (is_near && claim->first < widest->first + widest->count)
            blame_overlap(examination, widest, claim);
        if (!is_near || claim->first + claim->count > widest->first + widest->count)
            widest = claim;
    }
}

static int check_places(struct examination *examination, struct error *err)
{
    int64_t tasks = examination->store->task_count;
    struct claim *claims = mem_zeroed((size_t)tasks * (PLACES + 1), sizeof *claims, err);
    if (claims == NULL)
        return -1;
    size_t count = 0;
    for (int64_t i = 0; i < tasks; i++)
        if (examination->findings[i].fault == STORE_SOUND)
            count += add_claims(&examination->tasks, i, claims + count);
    check_claims(examination, claims, count);
    free(claims);
    return 0;
}

/* --- /points --- */

static int check_points(struct store *store, struct error *err)
{
    static const char *const references[] = {"task", "dense_task"};
    struct store_table points;
    if (store_read_table(store, "points", &points, err) != 0)
        return -1;
    int status = 0;
    for (int64_t row = 0; row < points.row_count && status == 0; row++) {
        for (size_t i = 0; i < 2 && status == 0; i++) {
            int64_t task = task_value(&points, row, references[i]);
            if (task < 0 || task >= store->task_count)
                status = error_set(err, ERROR_USAGE,
                                   "%s: damaged: /points row %lld: there is no task %lld",
                                   store->path, (long long)row, (long long)task);
        }
    }
    store_table_finish(&points);
    return status;
}

int structure_examine(struct examination *examination, struct error *err)
{
    if (check_points(examination->store, err) != 0)
        return -1;
    for (int64_t i = 0; i < examination->store->task_count; i++)
        check_task(examination, i);
    return check_places(examination, err);
}
