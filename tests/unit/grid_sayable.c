/* The grids that the design says must be sayable: each is taken, with what it stands for, or what
 * it names that is not there yet is refused by that name. Also controls and the table of fields. */
#include <stdlib.h>

#include "grid_helpers.h"

static const struct control *control_at(const struct grid *grid, int32_t experiment, int32_t index)
{
    assert_true(index < experiment_of(grid, experiment)->control_count);
    return &experiment_of(grid, experiment)->controls[index];
}

static void test_the_guided_example(void **state)
{
    (void)state;
    struct grid *grid = parse(
        "name: lenet-mnist\n"
        "recipe: lenet-300-100            # the paper's settings for this network\n"
        "dataset: {name: mnist, validation: 5000}\n"
        "train:\n"
        "  iterations: 50000              # or 160ep; an epoch is floor(N/batch) batches\n"
        "  batch: 60\n"
        "  optimizer: {name: adam, learning_rate: 1.2e-3}\n"
        "  warmup: 0\n"
        "  evaluate: {every: 100, at: [], test: summary}      # test: every = a test curve\n"
        "prune:   {criterion: magnitude, scope: layer, schedule: iterative,\n"
        "          rate: {fc: 0.2, output: half}, rounds: 25}\n"
        "rewind:  {to: 0, what: weights}\n"
        "axes:                             # the cross product of these\n"
        "  prune.rate.fc: [0.1, 0.2, 0.4]\n"
        "  train.optimizer.learning_rate: [1.2e-3, 2.0e-4]\n"
        "  seed: 1..5\n"
        "zip:                              # axes that move together\n"
        "  - {train.iterations: [50000, 60000], train.dropout: [0, 0.5]}\n"
        "exclude:\n"
        "  - {prune.rate.fc: 0.4, seed: 5}\n"
        "controls:                         # what each ticket is compared with\n"
        "  - {kind: reinit, draws: 3}\n"
        "  - {kind: random-mask, draws: 1, levels: [3, 7, 12]}\n"
        "experiments:\n"
        "  - {recipe: lenet-300-100}\n"
        "  - {recipe: lenet-300-100, prune: {schedule: one-shot, fractions: [0.125, 0.5, 0.95]}}\n"
        "snapshots: [init, rewind, final]\n");
    assert_string_equal(grid->name, "lenet-mnist");
    assert_int_equal(grid->experiment_count, 2 * (3 * 2 * 5 * 2 - 4));
    expect_field(grid, 0, "prune.rounds", "25");
    expect_field(grid, 0, "prune.rate.output", "0.05");
    expect_field(grid, 56, "prune.fractions", "[0.125, 0.5, 0.95]");
    expect_field(grid, 56, "prune.rounds", "3");
    const struct control *masks = control_at(grid, 111, 1);
    assert_int_equal(masks->kind, CONTROL_RANDOM_MASK);
    assert_int_equal(masks->level_count, 3);
    assert_int_equal(masks->levels[2], 12);
    assert_int_equal(control_at(grid, 0, 0)->draws, 3);
    assert_int_equal(control_at(grid, 0, 0)->level_count, -1);
    /* Experiments of a block share their controls. */
    assert_ptr_equal(experiment_of(grid, 0)->controls, experiment_of(grid, 55)->controls);
    grid_destroy(grid);
}

static void test_paper_figures(void **state)
{
    (void)state;
#define FIGURES                                                                                    \
    "axes: {seed: 1..5}\n"                                                                         \
    "controls: [{kind: reinit, draws: 3}]\n"                                                       \
    "experiments:\n"                                                                               \
    "- {recipe: lenet-300-100, prune: {rounds: 27}, train: {evaluate: {test: every}}}\n"           \
    "- {recipe: lenet-300-100, prune: {schedule: one-shot,\n"                                      \
    "   fractions: [.05, .125, .25, .375, .5, .625, .75, .875, .95]}}\n"
    struct grid *grid = parse(FIGURES);
    assert_int_equal(grid->experiment_count, 10);
    expect_field(grid, 4, "train.evaluate.test", "every");
    expect_field(grid, 4, "prune.rounds", "27");
    expect_field(grid, 5, "train.evaluate.test", "summary");
    expect_field(grid, 5, "prune.rounds", "9");
    grid_destroy(grid);
    grid = parse(FIGURES "- {axes: {recipe: [conv-2, conv-4, conv-6], seed: 1..5},"
                         " prune: {rounds: 21}}\n"
                         "- {recipe: resnet-18, prune: {rounds: 14},"
                         " train: {evaluate: {at: [10000, 20000]}},\n"
                         "   zip: [{train.optimizer.learning_rate: [.1, .01, .03],"
                         " train.warmup: [0, 0, 20000]}]}\n");
    assert_int_equal(grid->experiment_count, 10 + 15 + 15);
    expect_field(grid, 24, "architecture", "conv-6");
    expect_field(grid, 25, "architecture", "resnet-18");
    expect_field(grid, 39, "train.warmup", "20000");
    grid_destroy(grid);
    EXPECT_EXPERIMENTS("zip: [{train.optimizer.learning_rate: [.1, .01, .03],"
                       " train.warmup: [0, 0, 20000]}]\n",
                       "0.1 0\n0.01 0\n0.03 20000\n", "train.optimizer.learning_rate",
                       "train.warmup");
}

static void test_rewinding(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("axes: {rewind.to: [0, 100, 500, 2000]}\n", "0\n100\n500\n2000\n",
                       "rewind.to");
    EXPECT_EXPERIMENTS("axes: {rewind.what: [weights, learning-rate, none],"
                       " prune.schedule: [iterative, one-shot]}\n",
                       "weights iterative\nweights one-shot\n"
                       "learning-rate iterative\nlearning-rate one-shot\n"
                       "none iterative\nnone one-shot\n",
                       "rewind.what", "prune.schedule");
}

static void test_transfer(void **state)
{
    (void)state;
    struct grid *grid = parse(
        "train: {batch: 5}\n"
        "controls: [{kind: same, set: {dataset.name: fashion-mnist, train: {batch: 7}, seed: 9,\n"
        "                              seed.order: 4}}]\n");
    const struct experiment *experiment = experiment_of(grid, 0);
    const struct control *control = control_at(grid, 0, 0);
    assert_int_equal(control->kind, CONTROL_SAME);
    struct experiment seen;
    experiment_for_control(experiment, control, &seen);
    assert_int_equal(seen.control_count, 0);
    assert_string_equal(seen.fields.dataset.name, "fashion-mnist");
    assert_int_equal(seen.fields.train.batch, 7);
    assert_int_equal(seen.fields.seed.init, 9);
    assert_int_equal(seen.fields.seed.order, 4);
    assert_int_equal(seen.marks[field_find("train.batch")].line, 2);
    /* Nothing else has changed. */
    memcpy(&seen.fields.dataset, &experiment->fields.dataset, sizeof seen.fields.dataset);
    seen.fields.train.batch = 5;
    seen.fields.seed = experiment->fields.seed;
    assert_memory_equal(&seen.fields, &experiment->fields, sizeof seen.fields);
    grid_destroy(grid);
}

static void test_instability(void **state)
{
    (void)state;
    struct grid *grid = parse("axes: {rewind.to: [0, 100, 1000]}\n"
                              "controls: [{kind: fork, draws: 2, levels: [0, 3, 6]}]\n");
    assert_int_equal(grid->experiment_count, 3);
    const struct control *control = control_at(grid, 2, 0);
    assert_int_equal(control->kind, CONTROL_FORK);
    assert_int_equal(control->draws, 2);
    assert_int_equal(control->levels[0], 0);
    assert_int_equal(control->mark.line, 2);
    grid_destroy(grid);
}

static void test_before_training(void **state)
{
    (void)state;
    expect_refusal("prune: {at: init, rounds: 1}\n"
                   "axes: {prune.criterion: [magnitude, snip, grasp, synflow],"
                   " prune.rate: [.8, .9, .95]}\n"
                   "controls: [{kind: shuffle}, {kind: reinit}]\n",
                   "g.yaml:2:37: prune.criterion: snip is not there yet", "magnitude");
    expect_refusal("controls: [{kind: shuffle}, {kind: reinit}]\n",
                   "g.yaml:1:19: controls.kind: shuffle is not there yet", "");
    EXPECT_EXPERIMENTS("prune: {at: init, rounds: 1}\n"
                       "axes: {prune.criterion: [magnitude], prune.rate: [.8, .9, .95]}\n"
                       "controls: [{kind: reinit}]\n",
                       "init 1 0.8 0.8\ninit 1 0.9 0.9\ninit 1 0.95 0.95\n", "prune.at",
                       "prune.rounds", "prune.rate.fc", "prune.rate.output");
}

static void test_controls_of_blocks(void **state)
{
    (void)state;
    struct grid *grid = parse("controls: [{kind: reinit}]\n"
                              "snapshots: [early-stop]\n"
                              "experiments:\n"
                              "- {}\n"
                              "- {controls: [{kind: fork}, {kind: same}], snapshots: []}\n"
                              "- {controls: []}\n");
    assert_int_equal(grid->experiment_count, 3);
    assert_int_equal(experiment_of(grid, 0)->control_count, 1);
    assert_int_equal(experiment_of(grid, 0)->snapshots, SNAPSHOT_EARLY_STOP);
    assert_int_equal(control_at(grid, 1, 1)->kind, CONTROL_SAME);
    assert_int_equal(experiment_of(grid, 1)->snapshots, 0);
    assert_int_equal(experiment_of(grid, 2)->control_count, 0);
    grid_destroy(grid);
    assert_string_equal(control_kind_name(CONTROL_NONE), "ticket");
    assert_string_equal(control_kind_name(CONTROL_RANDOM_MASK), "random-mask");
    assert_string_equal(control_kind_name(CONTROL_FORK), "fork");
}

/* --- the table of fields --- */

/* Every default, and every scalar that a field's text gives, reads back as it was. */
static void test_values_read_back(void **state)
{
    (void)state;
    struct grid *grid = parse("name: x\n");
    struct text yaml = {0};
    for (int i = 0; i < field_count(); i++) {
        struct text value = {0};
        field_value_text(field_at(i), &experiment_of(grid, 0)->fields, &value);
        text_add(&yaml, "%s: %s\n", field_at(i)->path,
                 value.bytes != NULL && value.length > 0 ? value.bytes : "\"\"");
        text_finish(&value);
    }
    struct grid *again = parse(yaml.bytes);
    assert_memory_equal(&experiment_of(again, 0)->fields, &experiment_of(grid, 0)->fields,
                        sizeof experiment_of(grid, 0)->fields);
    text_finish(&yaml);
    grid_destroy(grid);
    grid_destroy(again);
}

static void test_shortest_numbers(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("axes: {train.optimizer.learning_rate: [1.2e-3, .1, 0.30000000000000004,"
                       " 1e-8, 5., 1E+5]}\n",
                       "0.0012\n0.1\n0.30000000000000004\n1e-08\n5\n1e+05\n",
                       "train.optimizer.learning_rate");
    EXPECT_EXPERIMENTS("axes: {prune.at: [end, init, 0, 100]}\n", "end\ninit\n100\n", "prune.at");
    EXPECT_EXPERIMENTS("axes: {dataset.train: [all, 100]}\n", "all\n100\n", "dataset.train");
    EXPECT_EXPERIMENTS("axes: {train.optimizer.nesterov: [true, false]}\n", "true\nfalse\n",
                       "train.optimizer.nesterov");
}

static void test_table(void **state)
{
    (void)state;
    size_t end = 0;
    for (int i = 0; i < field_count(); i++) {
        const struct field *field = field_at(i);
        assert_int_equal(field_find(field->path), i);
        /* Rows stand in the struct's order and do not overlap. */
        assert_true(field->offset >= end);
        end = field->offset + field->size;
    }
    assert_true(end <= sizeof(struct experiment_fields));
    assert_int_equal(field_find("train"), -1);
    assert_int_equal(field_find("seed"), -1);
    assert_true(field_is_scalar(field_at(field_find("prune.at"))));
    assert_false(field_is_scalar(field_at(field_find("prune.fractions"))));
}

static void test_reference(void **state)
{
    (void)state;
    struct text text = {0};
    field_reference(&text);
    assert_non_null(strstr(text.bytes, "\n| `train.batch` | an integer from 1 to 2147483647 | 60 | "
                                       "examples in a batch |\n"));
    assert_non_null(strstr(text.bytes, "\n| `prune.rate` | a number from 0 to below 1 |  | sets"));
    assert_non_null(
        strstr(text.bytes, "\n| `seed` | an integer from 0 to 9007199254740991 |  | sets init"));
    for (int i = 0; i < field_count(); i++)
        assert_non_null(strstr(text.bytes, field_at(i)->path));
    text_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_guided_example), cmocka_unit_test(test_paper_figures),
        cmocka_unit_test(test_rewinding),          cmocka_unit_test(test_transfer),
        cmocka_unit_test(test_instability),        cmocka_unit_test(test_before_training),
        cmocka_unit_test(test_controls_of_blocks), cmocka_unit_test(test_values_read_back),
        cmocka_unit_test(test_shortest_numbers),   cmocka_unit_test(test_table),
        cmocka_unit_test(test_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
