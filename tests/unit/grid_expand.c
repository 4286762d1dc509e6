/* From a grid to its experiments: order, precedence, axes, zip, exclude, blocks; frozen expansions.
 */
#include <stdlib.h>

#include "grid_helpers.h"

static void test_one_experiment(void **state)
{
    (void)state;
    struct grid *grid = parse("recipe: lenet-300-100\n");
    assert_int_equal(grid->experiment_count, 1);
    assert_string_equal(grid->name, "g");
    assert_string_equal(grid->text, "recipe: lenet-300-100\n");
    assert_int_equal(experiment_of(grid, 0)->control_count, 0);
    assert_int_equal(experiment_of(grid, 0)->snapshots,
                     SNAPSHOT_INIT | SNAPSHOT_REWIND | SNAPSHOT_FINAL);
    grid_destroy(grid);
    grid_destroy(NULL);
}

static void test_first_axis_varies_slowest(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("axes:\n"
                       "  prune.rate.fc: [0.4, 0.1]\n"
                       "  seed: 1..3\n",
                       "0.4 1\n0.4 2\n0.4 3\n0.1 1\n0.1 2\n0.1 3\n", "prune.rate.fc", "seed.order");
}

static void test_ranges(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("axes: {seed: [1..3, 7, 9..9]}\n", "1\n2\n3\n7\n9\n", "seed.init");
    EXPECT_EXPERIMENTS("train: {evaluate: {at: [1..3, 7, 9ep]}}\n", "[1, 2, 3, 7, 9ep]\n",
                       "train.evaluate.at");
    EXPECT_EXPERIMENTS("axes: {train.optimizer.weight_decay: 0..2}\n", "0\n1\n2\n",
                       "train.optimizer.weight_decay");
}

static void test_zip_moves_together(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("axes: {seed: 1..2}\n"
                       "zip:\n"
                       "- {train.iterations: [500, 6ep], train.dropout: [0, 0.5]}\n"
                       "- {train.batch: [60, 128]}\n",
                       "1 500 0 60\n1 500 0 128\n1 6ep 0.5 60\n1 6ep 0.5 128\n"
                       "2 500 0 60\n2 500 0 128\n2 6ep 0.5 60\n2 6ep 0.5 128\n",
                       "seed.init", "train.iterations", "train.dropout", "train.batch");
}

static void test_exclude(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("axes: {prune.rate.fc: [0.1, 0.4], seed: 1..3}\n"
                       "exclude:\n"
                       "- {prune.rate.fc: 0.40, seed: [1, 3]}\n"
                       "- {seed: 2..2, prune.rate.fc: 1e-1}\n",
                       "0.1 1\n0.1 3\n0.4 2\n", "prune.rate.fc", "seed.init");
    /* `half` is a number by then, and a number may have been written as half. */
    EXPECT_EXPERIMENTS("axes: {prune.rate.fc: [0.2, 0.4], prune.rate.output: [half, 0.2, 0.3]}\n"
                       "exclude: [{prune.rate.output: half}, {prune.rate.output: 0.1}]\n",
                       "0.2 0.2\n0.2 0.3\n0.4 0.3\n", "prune.rate.fc", "prune.rate.output");
    /* `seed` speaks of the sub-seeds that it sets. */
    EXPECT_EXPERIMENTS("axes: {seed: 1..2, seed.init: 7..8}\nexclude: [{seed: 1}]\n", "7 2\n8 2\n",
                       "seed.init", "seed.order");
    EXPECT_EXPERIMENTS("axes: {prune.rate: [0.2, 0.4]}\nexclude: [{prune.rate: 0.2}]\n", "0.4\n",
                       "prune.rate.conv");
}

static void test_an_excluded_contradiction_is_no_error(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("axes: {prune.rate: [0, 0.5], prune.rounds: [0, 3]}\n"
                       "exclude: [{prune.rate: 0, prune.rounds: 3}]\n",
                       "0 0\n0.5 0\n0.5 3\n", "prune.rate.fc", "prune.rounds");
}

static void test_seeds(void **state)
{
    (void)state;
#define SEEDS "seed.init", "seed.order", "seed.augment", "seed.dropout"
    EXPECT_EXPERIMENTS("seed: 3\n", "3 3 3 3\n", SEEDS);
    EXPECT_EXPERIMENTS("seed: {order: 3}\n", "1 3 1 1\n", SEEDS);
    EXPECT_EXPERIMENTS("seed: 3\nseed.init: 7\n", "7 3 3 3\n", SEEDS);
    EXPECT_EXPERIMENTS("seed.init: 7\nseed: 3\n", "7 3 3 3\n", SEEDS);
    /* The longer path wins, wherever it is set. */
    EXPECT_EXPERIMENTS("seed: {init: 7}\naxes: {seed: 1..2}\n", "7 1 1 1\n7 2 2 2\n", SEEDS);
    EXPECT_EXPERIMENTS("axes: {seed.order: 5..6, seed: 1..2}\n",
                       "1 5 1 1\n2 5 2 2\n1 6 1 1\n2 6 2 2\n", SEEDS);
    EXPECT_EXPERIMENTS("axes: {seed: 1..2, seed.order: 5..6}\n",
                       "1 5 1 1\n1 6 1 1\n2 5 2 2\n2 6 2 2\n", SEEDS);
    EXPECT_EXPERIMENTS("seed: {init: 7}\nexperiments: [{seed: 3}]\n", "7 3 3 3\n", SEEDS);
    EXPECT_EXPERIMENTS("seed: 3\nexperiments: [{seed: {init: 7}}]\n", "7 3 3 3\n", SEEDS);
    EXPECT_EXPERIMENTS("axes: {seed: 1..2}\nexperiments: [{seed: {init: 7}}]\n",
                       "7 1 1 1\n7 2 2 2\n", SEEDS);
}

static void test_rates(void **state)
{
    (void)state;
#define RATES "prune.rate.conv", "prune.rate.fc", "prune.rate.output"
    EXPECT_EXPERIMENTS("name: x\n", "0 0.2 0.1\n", RATES);
    EXPECT_EXPERIMENTS("prune: {rate: 0.8}\n", "0.8 0.8 0.8\n", RATES);
    EXPECT_EXPERIMENTS("prune: {rate: {fc: 0.4}}\n", "0 0.4 0.2\n", RATES);
    EXPECT_EXPERIMENTS("prune: {rate: {output: 0}}\n", "0 0.2 0\n", RATES);
    /* Over the recipe's {conv: 0, fc: 0.2, output: half}; and the longer path in the same place. */
    EXPECT_EXPERIMENTS("recipe: lenet-300-100\naxes: {prune.rate: [.8, .9]}\n",
                       "0.8 0.8 0.8\n0.9 0.9 0.9\n", RATES);
    EXPECT_EXPERIMENTS("axes: {prune.rate.output: [0, half], prune.rate: [.8]}\n",
                       "0.8 0.8 0\n0.8 0.8 0.4\n", RATES);
    EXPECT_EXPERIMENTS("prune: {rate: {fc: .4}}\nexperiments: [{prune: {rate: .8}}]\n",
                       "0.8 0.8 0.8\n", RATES);
    EXPECT_EXPERIMENTS("prune: {rate: .8}\nexperiments: [{prune: {rate: {fc: .4}}}]\n",
                       "0.8 0.4 0.8\n", RATES);
    EXPECT_EXPERIMENTS("axes: {prune.rate.fc: [.4]}\nexperiments: [{prune: {rate: .8}}]\n",
                       "0.8 0.4 0.8\n", RATES);
}

static void test_recipe_then_fields_then_axes(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("prune: {rounds: 3}\n"
                       "axes: {recipe: [none, lenet-300-100], train.batch: [10, 20]}\n"
                       "train: {batch: 5, warmup: 7}\n",
                       "none 3 10 7\nnone 3 20 7\nlenet-300-100 3 10 7\nlenet-300-100 3 20 7\n",
                       "recipe", "prune.rounds", "train.batch", "train.warmup");
}

static void test_architecture_changes_nothing_else(void **state)
{
    (void)state;
    struct grid *grid = parse("axes: {architecture: [lenet-300-100, fc-20-10]}\n");
    assert_int_equal(grid->experiment_count, 2);
    struct experiment_fields other = experiment_of(grid, 1)->fields;
    memcpy(other.architecture, experiment_of(grid, 0)->fields.architecture,
           sizeof other.architecture);
    assert_memory_equal(&other, &experiment_of(grid, 0)->fields, sizeof other);
    grid_destroy(grid);
}

static void test_blocks(void **state)
{
    (void)state;
    /* Maps merge, lists replace, axes merge by path in the top level's order. */
    EXPECT_EXPERIMENTS("train: {batch: 5, warmup: 7, evaluate: {at: [1, 2]}}\n"
                       "axes: {seed: 1..2, prune.rounds: [3, 4]}\n"
                       "experiments:\n"
                       "- {train: {warmup: 8}}\n"
                       "- {train: {evaluate: {at: [9]}}, axes: {prune.rate.fc: [.1, .3],\n"
                       "   prune.rounds: [6]}}\n",
                       "1 3 5 8 [1, 2] 0.2\n1 4 5 8 [1, 2] 0.2\n"
                       "2 3 5 8 [1, 2] 0.2\n2 4 5 8 [1, 2] 0.2\n"
                       "1 6 5 7 [9] 0.1\n1 6 5 7 [9] 0.3\n"
                       "2 6 5 7 [9] 0.1\n2 6 5 7 [9] 0.3\n",
                       "seed.init", "prune.rounds", "train.batch", "train.warmup",
                       "train.evaluate.at", "prune.rate.fc");
    /* A block's zip and exclude replace the top level's. */
    EXPECT_EXPERIMENTS("zip: [{seed: 1..2, train.batch: [10, 20]}]\n"
                       "exclude: [{seed: 1}]\n"
                       "experiments:\n"
                       "- {prune: {rounds: 1}}\n"
                       "- {exclude: [], prune: {rounds: 2}}\n"
                       "- {zip: [{seed: 5..6, train.batch: [50, 60]}], exclude: [{seed: 6}]}\n",
                       "2 20 1\n1 10 2\n2 20 2\n5 50 25\n", "seed.init", "train.batch",
                       "prune.rounds");
}

static void test_equal_experiments_are_kept_once(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("axes: {seed: [1, 2, 1]}\n", "1\n2\n", "seed.init");
    EXPECT_EXPERIMENTS("experiments: [{seed: 1}, {}, {train: {batch: 60}}, {seed: 2}]\n", "1\n2\n",
                       "seed.init");
    EXPECT_EXPERIMENTS("axes: {train.optimizer.weight_decay: [0, 0.0, -0.0, 0e5, .10, 0.1]}\n",
                       "0\n0.1\n", "train.optimizer.weight_decay");
    /* Equal fields with other controls or snapshots are another experiment. */
    EXPECT_EXPERIMENTS("experiments: [{}, {controls: [{kind: reinit}]}, {snapshots: []},\n"
                       " {controls: [{kind: reinit, draws: 1}]}]\n",
                       "1\n1\n1\n", "seed.init");
}

static void test_fractions_and_rounds(void **state)
{
    (void)state;
#define PRUNE "prune.schedule", "prune.rounds", "prune.fractions"
    EXPECT_EXPERIMENTS("prune: {schedule: one-shot, fractions: [.5, .9]}\n",
                       "one-shot 2 [0.5, 0.9]\n", PRUNE);
    EXPECT_EXPERIMENTS("prune: {schedule: one-shot, fractions: [.5, .9], rounds: 2}\n",
                       "one-shot 2 [0.5, 0.9]\n", PRUNE);
    EXPECT_EXPERIMENTS("prune: {schedule: one-shot, rounds: 7}\n", "one-shot 7 []\n", PRUNE);
    EXPECT_EXPERIMENTS("prune: {rounds: 0}\n", "iterative 0 []\n", PRUNE);
    EXPECT_EXPERIMENTS("prune: {rounds: 0, rate: 0}\n", "iterative 0 []\n", PRUNE);
    /* A later layer is meant where it contradicts an earlier one. */
    EXPECT_EXPERIMENTS("recipe: lenet-300-100\nprune: {rounds: 9}\n"
                       "experiments: [{prune: {schedule: one-shot, fractions: [.5]}}]\n",
                       "one-shot 1 [0.5]\n", PRUNE);
    EXPECT_EXPERIMENTS("prune: {schedule: one-shot, fractions: [.5], rounds: 1}\n"
                       "axes: {prune.schedule: [iterative, one-shot]}\n",
                       "iterative 1 []\none-shot 1 [0.5]\n", PRUNE);
    /* An empty list undoes another's: the counts of iterative pruning. */
    EXPECT_EXPERIMENTS("prune: {schedule: one-shot, fractions: [.5]}\n"
                       "experiments: [{}, {prune: {fractions: [], rounds: 7}}]\n",
                       "one-shot 1 [0.5]\none-shot 7 []\n", PRUNE);
    expect_refusal("prune: {schedule: one-shot, fractions: [.5]}\naxes: {prune.rounds: [1, 2]}\n",
                   "g.yaml:2:26: prune.rounds: is 2, and prune.fractions has 1", "");
}

static void test_marks(void **state)
{
    (void)state;
    struct grid *grid = parse("recipe: lenet-300-100\n"
                              "train: {batch: 5}\n"
                              "axes:\n"
                              "  seed: [3,\n"
                              "         4..5]\n");
    const struct mark *marks = experiment_of(grid, 2)->marks;
    assert_int_equal(marks[field_find("train.batch")].line, 2);
    assert_int_equal(marks[field_find("train.batch")].column, 16);
    assert_int_equal(marks[field_find("seed.dropout")].line, 5);
    assert_int_equal(marks[field_find("seed.dropout")].column, 10);
    assert_int_equal(marks[field_find("train.iterations")].line, 0);

    struct error err = {0};
    const struct experiment *experiment = experiment_of(grid, 2);
    assert_int_equal(
        grid_error_at(&err, grid, experiment, field_find("train.batch"), "is %d; more", 5), -1);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_string_equal(err.text, "folder/g.yaml:2:16: train.batch: is 5; more");
    grid_error_at(&err, grid, experiment, field_find("train.iterations"), "too long");
    assert_string_equal(err.text, "folder/g.yaml: train.iterations: too long");
    grid_destroy(grid);
}

static void test_yaml_conveniences(void **state)
{
    (void)state;
    /* Anchors, aliases, merge keys (own keys win), dotted keys, flow and block style, CRLF. */
    EXPECT_EXPERIMENTS("train: &fast {batch: 5, warmup: 7}\r\n"
                       "train.evaluate.every: 3\r\n"
                       "experiments:\r\n"
                       "- train: {<<: *fast, batch: 6}\r\n"
                       "- train: {<<: [{warmup: 1}, {warmup: 2, batch: 9}]}\r\n",
                       "6 7 3\n9 1 3\n", "train.batch", "train.warmup", "train.evaluate.every");
    EXPECT_EXPERIMENTS("axes: {seed: &few [1, 2], dataset.seed: *few}\n", "1 1\n1 2\n2 1\n2 2\n",
                       "seed.init", "dataset.seed");
    EXPECT_EXPERIMENTS("\xef\xbb\xbf%YAML 1.1\n---\nseed: 4 # \xc3\xa9\t\n...\n", "4\n",
                       "seed.init");
    EXPECT_EXPERIMENTS("dataset: {name: \"digits\", folder: '/data set/\xc3\xa9'}\n",
                       "digits /data set/\xc3\xa9\n", "dataset.name", "dataset.folder");
}

static void test_names(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"a/b/lenet-1.yaml", "lenet-1"},
                                           {"x.yml", "x"},
                                           {"plain", "plain"},
                                           {".yaml.yaml", NULL},
                                           {"y.yaml", "y"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct error err = {0};
        struct grid *grid = grid_parse(names[i][0], "seed: 1\n", 8, &err);
        assert_int_equal(grid != NULL, names[i][1] != NULL);
        if (grid != NULL)
            assert_string_equal(grid->name, names[i][1]);
        grid_destroy(grid);
    }
    struct grid *grid = parse("name: other_1.2\n");
    assert_string_equal(grid->name, "other_1.2");
    grid_destroy(grid);
}

/* A large grid is expanded in a moment, without a copy of anything a point does not need. */
static void test_a_hundred_thousand(void **state)
{
    (void)state;
    struct grid *grid = parse("axes: {seed: 1..1000, dataset.seed: 1..100}\n"
                              "exclude: [{seed: 17}]\n");
    assert_int_equal(grid->experiment_count, 99900);
    expect_field(grid, 99899, "seed.init", "1000");
    expect_field(grid, 99899, "dataset.seed", "100");
    expect_field(grid, 1600, "seed.init", "18");
    grid_destroy(grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_experiment),
        cmocka_unit_test(test_first_axis_varies_slowest),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_zip_moves_together),
        cmocka_unit_test(test_exclude),
        cmocka_unit_test(test_an_excluded_contradiction_is_no_error),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_recipe_then_fields_then_axes),
        cmocka_unit_test(test_architecture_changes_nothing_else),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_equal_experiments_are_kept_once),
        cmocka_unit_test(test_fractions_and_rounds),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_yaml_conveniences),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_a_hundred_thousand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
