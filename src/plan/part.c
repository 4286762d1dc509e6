/* A grid in parts that share no task, so that each runs by itself and together they cost what the
 * whole does.
 *
 * Experiments that share a task, directly or through others, stay together. These groups are dealt
 * out by cost, the dearest first, each to the part that has least so far. All follows from the
 * whole grid's plan: every process of every part finds the same. */
#include "part.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"

/* Experiments that stay together, under the number of their first. */
struct group {
    int32_t first;
    double cost;
};

struct dealing {
    const struct plan *plan;
    int32_t *leaders;     /* [experiments]: an earlier one of its group, the first is its own */
    int32_t *owners;      /* [tasks]: the first experiment that asks for it */
    struct group *groups; /* [experiments], of which group_count are used */
    int32_t group_count;
    int32_t *parts; /* [experiments]: of first ones, from 0 */
    double *loads;  /* [parts] */
};

/* --- groups --- */

static int32_t leader_of(int32_t *leaders, int32_t experiment)
{
    while (leaders[experiment] != experiment) {
        leaders[experiment] = leaders[leaders[experiment]];
        experiment = leaders[experiment];
    }
    return experiment;
}

static void join(int32_t *leaders, int32_t one, int32_t other)
{
    int32_t first = leader_of(leaders, one), second = leader_of(leaders, other);
    if (first < second)
        leaders[second] = first;
    else
        leaders[first] = second;
}

/* A task's parent is a point of every experiment that asks for the task, so that points are all
 * there is to look at. */
static void find_groups(struct dealing *dealing)
{
    const struct plan *plan = dealing->plan;
    for (int32_t i = 0; i < plan->grid->experiment_count; i++)
        dealing->leaders[i] = i;
    for (int32_t i = 0; i < plan->task_count; i++)
        dealing->owners[i] = -1;
    for (int32_t i = 0; i < plan->point_count; i++) {
        const struct plan_point *point = &plan->points[i];
        int32_t *owner = &dealing->owners[point->task];
        if (*owner < 0)
            *owner = point->experiment;
        else
            join(dealing->leaders, *owner, point->experiment);
    }
}

static void sum_costs(struct dealing *dealing)
{
    const struct plan *plan = dealing->plan;
    struct group *groups = dealing->groups;
    for (int32_t i = 0; i < plan->grid->experiment_count; i++)
        groups[i].first = i;
    for (int32_t i = 0; i < plan->task_count; i++)
        groups[leader_of(dealing->leaders, dealing->owners[i])].cost += plan->tasks[i].cost;
    for (int32_t i = 0; i < plan->grid->experiment_count; i++)
        if (dealing->leaders[i] == i)
            groups[dealing->group_count++] = groups[i];
}

/* --- dealing --- */

static int dearest_first(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    if (a->cost != b->cost)
        return a->cost > b->cost ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

static void deal(struct dealing *dealing, int32_t part_count)
{
    qsort(dealing->groups, (size_t)dealing->group_count, sizeof *dealing->groups, dearest_first);
    for (int32_t i = 0; i < dealing->group_count; i++) {
        int32_t least = 0;
        for (int32_t part = 1; part < part_count; part++)
            if (dealing->loads[part] < dealing->loads[least])
                least = part;
        dealing->loads[least] += dealing->groups[i].cost;
        dealing->parts[dealing->groups[i].first] = least;
    }
}

static int init(struct dealing *dealing, const struct plan *plan, int32_t part_count,
                struct error *err)
{
    size_t experiments = (size_t)plan->grid->experiment_count, tasks = (size_t)plan->task_count;
    *dealing = (struct dealing){
        .plan = plan,
        .leaders = mem_zeroed(experiments, sizeof *dealing->leaders, err),
        .owners = mem_zeroed(tasks, sizeof *dealing->owners, err),
        .groups = mem_zeroed(experiments, sizeof *dealing->groups, err),
        .parts = mem_zeroed(experiments, sizeof *dealing->parts, err),
        .loads = mem_zeroed((size_t)part_count, sizeof *dealing->loads, err),
    };
    return dealing->leaders == NULL || dealing->owners == NULL || dealing->groups == NULL ||
                   dealing->parts == NULL || dealing->loads == NULL
               ? -1
               : 0;
}

static void finish(struct dealing *dealing)
{
    free(dealing->leaders);
    free(dealing->owners);
    free(dealing->groups);
    free(dealing->parts);
    free(dealing->loads);
}

static int check_count(const struct dealing *dealing, int32_t part_count, struct error *err)
{
    if (part_count <= dealing->group_count)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s cannot be split into %" PRId32 " parts: its experiments fall into %" PRId32
                     " group%s that share%s no training run with others; give at most %" PRId32,
                     dealing->plan->grid->file, part_count, dealing->group_count,
                     dealing->group_count == 1 ? "" : "s", dealing->group_count == 1 ? "s" : "",
                     dealing->group_count);
}

int part_choose(const struct plan *whole, struct plan_part part, bool *keep, struct error *err)
{
    struct dealing dealing;
    int failed = init(&dealing, whole, part.count, err) != 0;
    if (!failed) {
        find_groups(&dealing);
        sum_costs(&dealing);
        failed = check_count(&dealing, part.count, err) != 0;
    }
    if (!failed)
        deal(&dealing, part.count);
    for (int32_t i = 0; i < whole->grid->experiment_count && !failed; i++)
        keep[i] = dealing.parts[leader_of(dealing.leaders, i)] == part.number - 1;
    finish(&dealing);
    return failed ? -1 : 0;
}
