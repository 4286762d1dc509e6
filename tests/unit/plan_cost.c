/* What a plan costs, and that large grids are no trouble. */
#include "plan_support.h"

static void pruning_makes_tasks_cheaper(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 4}\n"
                                      "experiments: [{}, {rewind: {to: 50}}]\n");
    for (int32_t level = 1; level <= 4; level++) {
        assert_true(plan->tasks[ticket_at(plan, 0, level)].cost <=
                    plan->tasks[ticket_at(plan, 0, level - 1)].cost);
        assert_true(plan->tasks[ticket_at(plan, 1, level)].cost <
                    plan->tasks[ticket_at(plan, 0, level)].cost);
    }
    assert_true(plan->tasks[ticket_at(plan, 0, 4)].cost < plan->tasks[0].cost);
    double sum = 0, unshared = 0;
    for (int32_t i = 0; i < plan->task_count; i++)
        sum += plan->tasks[i].cost;
    for (int32_t i = 0; i < plan->point_count; i++)
        unshared += plan->tasks[plan->points[i].task].cost;
    assert_true(fabs(plan->cost - sum) <= 1e-9 * sum);
    assert_true(fabs(plan->unshared_cost - unshared) <= 1e-9 * unshared);
    assert_true(plan->cost < plan->unshared_cost);
    plan_drop(plan);
}

/* The density expected of a ticket: two hidden layers at 0.2, the output at 0.1, by hand; below the
 * densities at which survivors alone are faster, cost is in proportion to it. */
static void cost_follows_the_ladder(void **state)
{
    (void)state;
    struct plan *plan = plan_of("name: x\narchitecture: lenet-300-100\n"
                                "dataset: {name: digits, train: 600, test: 10, validation: 0}\n"
                                "train: {iterations: 1000, batch: 60, evaluate: {every: 1000}}\n"
                                "prune: {rounds: 15}\n");
    const double percent[] = {[7] = 21.07, [12] = 6.95, [15] = 3.58}; /* paper.md */
    const double ratio = plan->tasks[7].cost / percent[7];
    assert_true(fabs(plan->tasks[1].cost - plan->tasks[0].cost) <= 1e-9 * plan->tasks[0].cost);
    assert_true(fabs(plan->tasks[12].cost / percent[12] - ratio) < 2e-3 * ratio);
    assert_true(fabs(plan->tasks[15].cost / percent[15] - ratio) < 2e-3 * ratio);
    plan_drop(plan);
}

static void memory_is_that_of_the_largest_task(void **state)
{
    (void)state;
    struct plan *small = plan_of(SMALL "prune: {rounds: 1}\n");
    struct plan *both = plan_of(SMALL "prune: {rounds: 1}\n"
                                      "axes: {architecture: [lenet-20-10, lenet-2000-1000]}\n");
    assert_true(plan_memory_bytes(small) > 500 * 784);
    assert_true(plan_memory_bytes(both) > plan_memory_bytes(small) + 3568000 * 4 * 4);
    plan_drop(small);
    plan_drop(both);
}

static void a_grid_of_twenty_thousand_is_no_trouble(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 1}\n"
                                      "axes:\n"
                                      "  seed: 1..100\n"
                                      "  train.batch: 21..30\n"
                                      "  prune.rate.fc: [0.1, 0.2, 0.3, 0.4, 0.5]\n"
                                      "  rewind.to: [0, 10, 20, 30]\n");
    assert_int_equal(plan->grid->experiment_count, 20000);
    assert_int_equal(plan->point_count, 40000);
    assert_int_equal(plan->task_count, 1000 + 20000);
    assert_int_equal(plan->training_count, 10);
    assert_int_equal(plan->pruning_count, 5);
    assert_int_equal(plan->networks[0].rewind_slots, 1000);
    plan_drop(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pruning_makes_tasks_cheaper),
        cmocka_unit_test(cost_follows_the_ladder),
        cmocka_unit_test(memory_is_that_of_the_largest_task),
        cmocka_unit_test(a_grid_of_twenty_thousand_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
