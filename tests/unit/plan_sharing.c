/* What is one training run and what is not: the promise that a grid pays for nothing twice. */
#include "plan_support.h"

/* Each grid's numbers of points and tasks. */
static void assert_counts(const char *text, int32_t points, int32_t tasks)
{
    struct plan *plan = plan_of(text);
    assert_int_equal(plan->point_count, points);
    assert_int_equal(plan->task_count, tasks);
    assert_int_equal(plan->unshared_tasks, points);
    plan_drop(plan);
}

static void dense_run_is_shared_by_everything_that_starts_from_it(void **state)
{
    (void)state;
    static const char *const axes[] = {
        "axes: {prune.rate.fc: [0.1, 0.2, 0.4]}\n",
        "axes: {prune.scope: [layer, global]}\n",
        "axes: {rewind.to: [0, 10, 20]}\n",
        "axes: {rewind.what: [weights, learning-rate]}\n",
        "axes: {prune.at: [end, init, 30]}\n",
        "axes: {prune.rate.output: [0, half, 0.3]}\n",
        "controls: [{kind: reinit, draws: 3}, {kind: random-mask}, {kind: fork}]\n",
    };
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%sprune: {rounds: 1}\n%s", SMALL, axes[i]);
        struct plan *plan = plan_of(text);
        int dense = 0;
        for (int32_t t = 0; t < plan->task_count; t++)
            dense += plan->tasks[t].level == 0;
        assert_int_equal(dense, 1);
        assert_int_equal(plan->task_count, plan->point_count - plan->grid->experiment_count + 1);
        plan_drop(plan);
    }
}

static void more_rounds_keep_the_tickets_there_are(void **state)
{
    (void)state;
    assert_counts(SMALL "axes: {prune.rounds: [2, 5, 9]}\n", 3 + 6 + 10, 10);
}

static void first_levels_of_iterative_and_one_shot_are_one(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 3}\n"
                                      "axes: {prune.schedule: [iterative, one-shot]}\n");
    assert_int_equal(ticket_at(plan, 0, 1), ticket_at(plan, 1, 1));
    assert_int_not_equal(ticket_at(plan, 0, 2), ticket_at(plan, 1, 2));
    assert_int_equal(plan->tasks[ticket_at(plan, 1, 3)].parent, ticket_at(plan, 1, 0));
    assert_int_equal(plan->tasks[ticket_at(plan, 0, 3)].parent, ticket_at(plan, 0, 2));
    assert_int_equal(plan->prunings[plan->tasks[ticket_at(plan, 1, 3)].pruning].rounds, 3);
    assert_int_equal(plan->prunings[plan->tasks[ticket_at(plan, 0, 3)].pruning].rounds, 1);
    assert_int_equal(plan->task_count, 1 + 3 + 2);
    plan_drop(plan);
}

static void a_fraction_is_one_ticket_at_whatever_level(void **state)
{
    (void)state;
    struct plan *plan =
        plan_of(SMALL "experiments:\n"
                      "- {prune: {schedule: one-shot, fractions: [0.5, 0.9]}}\n"
                      "- {prune: {schedule: one-shot, fractions: [0.5, 0.75, 0.9]}}\n"
                      /* the same shares of the fraction, by other rates */
                      "- {prune: {schedule: one-shot, fractions: [0.9], rate: {fc: 0.4}}}\n");
    assert_int_equal(ticket_at(plan, 0, 2), ticket_at(plan, 1, 3));
    assert_int_equal(ticket_at(plan, 0, 2), ticket_at(plan, 2, 1));
    assert_int_equal(plan->task_count, 1 + 3);
    const struct plan_pruning *pruning =
        &plan->prunings[plan->tasks[ticket_at(plan, 1, 2)].pruning];
    assert_true(pruning->fraction == 0.75);
    plan_drop(plan);
}

static void reinit_draws_differ_by_level_and_share_nothing_else(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 2}\nrewind: {to: 30}\n"
                                      "controls: [{kind: reinit, draws: 2, levels: [0, 1, 2]}]\n");
    assert_int_equal(plan->task_count, 3 + 6);
    const struct plan_task *ticket = &plan->tasks[ticket_at(plan, 0, 2)];
    const struct plan_task *reinit = &plan->tasks[task_at(plan, 0, 2, CONTROL_REINIT, 2)];
    assert_int_equal(ticket->start, START_REWIND);
    assert_int_equal(reinit->start, START_INIT);
    assert_int_equal(reinit->start_iteration, 30);
    assert_int_equal(reinit->parent, ticket->parent);
    assert_int_equal(reinit->pruning, ticket->pruning);
    assert_int_equal(reinit->draw, 2);
    assert_true(reinit->diverts_init);
    const struct plan_task *dense = &plan->tasks[task_at(plan, 0, 0, CONTROL_REINIT, 1)];
    assert_int_equal(dense->parent, -1);
    assert_int_equal(dense->start_iteration, 0);
    assert_int_equal(dense->pruning, -1);
    plan_drop(plan);
}

static void forks_start_where_their_ticket_does(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 1}\nrewind: {to: 40}\n"
                                      "controls: [{kind: fork, draws: 2, levels: [0, 1]}]\n");
    const struct plan_task *dense = &plan->tasks[task_at(plan, 0, 0, CONTROL_FORK, 1)];
    assert_int_equal(dense->parent, ticket_at(plan, 0, 0));
    assert_int_equal(dense->start, START_REWIND);
    assert_int_equal(dense->start_iteration, 40);
    assert_int_equal(dense->pruning, -1);
    const struct plan_task *fork = &plan->tasks[task_at(plan, 0, 1, CONTROL_FORK, 2)];
    const struct plan_task *ticket = &plan->tasks[ticket_at(plan, 0, 1)];
    assert_int_equal(fork->start, ticket->start);
    assert_int_equal(fork->start_iteration, 40);
    assert_int_equal(fork->pruning, ticket->pruning);
    assert_int_equal(fork->seed_order, ticket->seed_order);
    assert_int_equal(fork->draw, 2);
    plan_drop(plan);
}

static void same_with_nothing_changed_is_the_ticket(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 1}\n"
                                      "controls:\n- {kind: same}\n"
                                      "- {kind: same, set: {train.batch: 20}}\n"
                                      "- {kind: same, set: {train.batch: 30}}\n");
    assert_int_equal(plan->point_count, 5);
    assert_int_equal(plan->task_count, 3);
    assert_int_equal(plan->points[2].task, plan->points[1].task);
    assert_int_equal(plan->points[3].task, plan->points[1].task);
    assert_int_equal(plan->tasks[plan->points[1].task].control, CONTROL_NONE);
    const struct plan_task *changed = &plan->tasks[plan->points[4].task];
    assert_int_equal(plan->trainings[changed->training].batch, 30);
    assert_int_equal(changed->parent, plan->points[0].task);
    plan_drop(plan);
}

static void transfer_trains_the_ticket_on_other_data(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 2}\nrewind: {to: 1ep}\n"
                                      "controls:\n"
                                      "- {kind: same, set: {dataset.seed: 7, dataset.train: 300}}\n"
                                      "- {kind: same, set: {dataset.seed: 7}, levels: [0]}\n");
    const struct plan_task *ticket = &plan->tasks[ticket_at(plan, 0, 2)];
    const struct plan_task *other = &plan->tasks[task_at(plan, 0, 2, CONTROL_SAME, 1)];
    assert_int_not_equal(other->dataset, ticket->dataset);
    assert_int_equal(plan->datasets[other->dataset].info.train, 200);
    assert_int_equal(plan->datasets[plan->tasks[ticket->parent].dataset].info.train, 500);
    assert_int_equal(other->parent, ticket->parent);
    assert_int_equal(other->network, ticket->network);
    /* It starts from the ticket's W_k, not from an epoch of its own data. */
    assert_int_equal(other->start_iteration, 25);
    /* At level 0: the dense run on the other data. */
    assert_int_equal(plan->tasks[task_at(plan, 0, 0, CONTROL_SAME, 1)].parent, -1);
    plan_drop(plan);
}

static void constant_rate_makes_fine_tuning_and_rate_rewinding_one(void **state)
{
    (void)state;
    const char *axes = "prune: {rounds: 2}\n"
                       "rewind: {to: 20}\naxes: {rewind.what: [weights, learning-rate, none]}\n";
    char text[1024];
    snprintf(text, sizeof text, "%s%s", SMALL, axes);
    struct plan *plan = plan_of(text);
    assert_int_equal(ticket_at(plan, 1, 2), ticket_at(plan, 2, 2));
    assert_int_equal(plan->task_count, 1 + 2 * 2);
    assert_false(plan->tasks[ticket_at(plan, 2, 2)].fixed_rate);
    plan_drop(plan);
    /* Within warmup the rate is not constant. */
    static const char *const varying[] = {
        "experiments: [{train: {warmup: 21}}]\n",
        "experiments: [{train: {schedule: {name: cosine}}}]\n",
        "experiments: [{train: {schedule: {name: step, drops: [50]}}}]\n",
    };
    for (size_t i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "%s%s%s", SMALL, axes, varying[i]);
        plan = plan_of(text);
        assert_int_equal(plan->task_count, 1 + 3 * 2);
        assert_true(plan->tasks[ticket_at(plan, 2, 2)].fixed_rate);
        assert_int_equal(plan->tasks[ticket_at(plan, 2, 2)].start, START_PARENT_FINAL);
        plan_drop(plan);
    }
}

static void what_sharers_want_adds_up(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 1}\n"
                                      "experiments:\n"
                                      "- {snapshots: [early-stop]}\n"
                                      "- {snapshots: [final], train: {evaluate: {test: every}}}\n");
    assert_int_equal(plan->task_count, 2);
    const struct plan_task *ticket = &plan->tasks[ticket_at(plan, 0, 1)];
    assert_true(ticket->early_stop_slot >= 0 && ticket->final_slot >= 0 && ticket->test_curve);
    plan_drop(plan);
}

static void epochs_are_batches_of_what_is_left_to_train_on(void **state)
{
    (void)state;
    /* 600 - 100 examples in batches of 30: 16 an epoch. */
    struct plan *plan = plan_of(SMALL "prune: {rounds: 1}\nrewind: {to: 2ep}\n"
                                      "experiments:\n"
                                      "- {train: {iterations: 10ep, batch: 30, warmup: 1ep, "
                                      "evaluate: {every: 1ep, at: [112, 3ep, 7ep]}}}\n"
                                      "- {train: {iterations: 160, batch: 30, warmup: 16, "
                                      "evaluate: {every: 16, at: [48, 112]}}}\n");
    assert_int_equal(plan->task_count, 2);
    assert_int_equal(plan->training_count, 1);
    const struct plan_training *training = &plan->trainings[0];
    assert_int_equal(training->iterations, 160);
    assert_int_equal(training->schedule.iterations, 160);
    assert_int_equal(training->schedule.warmup, 16);
    assert_int_equal(training->evaluate_every, 16);
    assert_int_equal(training->at_count, 2);
    assert_int_equal(training->at[0], 48);
    assert_int_equal(training->at[1], 112);
    assert_int_equal(plan->tasks[ticket_at(plan, 0, 1)].start_iteration, 32);
    plan_drop(plan);
}

static void points_come_by_level(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 2}\n"
                                      "controls: [{kind: reinit, draws: 2}, "
                                      "{kind: random-mask, levels: [2]}]\n"
                                      "axes: {seed: [1, 2]}\n");
    static const int expected[][3] = {/* level, control index, draw */
                                      {0, -1, 0}, {1, -1, 0}, {1, 0, 1}, {1, 0, 2},
                                      {2, -1, 0}, {2, 0, 1},  {2, 0, 2}, {2, 1, 1}};
    assert_int_equal(plan->point_count, 16);
    for (int i = 0; i < 16; i++) {
        const struct plan_point *point = &plan->points[i];
        assert_int_equal(point->experiment, i / 8);
        assert_int_equal(point->level, expected[i % 8][0]);
        assert_int_equal(point->control_index, expected[i % 8][1]);
        assert_int_equal(point->draw, expected[i % 8][2]);
        assert_int_equal(point->dense_task, plan->points[i / 8 * 8].task);
    }
    plan_drop(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_run_is_shared_by_everything_that_starts_from_it),
        cmocka_unit_test(more_rounds_keep_the_tickets_there_are),
        cmocka_unit_test(first_levels_of_iterative_and_one_shot_are_one),
        cmocka_unit_test(a_fraction_is_one_ticket_at_whatever_level),
        cmocka_unit_test(reinit_draws_differ_by_level_and_share_nothing_else),
        cmocka_unit_test(forks_start_where_their_ticket_does),
        cmocka_unit_test(same_with_nothing_changed_is_the_ticket),
        cmocka_unit_test(transfer_trains_the_ticket_on_other_data),
        cmocka_unit_test(constant_rate_makes_fine_tuning_and_rate_rewinding_one),
        cmocka_unit_test(what_sharers_want_adds_up),
        cmocka_unit_test(epochs_are_batches_of_what_is_left_to_train_on),
        cmocka_unit_test(points_come_by_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
