/* Plans of grids given as text, for the tests of plan. */
#ifndef TESTS_UNIT_PLAN_SUPPORT_H
#define TESTS_UNIT_PLAN_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan/plan.h"

/* What every test grid begins with: small, and without files. */
#define SMALL                                                                                      \
    "name: small\n"                                                                                \
    "architecture: lenet-20-10\n"                                                                  \
    "dataset: {name: digits, train: 600, test: 100, validation: 100}\n"                            \
    "train: {iterations: 100, batch: 20, evaluate: {every: 25}}\n"

static inline struct plan *plan_try(const char *text, struct error *err)
{
    struct grid *grid = grid_parse("grid.yaml", text, strlen(text), err);
    if (grid == NULL)
        return NULL;
    struct plan *plan = plan_create(grid, &(struct plan_options){0}, err);
    if (plan == NULL)
        grid_destroy(grid);
    return plan;
}

static inline struct plan *plan_of(const char *text)
{
    struct error err = {0};
    struct plan *plan = plan_try(text, &err);
    if (plan == NULL) {
        fail_msg("%s", err.text);
        abort(); /* not reached: for the compiler */
    }
    return plan;
}

static inline void plan_drop(struct plan *plan)
{
    struct grid *grid = (struct grid *)(uintptr_t)plan->grid;
    plan_destroy(plan);
    grid_destroy(grid);
}

/* The row of a point's task; draw and control 0 for the ticket. */
static inline int32_t task_at(const struct plan *plan, int32_t experiment, int32_t level,
                              enum control_kind control, int32_t draw)
{
    for (int32_t i = 0; i < plan->point_count; i++) {
        const struct plan_point *point = &plan->points[i];
        if (point->experiment == experiment && point->level == level && point->control == control &&
            point->draw == draw)
            return point->task;
    }
    fail_msg("no point of experiment %d at level %d, control %d, draw %d", experiment, level,
             control, draw);
    return -1;
}

static inline int32_t ticket_at(const struct plan *plan, int32_t experiment, int32_t level)
{
    return task_at(plan, experiment, level, CONTROL_NONE, 0);
}

#endif
