/* Mistakes that show only when grid, network and data come together: each is refused at the mark of
 * the field that is wrong. */
#include "plan_support.h"

static void assert_refused(const char *text, const char *place, const char *reason)
{
    struct error err = {0};
    struct plan *plan = plan_try(text, &err);
    if (plan != NULL)
        fail_msg("not refused (expected %s ... %s):\n%s", place, reason, text);
    assert_int_equal(err.class, ERROR_USAGE);
    if (strncmp(err.text, place, strlen(place)) != 0 || strstr(err.text, reason) == NULL)
        fail_msg("'%s' is not '%s ... %s'", err.text, place, reason);
}

/* `line` stands in the sixth line of a grid whose other lines are right. */
static void assert_line_refused(const char *line, const char *place, const char *reason)
{
    char text[2048];
    snprintf(text, sizeof text,
             "name: wrong\n"
             "architecture: lenet-20-10\n"
             "dataset: {name: digits, train: 600, test: 100, validation: 100}\n"
             "train: {iterations: 100, batch: 20, evaluate: {every: 25}}\n"
             "prune: {rounds: 3}\n"
             "%s\n",
             line);
    assert_refused(text, place, reason);
}

static void lengths_must_fit(void **state)
{
    (void)state;
    static const struct {
        const char *line, *place, *reason;
    } cases[] = {
        {"axes: {train.batch: [20, 501]}", "grid.yaml:6:26: train.batch: ",
         "a batch of 501 is larger than the 500 training examples"},
        {"axes: {dataset.validation: [600]}",
         "grid.yaml:6:29: dataset.validation: ", "takes 600 of 600 training examples"},
        {"axes: {rewind.to: [0, 101]}", "grid.yaml:6:23: rewind.to: ", "from iteration 101 to 100"},
        {"axes: {rewind.to: [99, 100]}", "grid.yaml:6:24: rewind.to: ", "below train.iterations"},
        {"axes: {rewind.to: [4ep]}", "grid.yaml:6:20: rewind.to: ", "from iteration 100 to 100"},
        {"axes: {prune.at: [101]}", "grid.yaml:6:19: prune.at: ", "after the end of training"},
        {"experiments: [{rewind: {to: 50}, prune: {at: 49}}]",
         "grid.yaml:6:46: prune.at: ", "from 50 to 100"},
        {"experiments: [{train: {evaluate: {at: [50, 101]}}}]",
         "grid.yaml:6:39: train.evaluate.at: ", "iteration 101 is after the end"},
        {"experiments: [{train: {schedule: {name: step, drops: [101]}}}]",
         "grid.yaml:6:54: train.schedule.drops: ", "iteration 101 is after the end"},
        {"axes: {train.iterations: [1000000000000ep]}",
         "grid.yaml:4:55: train.evaluate.every: ", "more than a curve can hold"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_line_refused(cases[i].line, cases[i].place, cases[i].reason);
}

static void something_must_be_pruned_and_something_left(void **state)
{
    (void)state;
    assert_line_refused("experiments: [{prune: {rate: {conv: 0.2, fc: 0, output: 0}}}]",
                        "grid.yaml:6:46: prune.rate.fc: ", "no layer of 'lenet-20-10'");
    /* By layer 15680, 200, 100; 157, 2, 10; 2, 0, 1; nothing. */
    assert_line_refused("experiments: [{prune: {rate: {fc: 0.99, output: 0.9}, rounds: 5}}]",
                        "grid.yaml:6:63: prune.rounds: ", "at most 2 rounds");
    assert_line_refused("experiments: [{prune: {scope: global, rate: 0.999, rounds: 3}}]",
                        "grid.yaml:6:60: prune.rounds: ", "at most 1 round");
    assert_line_refused("experiments: [{architecture: fc-1, prune: {schedule: one-shot, "
                        "rate: {fc: 0.5, output: 0.5}, fractions: [0.5, 0.99999]}}]",
                        "grid.yaml:6:", "prune.fractions: a fraction of 0.99999 leaves no weight");
}

static void nesterov_needs_momentum(void **state)
{
    (void)state;
#define SGD "train.optimizer: {name: sgd}\n"
    assert_line_refused(SGD "train.optimizer.nesterov: true",
                        "grid.yaml:7:27: train.optimizer.nesterov: ", "a momentum above 0");
    assert_line_refused(SGD "axes: {train.optimizer.nesterov: [false, true]}",
                        "grid.yaml:7:42: train.optimizer.nesterov: ", "a momentum above 0");
    assert_line_refused(SGD "controls: [{kind: same, set: {train.optimizer.nesterov: true}}]",
                        "grid.yaml:7:57: train.optimizer.nesterov: ", "a momentum above 0");
    plan_drop(plan_of(SMALL SGD "train.optimizer.nesterov: true\n"
                                "train.optimizer.momentum: 0.5\n"));
    plan_drop(plan_of(SMALL "train.optimizer: {name: adam, nesterov: true}\n")); /* not used */
}

static void networks_and_data_must_be_there(void **state)
{
    (void)state;
    assert_line_refused("axes: {architecture: [lenet-20-10, lenet-0-1]}",
                        "grid.yaml:6:36: architecture: ", "the widths are whole numbers");
    assert_line_refused("experiments: [{dataset: {name: mnist, folder: /nowhere, train: all}}]",
                        "grid.yaml:6:32: dataset.name: ", "/nowhere");
}

static void controls_must_have_their_levels_and_network(void **state)
{
    (void)state;
    assert_line_refused("controls: [{kind: reinit, levels: [4, 7]}]", "grid.yaml:6:12: controls: ",
                        "none of the levels asked for reinit is there");
    assert_line_refused("controls: [{kind: same, levels: [0]}]",
                        "grid.yaml:6:12: controls: ", "same at level 0 would repeat the dense run");
    assert_line_refused("controls: [{kind: random-mask, levels: [0]}]", "grid.yaml:6:", "level 0");
    assert_line_refused("controls: [{kind: same, set: {train.dropout: 0.5}}]",
                        "grid.yaml:6:46: train.dropout: ", "another network");
    assert_line_refused("controls: [{kind: same, set: {train.batch: 501}}]",
                        "grid.yaml:6:44: train.batch: ", "larger than the 500");
    assert_line_refused("rewind: {to: 50}\n"
                        "controls: [{kind: same, set: {train.iterations: 50}}]",
                        "grid.yaml:7:49: train.iterations: ", "from iteration 50 to 50");
}

static void too_many_kept_iterations_are_refused(void **state)
{
    (void)state;
    /* 61 of both kinds together fit; iteration 0 is the initial values and takes no room. */
    const char *fits = SMALL "prune: {rounds: 1, at: 90}\naxes: {rewind.to: 0..60}\n";
    struct plan *plan = plan_of(fits);
    assert_int_equal(plan->networks[0].rewind_count, 60);
    assert_int_equal(plan->networks[0].at_count, 1);
    plan_drop(plan);
    assert_refused(SMALL "prune: {rounds: 1, at: 90}\naxes: {rewind.to: 0..61}\n",
                   "grid.yaml:6:", "more than 61 different iterations");
}

static void what_is_not_used_is_not_refused(void **state)
{
    (void)state;
    /* One-shot tickets are pruned from the dense run, which has every iteration. */
    plan_drop(plan_of(SMALL "prune: {rounds: 3, schedule: one-shot, at: 10}\nrewind: {to: 50}\n"));
    plan_drop(plan_of(SMALL "prune: {rounds: 1, at: 10}\nrewind: {to: 50}\n"));
    plan_drop(plan_of(SMALL "prune: {rounds: 3, at: init}\nrewind: {to: 50}\n"));
    /* Without tickets nothing is pruned. */
    plan_drop(plan_of(SMALL "prune: {rounds: 0, at: 1000, rate: {fc: 0, output: 0}}\n"));
    plan_drop(plan_of(SMALL "experiments: [{train: {warmup: 1000}}]\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_must_fit),
        cmocka_unit_test(something_must_be_pruned_and_something_left),
        cmocka_unit_test(nesterov_needs_momentum),
        cmocka_unit_test(networks_and_data_must_be_there),
        cmocka_unit_test(controls_must_have_their_levels_and_network),
        cmocka_unit_test(too_many_kept_iterations_are_refused),
        cmocka_unit_test(what_is_not_used_is_not_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
