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

/* A step of a batch of 60 costs about three evaluations of as many examples, and the training set
 * is evaluated twice at the end: of 60,000 examples as much as some 700 iterations. */
static void the_end_counts_as_iterations(void **state)
{
    (void)state;
    struct plan *plan = plan_of("name: x\narchitecture: lenet-300-100\n"
                                "dataset: {name: digits, train: 60000, test: 10, validation: 0}\n"
                                "train: {iterations: 1000, batch: 60, evaluate: {every: 1000}}\n"
                                "axes: {rewind.to: [0, 900]}\nprune: {rounds: 1}\n");
    for (int32_t i = 0; i < plan->task_count; i++)
        assert_in_range(plan_end_iteration(plan, &plan->tasks[i]), 1500, 2000);
    plan_drop(plan);
}

static void memory_is_that_of_the_largest_task(void **state)
{
    (void)state;
    struct plan *small = plan_of(SMALL "prune: {rounds: 1}\n");
    struct plan *both = plan_of(SMALL "prune: {rounds: 1}\n"
                                      "axes: {architecture: [lenet-20-10, lenet-2000-1000]}\n");
    const int64_t least = plan_memory_bytes(small, NET_KERNELS_AUTO);
    assert_true(least > 500 * 784);
    assert_true(plan_memory_bytes(both, NET_KERNELS_AUTO) > least + 3568000 * 4 * 4);
    plan_drop(small);
    plan_drop(both);
}

/* Of three contents, one of which is split in two ways. */
static void data_are_counted_once_a_content(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 0}\n"
                                      "zip: [{dataset.seed: [1, 1, 2, 3], "
                                      "dataset.split_seed: [0, 1, 0, 0]}]\n");
    const int64_t each = dataset_example_bytes(&plan->datasets[0].info);
    const int64_t expected[] = {0, each, 2 * each, 3 * each, 3 * each};
    assert_int_equal(plan->dataset_count, 4);
    for (int64_t workers = 0; workers <= 4; workers++) {
        int64_t bytes;
        struct error err = {0};
        assert_int_equal(plan_data_bytes(plan, workers, &bytes, &err), 0);
        assert_int_equal(bytes, expected[workers]);
    }
    plan_drop(plan);
}

/* What the surviving weights of conv-2 take beside its dense network. */
static int64_t survivors_memory(const char *prune, enum net_kernels kernels)
{
    char text[512];
    snprintf(text, sizeof text,
             "name: x\narchitecture: conv-2\n"
             "dataset: {name: shapes, train: 600, test: 10, validation: 0}\n"
             "train: {iterations: 10, batch: 20}\nprune: %s\n",
             prune);
    struct plan *plan = plan_of(text);
    const int64_t bytes =
        plan_memory_bytes(plan, kernels) - plan_memory_bytes(plan, NET_KERNELS_DENSE);
    plan_drop(plan);
    return bytes;
}

static bool is_near(int64_t bytes, double expected)
{
    return fabs((double)bytes / expected - 1) < 0.05;
}

/* conv-2 has 1,728 and 36,864 weights in convolutions, 4,194,304 + 65,536 + 2,560 in layers behind
 * them; a survivor there takes four words of 4 bytes. Where a layer keeps more than pays, it takes
 * nothing, and no level in between counts that no task has. */
static void memory_follows_the_densities_planned(void **state)
{
    (void)state;
    const double behind = 4 * 4 * (4194304.0 + 65536 + 2560);
    assert_int_equal(survivors_memory("{rounds: 1, rate: 0.01}", NET_KERNELS_AUTO), 0);
    assert_int_equal(survivors_memory("{rounds: 0}", NET_KERNELS_AUTO), 0);
    assert_int_equal(survivors_memory("{rounds: 1, rate: {fc: 0.2}}", NET_KERNELS_AUTO), 0);
    assert_true(is_near(
        survivors_memory("{rounds: 1, rate: {conv: 0, fc: 0.75, output: 0.75}}", NET_KERNELS_AUTO),
        behind / 4));
    assert_true(is_near(
        survivors_memory("{rounds: 2, rate: {conv: 0, fc: 0.5, output: 0.5}}", NET_KERNELS_AUTO),
        behind / 2));
    assert_true(is_near(survivors_memory("{rounds: 1, scope: global, rate: 0.9}", NET_KERNELS_AUTO),
                        behind / 10));
    assert_true(
        is_near(survivors_memory("{schedule: one-shot, fractions: [0.1, 0.8]}", NET_KERNELS_AUTO),
                behind / 5));
    const double all = behind + 16 * 36864 + 4 * 1728;
    assert_true(is_near(survivors_memory("{rounds: 0}", NET_KERNELS_SPARSE), all));
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
        cmocka_unit_test(the_end_counts_as_iterations),
        cmocka_unit_test(memory_is_that_of_the_largest_task),
        cmocka_unit_test(data_are_counted_once_a_content),
        cmocka_unit_test(memory_follows_the_densities_planned),
        cmocka_unit_test(a_grid_of_twenty_thousand_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
