/* A grid in parts: together they are the whole, no two share a task, and none is much dearer than
 * the others. */
#include "plan_support.h"

#define MOST_PARTS 8

/* Three axes of which only the seeds make other dense runs, and controls. */
#define GRID                                                                                       \
    SMALL "prune: {rounds: 2}\n"                                                                   \
          "axes: {seed: 1..7, prune.rate.fc: [0.2, 0.4], rewind.to: [0, 10]}\n"                    \
          "controls: [{kind: reinit, draws: 2}, {kind: fork, levels: [0, 2]}]\n"

static struct plan *part_try(const char *text, struct plan_part part, struct error *err)
{
    struct grid *grid = grid_parse("grid.yaml", text, strlen(text), err);
    struct plan *plan =
        grid != NULL ? plan_create(grid, &(struct plan_options){.part = part}, err) : NULL;
    if (plan == NULL)
        grid_destroy(grid);
    return plan;
}

static struct plan *part_of(const char *text, int32_t number, int32_t count)
{
    struct error err = {0};
    struct plan *plan = part_try(text, (struct plan_part){number, count}, &err);
    if (plan == NULL) {
        fail_msg("%s", err.text);
        abort(); /* not reached: for the compiler */
    }
    return plan;
}

static int32_t find_task(const struct plan *plan, struct hash128 key)
{
    for (int32_t i = 0; i < plan->task_count; i++)
        if (memcmp(plan->tasks[i].key.bytes, key.bytes, sizeof key.bytes) == 0)
            return i;
    return -1;
}

static bool has_experiment(const struct plan *plan, const struct experiment *experiment)
{
    for (int32_t i = 0; i < plan->grid->experiment_count; i++) {
        struct experiment own;
        grid_experiment(plan->grid, i, &own);
        if (memcmp(&own.fields, &experiment->fields, sizeof own.fields) == 0)
            return true;
    }
    return false;
}

static void assert_parts_are_the_whole(const char *text, int32_t count)
{
    struct plan *whole = plan_of(text), *parts[MOST_PARTS];
    int32_t tasks = 0, points = 0;
    for (int32_t p = 0; p < count; p++) {
        parts[p] = part_of(text, p + 1, count);
        tasks += parts[p]->task_count;
        points += parts[p]->point_count;
        assert_true(parts[p]->task_count > 0);
    }
    assert_int_equal(tasks, whole->task_count);
    assert_int_equal(points, whole->point_count);
    for (int32_t i = 0; i < whole->task_count; i++) {
        int holders = 0;
        for (int32_t p = 0; p < count; p++)
            holders += find_task(parts[p], whole->tasks[i].key) >= 0;
        assert_int_equal(holders, 1);
    }
    for (int32_t i = 0; i < whole->grid->experiment_count; i++) {
        int holders = 0;
        struct experiment experiment;
        grid_experiment(whole->grid, i, &experiment);
        for (int32_t p = 0; p < count; p++)
            holders += has_experiment(parts[p], &experiment);
        assert_int_equal(holders, 1);
    }
    for (int32_t p = 0; p < count; p++)
        plan_drop(parts[p]);
    plan_drop(whole);
}

static void each_task_is_in_one_part(void **state)
{
    (void)state;
    for (int32_t count = 1; count <= 7; count++)
        assert_parts_are_the_whole(GRID, count);
}

/* Blocks that overlap: by the seeds of the second and third, which differ in the rate, and the
 * first alone. */
static void what_shares_through_others_stays_together(void **state)
{
    (void)state;
    static const char text[] =
        SMALL "experiments:\n"
              "- {axes: {seed: [5]}, prune: {rounds: 6}}\n"
              "- {axes: {seed.init: [1, 2]}, seed: 1}\n"
              "- {axes: {seed.init: [1, 2], prune.rate.fc: [0.3]}, seed: 1}\n";
    assert_parts_are_the_whole(text, 3);
    struct error err = {0};
    assert_null(part_try(text, (struct plan_part){1, 4}, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.text, "grid.yaml cannot be split into 4 parts"));
    assert_non_null(strstr(err.text, "give at most 3"));
}

/* No part is dearer than the cheapest by more than what cannot be split. */
static void parts_are_about_equally_dear(void **state)
{
    (void)state;
    static const char text[] =
        SMALL "experiments:\n"
              "- {axes: {seed: 1..9}, prune: {rounds: 1}}\n"
              "- {axes: {seed: 11..13, train.iterations: [100, 300]}, prune: {rounds: 4}}\n";
    for (int32_t count = 2; count <= 5; count++) {
        double least = INFINITY, most = 0, dearest = 0;
        for (int32_t p = 1; p <= count; p++) {
            struct plan *part = part_of(text, p, count);
            least = fmin(least, part->cost);
            most = fmax(most, part->cost);
            plan_drop(part);
        }
        struct plan *one = plan_of(SMALL "axes: {seed: [11], train.iterations: [300]}\n"
                                         "prune: {rounds: 4}\n");
        dearest = one->cost;
        plan_drop(one);
        assert_true(most - least <= dearest);
        assert_true(count > 3 || most < 1.1 * least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_task_is_in_one_part),
        cmocka_unit_test(what_shares_through_others_stays_together),
        cmocka_unit_test(parts_are_about_equally_dear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
