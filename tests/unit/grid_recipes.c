/* The recipes are the paper's settings (figure 2 of Frankle & Carbin 2019), and what is said of
 * data and initial weights. */
#include "grid_helpers.h"

#define SETTINGS                                                                                   \
    "architecture", "dataset.name", "dataset.validation", "train.iterations", "train.batch",       \
        "train.optimizer.name", "train.optimizer.learning_rate", "train.evaluate.every",           \
        "prune.scope", "prune.rate.conv", "prune.rate.fc", "prune.rate.output"

static void test_recipes_are_the_papers(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("axes: {recipe: [lenet-300-100, conv-2, conv-4, conv-6, resnet-18,"
                       " vgg-19]}\n",
                       "lenet-300-100 mnist 5000 50000 60 adam 0.0012 100 layer 0 0.2 0.1\n"
                       "conv-2 cifar10 5000 20000 60 adam 0.0002 100 layer 0.1 0.2 0.1\n"
                       "conv-4 cifar10 5000 25000 60 adam 0.0003 100 layer 0.1 0.2 0.1\n"
                       "conv-6 cifar10 5000 30000 60 adam 0.0003 100 layer 0.15 0.2 0.1\n"
                       "resnet-18 cifar10 5000 30000 128 sgd 0.1 100 global 0.2 0 0\n"
                       "vgg-19 cifar10 5000 112480 64 sgd 0.1 100 global 0.2 0 0\n",
                       SETTINGS);
    EXPECT_EXPERIMENTS("axes: {recipe: [resnet-18, vgg-19]}\n",
                       "flip-crop standardize 0.9 false 0.0001 0 step [20000, 25000] 0.1\n"
                       "flip-crop standardize 0.9 false 0.0001 0 step [56240, 84360] 0.1\n",
                       "dataset.augment", "dataset.preprocessing", "train.optimizer.momentum",
                       "train.optimizer.nesterov", "train.optimizer.weight_decay", "train.warmup",
                       "train.schedule.name", "train.schedule.drops", "train.schedule.factor");
    EXPECT_EXPERIMENTS("axes: {recipe: [lenet-300-100, conv-2, conv-4, conv-6]}\n",
                       "none unit 0 constant glorot-normal\nnone unit 0 constant glorot-normal\n"
                       "none unit 0 constant glorot-normal\nnone unit 0 constant glorot-normal\n",
                       "dataset.augment", "dataset.preprocessing", "train.optimizer.weight_decay",
                       "train.schedule.name", "init.name");
}

static void test_every_recipe_is_a_grid(void **state)
{
    (void)state;
    for (const char *const *name = recipe_names(); *name != NULL; name++) {
        struct grid *grid = parse(recipe_text(*name));
        assert_int_equal(grid->experiment_count, 1);
        grid_destroy(grid);
    }
    assert_null(recipe_text("none"));
    assert_null(recipe_text("conv-3"));
}

static void test_resnet_has_another_name(void **state)
{
    (void)state;
    assert_string_equal(recipe_text("resnet-20"), recipe_text("resnet-18"));
    EXPECT_EXPERIMENTS("recipe: resnet-20\n", "resnet-18\n", "architecture");
}

/* The defaults of the table are the first recipe. */
static void test_defaults_are_lenets(void **state)
{
    (void)state;
    struct grid *recipe = parse(recipe_text("lenet-300-100"));
    struct grid *defaults = parse("name: x\n");
    assert_memory_equal(&experiment_of(recipe, 0)->fields, &experiment_of(defaults, 0)->fields,
                        sizeof experiment_of(recipe, 0)->fields);
    grid_destroy(recipe);
    grid_destroy(defaults);
}

static void test_initial_weights(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("zip: [{init.name: [normal, normal, glorot-normal],"
                       " init.sigma: [0.0125, 0.4, 0]}]\n",
                       "normal 0.0125\nnormal 0.4\nglorot-normal 0\n", "init.name", "init.sigma");
    EXPECT_EXPERIMENTS("axes: {init.name: [glorot-truncated, kaiming-normal, kaiming-uniform]}\n",
                       "glorot-truncated\nkaiming-normal\nkaiming-uniform\n", "init.name");
    /* An axis over names leaves the deviation to the one that has one. */
    EXPECT_EXPERIMENTS("init: {name: normal, sigma: 0.1}\n"
                       "axes: {init.name: [normal, kaiming-normal]}\n",
                       "normal 0.1\nkaiming-normal 0\n", "init.name", "init.sigma");
    expect_refusal("init: {name: normal}\n", "g.yaml:1:14: init.name: normal without", "add sigma");
    expect_refusal("init: {sigma: 0.1}\n", "g.yaml:1:15: init.sigma: belongs to", "name: normal");
    expect_refusal("init: {name: glorot}\n", "g.yaml:1:14: init.name: glorot is not known",
                   "glorot-normal");
    expect_refusal("init: {name: normal, sigma: -1}\n", "g.yaml:1:29: init.sigma", "out of range");
}

static void test_data(void **state)
{
    (void)state;
    EXPECT_EXPERIMENTS("axes: {dataset.augment: [none, flip-crop],"
                       " dataset.preprocessing: [unit, standardize]}\n",
                       "none unit\nnone standardize\nflip-crop unit\nflip-crop standardize\n",
                       "dataset.augment", "dataset.preprocessing");
    expect_refusal("dataset: {augment: flip}\n", "g.yaml:1:20: dataset.augment: flip is not known",
                   "none or flip-crop");
    expect_refusal("dataset: {preprocessing: standardise}\n", "g.yaml:1:26: dataset.preprocessing",
                   "did you mean standardize");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recipes_are_the_papers),
        cmocka_unit_test(test_every_recipe_is_a_grid),
        cmocka_unit_test(test_resnet_has_another_name),
        cmocka_unit_test(test_defaults_are_lenets),
        cmocka_unit_test(test_initial_weights),
        cmocka_unit_test(test_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
