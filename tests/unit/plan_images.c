/* What convolutional experiments bring: preprocessing, augmentation and initialisation in keys,
 * networks that the grid defines, and the paper's counts of weights. */
#include "plan_support.h"

#define SHAPES                                                                                     \
    "name: shapes\n"                                                                               \
    "dataset: {name: shapes, train: 600, test: 100, validation: 100}\n"                            \
    "train: {iterations: 100, batch: 20, evaluate: {every: 25}}\n"

#define OWN                                                                                        \
    "networks:\n"                                                                                  \
    "  mine:\n"                                                                                    \
    "  - {conv: {outputs: 4, bias: false}}\n"                                                      \
    "  - batch-norm\n"                                                                             \
    "  - relu\n"                                                                                   \
    "  - residual: [{conv: {outputs: 8, stride: 2, bias: false}}, batch-norm]\n"                   \
    "  - relu\n"                                                                                   \
    "  - max-pool\n"                                                                               \
    "  - average-pool\n"                                                                           \
    "  - {fc: 6}\n"                                                                                \
    "  - relu\n"                                                                                   \
    "  - {dropout: 0.25}\n"                                                                        \
    "architecture: mine\n"

static void assert_key(const struct plan *plan, int32_t task, const char *text, const char *hex)
{
    struct text actual = {0};
    char actual_hex[HASH_HEX_SIZE];
    plan_key_text(plan, task, &actual);
    assert_string_equal(actual.bytes, text);
    text_finish(&actual);
    hash128_hex(plan->tasks[task].key, actual_hex);
    assert_string_equal(actual_hex, hex);
}

/* Frozen: a change here means that stores made before no longer fit their grids. */
static void keys_are_frozen(void **state)
{
    (void)state;
#define LAYERS                                                                                     \
    "input 3x32x32\nconv 4 3x3 stride 1 padding 1\nbatch-norm\nrelu\nresidual\n"                   \
    "conv 8 3x3 stride 2 padding 1\nbatch-norm\nshortcut\nconv 8 1x1 stride 2 padding 0\n"         \
    "batch-norm\nadd\nrelu\nmax-pool 2x2 stride 2\naverage-pool\nfc 6\nrelu\ndropout 0.25\n"       \
    "fc 10\n"
#define DATA                                                                                       \
    "data cc0113203fa92c5245ef661fdc97227a\nvalidation 100 split 0\nstandardize\naugment "         \
    "flip-crop\n"
#define ADAM                                                                                       \
    "batch 20\nadam beta1 0.9 beta2 0.999 epsilon 1e-08\nlearning_rate 0.0012\n"                   \
    "iterations 100\nevaluate every 25\n"
#define DENSE_KEY "4b64a6df0b49ffa562a1c8e8bf98f2a2"
    struct plan *plan =
        plan_of(SHAPES OWN "dataset.augment: flip-crop\n"
                           "dataset.preprocessing: standardize\n"
                           "init: {name: normal, sigma: 0.05}\n"
                           "prune: {rate: {conv: 0.1, fc: 0.2, output: 0}, rounds: 1}\n"
                           "seed: 5\n"
                           "controls: [{kind: reinit}, {kind: fork}]\n");
    assert_key(plan, ticket_at(plan, 0, 0),
               "sweepstake task 1\nparent none\n" LAYERS DATA ADAM
               "start init 0\ninit normal 0.05 seed 5\norder seed 5\naugment seed 5\n"
               "dropout seed 5\n",
               DENSE_KEY);
    assert_key(plan, task_at(plan, 0, 1, CONTROL_REINIT, 1),
               "sweepstake task 1\nparent " DENSE_KEY "\n" LAYERS DATA ADAM
               "prune magnitude layer\nat end\nrate conv 0.1 fc 0.2\nrounds 1\n"
               "start init 0\ninit normal 0.05 seed 5 draw 1\norder seed 5\naugment seed 5\n"
               "dropout seed 5\n",
               "e6cde5da7d937a16f5dff743492dc3eb");
    assert_key(plan, task_at(plan, 0, 1, CONTROL_FORK, 1),
               "sweepstake task 1\nparent " DENSE_KEY "\n" LAYERS DATA ADAM
               "prune magnitude layer\nat end\nrate conv 0.1 fc 0.2\nrounds 1\n"
               "start rewind 0\norder seed 5 draw 1\naugment seed 5 draw 1\n"
               "dropout seed 5 draw 1\n",
               "61eb65b37c52582b2e4ae99b3f7001e8");
    plan_drop(plan);
}

static void each_initialisation_is_named_in_the_key(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "\ninit glorot_normal seed 1\n", "\ninit glorot_truncated seed 1\n",
        "\ninit kaiming_normal seed 1\n", "\ninit kaiming_uniform seed 1\n"};
    struct plan *plan = plan_of(SMALL "prune: {rounds: 0}\naxes: {init.name: [glorot-normal, "
                                      "glorot-truncated, kaiming-normal, kaiming-uniform]}\n");
    assert_int_equal(plan->task_count, 4);
    for (int32_t i = 0; i < 4; i++) {
        struct text text = {0};
        plan_key_text(plan, i, &text);
        assert_non_null(strstr(text.bytes, lines[i]));
        text_finish(&text);
    }
    plan_drop(plan);
}

/* One task for the first two experiments, others for the rest. */
static void assert_tasks(const char *axes, int32_t count)
{
    char text[1024];
    snprintf(text, sizeof text, SHAPES "architecture: fc-5\nprune: {rounds: 0}\n%s\n", axes);
    struct plan *plan = plan_of(text);
    if (plan->task_count != count)
        fail_msg("%s: %d tasks instead of %d", axes, plan->task_count, count);
    plan_drop(plan);
}

static void what_is_seen_and_drawn_makes_another_task(void **state)
{
    (void)state;
    assert_tasks("axes: {dataset.preprocessing: [unit, standardize]}", 2);
    assert_tasks("axes: {dataset.augment: [none, flip-crop]}", 2);
    assert_tasks("axes: {seed.augment: [1, 2]}", 1); /* not consumed */
    assert_tasks("axes: {seed.augment: [1, 2]}\ndataset.augment: flip-crop", 2);
    assert_tasks("zip: [{init.name: [normal, normal, glorot-normal], init.sigma: [0.1, 0.2, 0]}]",
                 3);
}

/* Slots hold initial values by how they are drawn. */
static void initialisations_have_slots_of_their_own(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 1}\ncontrols: [{kind: reinit}]\n"
                                      "axes: {init.name: [glorot-normal, kaiming-normal]}\n");
    assert_int_equal(plan->networks[0].init_slots, 4);
    assert_int_not_equal(plan->tasks[ticket_at(plan, 0, 0)].init_slot,
                         plan->tasks[ticket_at(plan, 1, 0)].init_slot);
    assert_int_equal(plan->tasks[ticket_at(plan, 1, 1)].init_slot,
                     plan->tasks[ticket_at(plan, 1, 0)].init_slot);
    assert_int_equal(plan->tasks[ticket_at(plan, 1, 1)].init.kind, INIT_KAIMING_NORMAL);
    plan_drop(plan);
}

/* The split's content is decoded once for all ways to see it, which are datasets of their own. */
static void ways_to_see_share_their_content(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SHAPES "architecture: fc-5\nprune: {rounds: 0}\n"
                                       "axes: {dataset.preprocessing: [unit, standardize]}\n");
    assert_int_equal(plan->dataset_count, 2);
    assert_memory_equal(&plan->datasets[0].content, &plan->datasets[1].content,
                        sizeof plan->datasets[0].content);
    plan_drop(plan);
}

/* --- counts --- */

struct counts {
    int64_t prunable, fixed; /* weights */
};

static struct counts count_weights(const struct net_spec *spec)
{
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    struct counts counts = {0};
    int count = net_spec_parameters(spec, parameters, NULL);
    for (int i = 0; i < count; i++) {
        if (parameters[i].is_weight && parameters[i].is_prunable)
            counts.prunable += parameters[i].count;
        else if (parameters[i].is_weight)
            counts.fixed += parameters[i].count;
    }
    return counts;
}

/* Frankle & Carbin's figure 2, computed from the layers; lenet's on MNIST's shape. */
static void recipes_have_the_papers_weights(void **state)
{
    (void)state;
    static const struct {
        const char *recipe;
        int64_t weights, shortcuts;
    } expected[] = {
        {"lenet-300-100", 266200, 0},
        {"conv-2", 4300992, 0},
        {"conv-4", 2425024, 0},
        {"conv-6", 2261184, 0},
        {"resnet-18", 267696 + 640, 2560},
        {"vgg-19", 20018880 + 5120, 0},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "recipe: %s\ndataset: {name: %s, train: 1000, test: 10, validation: 100}\n"
                 "prune: {rounds: 1}\n",
                 expected[i].recipe, i == 0 ? "digits" : "shapes");
        struct plan *plan = plan_of(text);
        struct counts counts = count_weights(&plan->networks[0].spec);
        assert_int_equal(counts.prunable, expected[i].weights);
        assert_int_equal(counts.fixed, expected[i].shortcuts);
        plan_drop(plan);
    }
}

/* The output layers of the deep networks are in no pool, and the pool is the whole network's. */
static void deep_networks_are_pruned_as_the_paper_does(void **state)
{
    (void)state;
    struct plan *plan =
        plan_of("recipe: resnet-20\ndataset: {name: shapes, train: 1000, test: 10, validation: "
                "100}\nprune: {rounds: 2}\n");
    const struct plan_pruning *pruning = &plan->prunings[0];
    assert_int_equal(pruning->scope, FIELD_SCOPE_GLOBAL);
    assert_true(pruning->rate_conv == 0.2);
    assert_true(pruning->rate_fc == 0 && pruning->rate_output == 0);
    assert_string_equal(plan->networks[0].label, "resnet-18.3x32x32.10");
    plan_drop(plan);
}

/* 45,000 examples in batches of 64: the paper's 112,480 iterations, and drops at two epochs. */
static void vgg_trains_for_the_papers_iterations(void **state)
{
    (void)state;
    struct plan *plan = plan_of("recipe: vgg-19\ndataset: {name: shapes}\nprune: {rounds: 0}\n");
    assert_int_equal(plan->trainings[0].iterations, 112480);
    assert_int_equal(plan->trainings[0].schedule.drops[0], 80 * 703);
    assert_int_equal(plan->trainings[0].schedule.drops[1], 120 * 703);
    plan_drop(plan);
}

/* --- own networks --- */

static void own_networks_become_layers(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SHAPES OWN "prune: {rate: {conv: 0.2}, rounds: 1}\n");
    struct counts counts = count_weights(&plan->networks[0].spec);
    assert_int_equal(counts.prunable, 3 * 4 * 9 + 4 * 8 * 9 + 8 * 6 + 6 * 10);
    assert_int_equal(counts.fixed, 4 * 8); /* the shortcut where the block's shape changes */
    assert_int_equal(plan->tasks[0].seed_dropout, 1);
    plan_drop(plan);
}

static void own_networks_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *layers, *place, *reason;
    } cases[] = {
        {"[{conv: {outputs: 4, padding: 0, kernel: 40}}]",
         "grid.yaml:4:20: networks.mine: ", "on examples of 3x32x32 ('shapes')"},
        {"[max-pool, max-pool, max-pool, max-pool, max-pool, max-pool]",
         "grid.yaml:4:69: networks.mine: ", "layer 6 (max-pool)"},
        {"[{residual: [{max-pool: 3}]}]", "grid.yaml:4:20: networks.mine: ", "no stride"},
        /* Neither blocks nor the shortcuts put into them are layers that the user wrote. */
        {"[relu, {residual: [relu, {conv: {outputs: 4, stride: 2}}]}, {residual: [relu, relu]},\n"
         "    relu, max-pool: 15, {max-pool: 9}]",
         "grid.yaml:5:26: networks.mine: ", "layer 8 (max-pool)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        struct error err = {0};
        snprintf(text, sizeof text, SHAPES "networks: {mine: %s}\narchitecture: mine\n",
                 cases[i].layers);
        assert_null(plan_try(text, &err));
        if (strncmp(err.text, cases[i].place, strlen(cases[i].place)) != 0 ||
            strstr(err.text, cases[i].reason) == NULL)
            fail_msg("'%s' is not '%s ... %s'", err.text, cases[i].place, cases[i].reason);
    }
}

static void networks_are_looked_for_among_the_grids_own(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(plan_try(SHAPES OWN "axes: {architecture: [mine, mien]}\n", &err));
    assert_non_null(strstr(err.text, "architecture: unknown network 'mien'"));
    assert_non_null(strstr(err.text, "under networks"));
    assert_null(plan_try(SHAPES OWN "train.dropout: 0.5\n", &err));
    assert_non_null(strstr(err.text, "train.dropout: is for the built-in networks"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_frozen),
        cmocka_unit_test(each_initialisation_is_named_in_the_key),
        cmocka_unit_test(what_is_seen_and_drawn_makes_another_task),
        cmocka_unit_test(initialisations_have_slots_of_their_own),
        cmocka_unit_test(ways_to_see_share_their_content),
        cmocka_unit_test(recipes_have_the_papers_weights),
        cmocka_unit_test(deep_networks_are_pruned_as_the_paper_does),
        cmocka_unit_test(vgg_trains_for_the_papers_iterations),
        cmocka_unit_test(own_networks_become_layers),
        cmocka_unit_test(own_networks_that_do_not_fit_are_refused),
        cmocka_unit_test(networks_are_looked_for_among_the_grids_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
