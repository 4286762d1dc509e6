/* Task keys: frozen texts and hashes, and which fields they depend on. A change here means that
 * stores made before no longer fit their grids. */
#include "plan_support.h"

static void assert_key(const struct plan *plan, int32_t task, const char *text, const char *hex)
{
    struct text actual = {0};
    char actual_hex[HASH_HEX_SIZE];
    plan_key_text(plan, task, &actual);
    assert_string_equal(actual.bytes, text);
    hash128_hex(hash128_of(actual.bytes, actual.length), actual_hex);
    text_finish(&actual);
    assert_string_equal(actual_hex, hex);
    hash128_hex(plan->tasks[task].key, actual_hex);
    assert_string_equal(actual_hex, hex);
}

/* The plan whose keys are frozen: everything that has a line of its own is in use somewhere. */
static struct plan *frozen_plan(void)
{
    return plan_of(
        "name: frozen\n"
        "architecture: lenet-20-10\n"
        "dataset: {name: digits, train: 600, test: 100, validation: 100, split_seed: 3}\n"
        "train: {iterations: 100, batch: 20, evaluate: {every: 25}}\n"
        "prune: {rounds: 2}\n"
        "seed: 5\n"
        "experiments:\n"
        "- {controls: [{kind: reinit}, {kind: random-mask, draws: 2}, {kind: fork, levels: [0]}]}\n"
        "- train: {dropout: 0.25, warmup: 10, evaluate: {every: 1ep, at: [40, 2ep]},\n"
        "          schedule: {name: step, drops: [50, 75], factor: 0.1},\n"
        "          optimizer: {name: sgd, learning_rate: 0.1, momentum: 0.9, nesterov: true,\n"
        "                      weight_decay: 1.0e-4}}\n"
        "  prune: {schedule: one-shot, fractions: [0.5], scope: global, at: 60}\n"
        "  rewind: {to: 20, what: none}\n"
        "  controls: [{kind: fork, draws: 1}]\n");
}

static void adam_keys_are_frozen(void **state)
{
    (void)state;
#define LAYERS "input 1x28x28\nfc 20\nrelu\nfc 10\nrelu\nfc 10\n"
#define DATA "data 5075617b7743f8ef5c7d08cf3a7fbcb5\nvalidation 100 split 3\n"
#define ADAM                                                                                       \
    "batch 20\nadam beta1 0.9 beta2 0.999 epsilon 1e-08\nlearning_rate 0.0012\n"                   \
    "iterations 100\nevaluate every 25\n"
#define FIRST "prune magnitude layer\nat end\nrate fc 0.2 output 0.1\nrounds 1\n"
#define DENSE_KEY "dd1cc9525ed78385922e399395102ca6"
#define TICKET_KEY "994339e85a34e16459b3fe9b6c423e86"
    struct plan *plan = frozen_plan();
    assert_key(plan, ticket_at(plan, 0, 0),
               "sweepstake task 1\nparent none\n" LAYERS DATA ADAM
               "start init 0\ninit glorot_normal seed 5\norder seed 5\n",
               DENSE_KEY);
    assert_key(plan, ticket_at(plan, 0, 1),
               "sweepstake task 1\nparent " DENSE_KEY "\n" LAYERS DATA ADAM FIRST
               "start rewind 0\norder seed 5\n",
               TICKET_KEY);
    assert_key(plan, task_at(plan, 0, 2, CONTROL_REINIT, 1),
               "sweepstake task 1\nparent " TICKET_KEY "\n" LAYERS DATA ADAM FIRST
               "start init 0\ninit glorot_normal seed 5 draw 1\norder seed 5\n",
               "e4685086d8a51d6924850c65811ea0db");
    assert_key(plan, task_at(plan, 0, 1, CONTROL_RANDOM_MASK, 2),
               "sweepstake task 1\nparent " DENSE_KEY "\n" LAYERS DATA ADAM FIRST
               "mask random seed 5 draw 2\nstart rewind 0\norder seed 5\n",
               "2fd4a8d9e774c8ed0d0f67f406f0a276");
    assert_key(plan, task_at(plan, 0, 0, CONTROL_FORK, 1),
               "sweepstake task 1\nparent " DENSE_KEY "\n" LAYERS DATA ADAM
               "start rewind 0\norder seed 5 draw 1\n",
               "2b9bd54d21c3c488ca680245b87742d3");
    plan_drop(plan);
}

static void sgd_keys_are_frozen(void **state)
{
    (void)state;
#define DROPPING "input 1x28x28\nfc 20\nrelu\ndropout 0.25\nfc 10\nrelu\ndropout 0.25\nfc 10\n"
#define SGD                                                                                        \
    "batch 20\nsgd\nmomentum 0.9 nesterov\nweight_decay 0.0001\nlearning_rate 0.1\nwarmup 10\n"    \
    "drops 50 75 factor 0.1\ndropout 0.25\niterations 100\nevaluate every 25\n"                    \
    "evaluate at 40 50\n"
#define HALF "prune magnitude global\nat 60\nshare fc 1 output 1\nfraction 0.5\n"
#define SGD_KEY "d6d78af2f9b342b9ebe66296adeaf03a"
    struct plan *plan = frozen_plan();
    assert_key(plan, ticket_at(plan, 1, 0),
               "sweepstake task 1\nparent none\n" DROPPING DATA SGD
               "start init 0\ninit glorot_normal seed 5\norder seed 5\ndropout seed 5\n",
               SGD_KEY);
    assert_key(plan, ticket_at(plan, 1, 1),
               "sweepstake task 1\nparent " SGD_KEY "\n" DROPPING DATA SGD HALF
               "start parent 20\nfixed_rate\norder seed 5\ndropout seed 5\n",
               "37905c6f06f9d355da845c93c4d15c69");
    assert_key(plan, task_at(plan, 1, 1, CONTROL_FORK, 1),
               "sweepstake task 1\nparent " SGD_KEY "\n" DROPPING DATA SGD HALF
               "start parent 20\nfixed_rate\norder seed 5 draw 1\ndropout seed 5 draw 1\n",
               "9ceb0818e13240ac516641c83586f251");
    plan_drop(plan);
}

/* A change of one field, and whether levels 0, 1 and 2 are still the same tasks. */
struct change {
    const char *block;
    bool same[3];
};

static void assert_changes(const char *base, const struct change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[2048];
        snprintf(text, sizeof text, "%sprune: {rounds: 2}\nexperiments:\n- {}\n- %s\n", base,
                 changes[i].block);
        struct plan *plan = plan_of(text);
        assert_int_equal(plan->grid->experiment_count, 2);
        for (int32_t level = 0; level <= 2; level++) {
            bool same = ticket_at(plan, 0, level) == ticket_at(plan, 1, level);
            if (same != changes[i].same[level])
                fail_msg("%s: level %d is %s task", changes[i].block, level,
                         same ? "the same" : "another");
        }
        plan_drop(plan);
    }
}

static void what_trains_differently_is_another_task(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"{architecture: lenet-20-11}", {false, false, false}},
        {"{dataset: {train: 601}}", {false, false, false}},
        {"{dataset: {test: 99}}", {false, false, false}},
        {"{dataset: {validation: 99}}", {false, false, false}},
        {"{dataset: {split_seed: 1}}", {false, false, false}},
        {"{dataset: {seed: 1}}", {false, false, false}},
        {"{train: {iterations: 101}}", {false, false, false}},
        {"{train: {batch: 21}}", {false, false, false}},
        {"{train: {optimizer: {name: sgd}}}", {false, false, false}},
        {"{train: {optimizer: {learning_rate: 1.3e-3}}}", {false, false, false}},
        {"{train: {optimizer: {weight_decay: 1.0e-4}}}", {false, false, false}},
        {"{train: {optimizer: {beta1: 0.8}}}", {false, false, false}},
        {"{train: {optimizer: {beta2: 0.99}}}", {false, false, false}},
        {"{train: {optimizer: {epsilon: 1.0e-7}}}", {false, false, false}},
        {"{train: {warmup: 1}}", {false, false, false}},
        {"{train: {schedule: {name: cosine}}}", {false, false, false}},
        {"{train: {schedule: {name: step, drops: [50]}}}", {false, false, false}},
        {"{train: {dropout: 0.5}}", {false, false, false}},
        {"{train: {evaluate: {every: 20}}}", {false, false, false}},
        {"{train: {evaluate: {at: [50]}}}", {false, false, false}},
        {"{seed: {init: 2}}", {false, false, false}},
        {"{seed: {order: 2}}", {false, false, false}},
        {"{prune: {scope: global}}", {true, false, false}},
        {"{prune: {schedule: one-shot}}", {true, true, false}},
        {"{prune: {rate: {fc: 0.3}}}", {true, false, false}},
        {"{prune: {rate: {output: 0}}}", {true, false, false}},
        {"{prune: {at: init}}", {true, false, false}},
        {"{prune: {at: 50}}", {true, false, false}},
        {"{rewind: {to: 1}}", {true, false, false}},
        {"{rewind: {what: learning-rate}}", {true, false, false}},
    };
    assert_changes(SMALL, changes, sizeof changes / sizeof *changes);
}

static void what_trains_alike_is_the_same_task(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"{prune: {rounds: 7}}", {true, true, true}},
        {"{snapshots: [early-stop]}", {true, true, true}},
        {"{train: {evaluate: {test: every}}}", {true, true, true}},
        {"{controls: [{kind: reinit}]}", {true, true, true}},
        {"{dataset: {folder: elsewhere}}", {true, true, true}},
        {"{train: {iterations: 4ep}}", {true, true, true}},
        {"{train: {optimizer: {momentum: 0.9}}}", {true, true, true}}, /* of sgd */
        {"{prune: {rate: {conv: 0.3}}}", {true, true, true}},          /* no such layer */
        {"{prune: {at: 100}}", {true, true, true}},                    /* the end */
        {"{seed: {augment: 2}}", {true, true, true}},                  /* nothing augments */
        {"{seed: {dropout: 2}}", {true, true, true}},                  /* nothing is dropped */
    };
    assert_changes(SMALL, changes, sizeof changes / sizeof *changes);
}

static void what_is_not_consumed_does_not_count(void **state)
{
    (void)state;
    static const struct change sgd[] = {
        {"{train: {optimizer: {beta1: 0.5, beta2: 0.5, epsilon: 1}}}", {true, true, true}},
        {"{train: {optimizer: {momentum: 0.9}}}", {false, false, false}},
    };
    assert_changes("name: sgd\narchitecture: lenet-20-10\n"
                   "dataset: {name: digits, train: 600, test: 100, validation: 100}\n"
                   "train: {iterations: 100, batch: 20, optimizer: {name: sgd}}\n",
                   sgd, sizeof sgd / sizeof *sgd);
}

static void split_seed_counts_when_there_is_a_split(void **state)
{
    (void)state;
    struct plan *plan = plan_of("name: x\narchitecture: fc-5\n"
                                "dataset: {name: digits, train: 100, test: 10, validation: 0}\n"
                                "train: {iterations: 10, batch: 10}\nprune: {rounds: 0}\n"
                                "axes: {dataset.split_seed: [0, 1]}\n");
    assert_int_equal(plan->task_count, 1);
    assert_int_equal(plan->dataset_count, 1);
    plan_drop(plan);
}

static void numbers_are_exact(void **state)
{
    (void)state;
    struct plan *plan = plan_of(SMALL "prune: {rounds: 0}\n"
                                      "axes: {train.optimizer.learning_rate: "
                                      "[0.1, 0.10000000000000002, 0.30000000000000004, 1e-300]}\n");
    static const char *const lines[] = {
        "\nlearning_rate 0.1\n", "\nlearning_rate 0.10000000000000002\n",
        "\nlearning_rate 0.30000000000000004\n", "\nlearning_rate 1e-300\n"};
    assert_int_equal(plan->task_count, 4);
    for (int32_t i = 0; i < 4; i++) {
        struct text text = {0};
        plan_key_text(plan, i, &text);
        assert_non_null(strstr(text.bytes, lines[i]));
        text_finish(&text);
    }
    plan_drop(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adam_keys_are_frozen),
        cmocka_unit_test(sgd_keys_are_frozen),
        cmocka_unit_test(what_trains_differently_is_another_task),
        cmocka_unit_test(what_trains_alike_is_the_same_task),
        cmocka_unit_test(what_is_not_consumed_does_not_count),
        cmocka_unit_test(split_seed_counts_when_there_is_a_split),
        cmocka_unit_test(numbers_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
