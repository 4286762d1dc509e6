/* The grids that the design promises to be sayable, on the built-in data. */
#include "plan_support.h"

#define TOP                                                                                        \
    "name: said\n"                                                                                 \
    "recipe: lenet-300-100\n"                                                                      \
    "dataset: {name: digits}\n"

static void the_papers_lenet_figures(void **state)
{
    (void)state;
    struct plan *plan =
        plan_of("name: figures\n"
                "dataset: {name: digits}\n"
                "axes: {seed: 1..5}\n"
                "controls: [{kind: reinit, draws: 3}]\n"
                "experiments:\n"
                "- {recipe: lenet-300-100, dataset: {name: digits}, prune: {rounds: 27},\n"
                "   train: {evaluate: {test: every}}}\n"
                "- {recipe: lenet-300-100, dataset: {name: digits}, prune: {schedule: one-shot,\n"
                "   fractions: [.05, .125, .25, .375, .5, .625, .75, .875, .95]}}\n");
    assert_int_equal(plan->grid->experiment_count, 10);
    assert_int_equal(plan->point_count, 5 * (1 + 27 * 4) + 5 * (1 + 9 * 4));
    assert_int_equal(plan->task_count, 5 * (1 + 27 * 4) + 5 * (9 * 4));
    assert_int_equal(plan->trainings[0].iterations, 50000);
    assert_int_equal(plan->tasks[0].curve_count, 501);
    plan_drop(plan);
}

static void late_rewinding_trains_the_dense_run_once(void **state)
{
    (void)state;
    struct plan *plan = plan_of(TOP "axes: {rewind.to: [0, 100, 500, 2000]}\n");
    assert_int_equal(plan->task_count, 1 + 4 * 25);
    assert_int_equal(plan->networks[0].rewind_count, 3);
    plan_drop(plan);
}

static void what_is_rewound(void **state)
{
    (void)state;
    struct plan *plan = plan_of(TOP "prune: {rounds: 5}\n"
                                    "axes: {rewind.what: [weights, learning-rate, none],\n"
                                    "       prune.schedule: [iterative, one-shot]}\n");
    /* Adam's rate is constant here, so that learning-rate and none are one. */
    assert_int_equal(plan->task_count, 1 + 2 * (5 + 4));
    plan_drop(plan);
}

static void instability(void **state)
{
    (void)state;
    struct plan *plan = plan_of(TOP "axes: {rewind.to: [0, 100, 1000]}\n"
                                    "controls: [{kind: fork, draws: 2, levels: [0, 3, 6]}]\n");
    assert_int_equal(plan->point_count, 3 * (26 + 6));
    assert_int_equal(plan->task_count, 1 + 3 * (25 + 6));
    plan_drop(plan);
}

static void before_training(void **state)
{
    (void)state;
    struct plan *plan = plan_of(TOP "prune: {at: init, rounds: 1}\n"
                                    "axes: {prune.rate: [.8, .9, .95]}\n"
                                    "controls: [{kind: reinit}]\n");
    assert_int_equal(plan->task_count, 1 + 3 * 2);
    assert_int_equal(plan->prunings[0].at, 0);
    plan_drop(plan);
}

static void the_designs_own_example(void **state)
{
    (void)state;
    struct plan *plan = plan_of("name: lenet-mnist\n"
                                "recipe: lenet-300-100\n"
                                "dataset: {name: digits, validation: 5000}\n"
                                "train:\n"
                                "  iterations: 50000\n"
                                "  batch: 60\n"
                                "  optimizer: {name: adam, learning_rate: 1.2e-3}\n"
                                "  warmup: 0\n"
                                "  evaluate: {every: 100, at: [], test: summary}\n"
                                "prune: {criterion: magnitude, scope: layer, schedule: iterative,\n"
                                "        rate: {fc: 0.2, output: half}, rounds: 25}\n"
                                "rewind: {to: 0, what: weights}\n"
                                "axes:\n"
                                "  prune.rate.fc: [0.1, 0.2, 0.4]\n"
                                "  train.optimizer.learning_rate: [1.2e-3, 2.0e-4]\n"
                                "  seed: 1..5\n"
                                "zip:\n"
                                "- {train.iterations: [50000, 60000], train.dropout: [0, 0.5]}\n"
                                "exclude:\n"
                                "- {prune.rate.fc: 0.4, seed: 5}\n"
                                "controls:\n"
                                "- {kind: reinit, draws: 3}\n"
                                "- {kind: random-mask, draws: 1, levels: [3, 7, 12]}\n"
                                "experiments:\n"
                                "- {recipe: lenet-300-100}\n"
                                "- {recipe: lenet-300-100, prune: {schedule: one-shot, "
                                "fractions: [0.125, 0.5, 0.95]}}\n"
                                "snapshots: [init, rewind, final]\n");
    assert_int_equal(plan->grid->experiment_count, 2 * 56); /* 56 = (3 * 5 - 1) * 2 * 2 */
    /* The one-shot experiments have levels 1 to 3: of the random masks' levels only the third. */
    assert_int_equal(plan->point_count, 56 * (1 + 25 * 4 + 3) + 56 * (1 + 3 * 4 + 1));
    assert_int_equal(plan->network_count, 2);
    plan_drop(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_papers_lenet_figures),
        cmocka_unit_test(late_rewinding_trains_the_dense_run_once),
        cmocka_unit_test(what_is_rewound),
        cmocka_unit_test(instability),
        cmocka_unit_test(before_training),
        cmocka_unit_test(the_designs_own_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
