/* What a wrong grid file gets: a usage error with the exact place, the key, and what would be
 * right. */
#include <stdlib.h>
#include <unistd.h>

#include "grid_helpers.h"

struct refusal {
    const char *yaml;
    const char *start; /* of the message */
    const char *part;
};

static void check(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_refusal(refusals[i].yaml, refusals[i].start, refusals[i].part);
}
#define CHECK(refusals) check(refusals, sizeof refusals / sizeof *refusals)

static void test_unknown_keys(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"seed: 1\nsede: 3\n", "g.yaml:2:1: sede: unknown key", "did you mean seed?"},
        {"train:\n  batsh: 3\n", "g.yaml:2:3: train.batsh: unknown key", "did you mean batch?"},
        {"train: {optimizer: {learningrate: 3}}\n",
         "g.yaml:1:21: train.optimizer.learningrate: unknown key", "did you mean learning_rate?"},
        {"rewind: {iteration: 3}\n", "g.yaml:1:10: rewind.iteration: unknown key",
         "known here: to, what"},
        {"train.batsh: 3\n", "g.yaml:1:1: train.batsh: unknown key", "did you mean train.batch?"},
        {"train: {optimiser.name: sgd}\n", "g.yaml:1:9: train.optimiser.name: unknown key",
         "did you mean train.optimizer.name?"},
        {"contrls: []\n", "g.yaml:1:1: contrls: unknown key", "did you mean controls?"},
        {"seed: {orders: 3}\n", "g.yaml:1:8: seed.orders: unknown key", "did you mean order?"},
        {"experiments: [{experiments: []}]\n", "g.yaml:1:16: experiments: unknown key", ""},
        {"experiments: [{name: x}]\n", "g.yaml:1:16: name: unknown key", ""},
        {"controls: [{kind: same, draw: 3}]\n", "g.yaml:1:25: controls.draw: unknown key",
         "did you mean draws?"},
        {"axes: {prune.rate.fx: [.1]}\n", "g.yaml:1:8: prune.rate.fx: unknown key",
         "did you mean prune.rate.fc?"},
        {"axes: {learning_rate: [.1]}\n", "g.yaml:1:8: learning_rate: unknown path",
         "did you mean train.optimizer.learning_rate?"},
        {"axes: {train.optimizer: [adam]}\n", "g.yaml:1:8: train.optimizer: a group of fields", ""},
        {"exclude: [{sed: 3}]\n", "g.yaml:1:12: sed: unknown key", "did you mean seed?"},
        {"\"\": 3\n", "g.yaml:1:1: ", "unknown key"},
    };
    CHECK(refusals);
}

static void test_duplicates(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"seed: 1\nname: x\nseed: 2\n", "g.yaml:3:1: seed: duplicate key", "line 1"},
        {"train: {batch: 1, batch: 2}\n", "g.yaml:1:19: batch: duplicate key", "line 1"},
        {"train: {batch: 1}\ntrain.batch: 2\n", "g.yaml:2:1: train.batch: duplicate key", "line 1"},
        {"axes:\n  seed: [1]\n  \"seed\": [2]\n", "g.yaml:3:3: seed: duplicate key", "line 2"},
        {"a: &a {batch: 1}\ntrain: {<<: *a, <<: *a}\n", "g.yaml:2:17: <<: duplicate key", ""},
        {"controls: [{kind: same, levels: [1, 2, 1]}]\n", "g.yaml:1:40: controls.levels: 1 comes",
         "twice"},
        {"axes: {seed: 1..2}\nzip: [{dataset.seed: [1], seed: [1]}]\n",
         "g.yaml:2:27: seed: is an axis at line 1 already", ""},
        {"zip:\n- {seed: 1..2}\n- {dataset.seed: 1..2}\n- {seed: 3..4}\n",
         "g.yaml:4:4: seed: is an axis at line 2 already", ""},
    };
    CHECK(refusals);
}

static void test_values(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"train: {batch: sixty}\n", "g.yaml:1:16: train.batch: sixty is of the wrong type",
         "give an integer from 1"},
        {"train: {batch: 6.5}\n", "g.yaml:1:16: train.batch: 6.5 is of the wrong type", ""},
        {"train: {batch: \"60\"}\n", "g.yaml:1:16: train.batch: \"60\" is of the wrong type", ""},
        {"train: {batch: [60]}\n", "g.yaml:1:16: train.batch: a list", "belongs under axes"},
        {"train: {batch: {a: 1}}\n", "g.yaml:1:16: train.batch: a map", ""},
        {"train: {batch: }\n", "g.yaml:1:16: train.batch: no value", "give an integer"},
        {"train: {batch: ~}\n", "g.yaml:1:16: train.batch: no value", ""},
        {"train: {batch: 0}\n", "g.yaml:1:16: train.batch: 0 is out of range", ""},
        {"train: {batch: 99999999999999999999}\n",
         "g.yaml:1:16: train.batch: 99999999999999999999 is out of range", ""},
        {"train: {iterations: -5}\n", "g.yaml:1:21: train.iterations: -5 is out of range",
         "an integer from 1 to 1000000000000"},
        {"train: {iterations: 5 ep}\n", "g.yaml:1:21: train.iterations: 5 ep is of the wrong", ""},
        {"train: {iterations: 0.5ep}\n", "g.yaml:1:21: train.iterations: 0.5ep is of the", ""},
        {"train: {iterations: ep}\n", "g.yaml:1:21: train.iterations: ep is of the wrong type", ""},
        {"train: {dropout: 1}\n", "g.yaml:1:18: train.dropout: 1 is out of range", "to below 1"},
        {"train: {dropout: -0.1}\n", "g.yaml:1:18: train.dropout: -0.1 is out of range", ""},
        {"train.optimizer.learning_rate: 0\n",
         "g.yaml:1:32: train.optimizer.learning_rate: 0 is out of range", "above 0"},
        {"train.optimizer.learning_rate: .nan\n",
         "g.yaml:1:32: train.optimizer.learning_rate: .nan is of the wrong type", ""},
        {"train.optimizer.learning_rate: inf\n",
         "g.yaml:1:32: train.optimizer.learning_rate: inf is of the wrong type", ""},
        {"train.optimizer.learning_rate: 1e999\n",
         "g.yaml:1:32: train.optimizer.learning_rate: 1e999 is out of range", ""},
        {"train.optimizer.learning_rate: 0x1p3\n",
         "g.yaml:1:32: train.optimizer.learning_rate: 0x1p3 is of the wrong type", ""},
        {"train.optimizer.nesterov: yes\n",
         "g.yaml:1:27: train.optimizer.nesterov: yes is of the wrong type", "true or false"},
        {"train: {optimizer: adam}\n", "g.yaml:1:20: train.optimizer: a single value",
         "give a map, as in {name: ...}"},
        {"train: {optimizer: {name: adm}}\n", "g.yaml:1:27: train.optimizer.name: adm is not known",
         "did you mean adam?"},
        {"recipe: lenet\n", "g.yaml:1:9: recipe: lenet is not known", "lenet-300-100"},
        {"architecture: \"\"\n", "g.yaml:1:15: architecture: \"\" is of the wrong type", ""},
        {"dataset: {name: abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd}\n",
         "g.yaml:1:17: dataset.name: ", "is too long; give a text of at most 63 bytes"},
        {"dataset: {train: 0}\n", "g.yaml:1:18: dataset.train: 0 is out of range", "all or"},
        {"seed: 9007199254740993\n", "g.yaml:1:7: seed: 9007199254740993 is out of range",
         "from 0 to 9007199254740991"},
        {"seed: 1..5\n", "g.yaml:1:7: seed: 1..5 is a range", "axes"},
        {"train: {evaluate: {at: 3}}\n", "g.yaml:1:24: train.evaluate.at: a single value",
         "give a list"},
        {"train: {evaluate: {at: [3, 3]}}\n", "g.yaml:1:28: train.evaluate.at: 3 does not come",
         "must rise"},
        {"train: {evaluate: {at: [1..17]}}\n", "g.yaml:1:25: train.evaluate.at: more than 16",
         "give fewer"},
        {"train: {evaluate: {at: [[3]]}}\n", "g.yaml:1:25: train.evaluate.at: a list in the list",
         ""},
        {"snapshots: [init, finl]\n", "g.yaml:1:19: snapshots: finl is not known",
         "did you mean final?"},
        {"snapshots: init\n", "g.yaml:1:12: snapshots: a single value", "give a list"},
    };
    CHECK(refusals);
}

static void test_axes(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"axes: {seed: []}\n", "g.yaml:1:14: seed: has no values", ""},
        {"axes: {seed: 3}\n", "g.yaml:1:14: seed: a single value", "[1, 2]"},
        {"axes: {seed: }\n", "g.yaml:1:14: seed: no value", ""},
        {"axes: {seed: 5..1}\n", "g.yaml:1:14: seed: 5..1 is empty", "1..5"},
        {"axes: {seed: 1..99999999999999999999}\n", "g.yaml:1:14: seed: 1..999", "out of range"},
        {"axes: {seed: [1..3, 5..4]}\n", "g.yaml:1:21: seed: 5..4 is empty", ""},
        {"axes: {seed: [1, x]}\n", "g.yaml:1:18: seed: x is of the wrong type", ""},
        {"axes: {seed: [1, ]}\n axes: 3", "g.yaml:2:2: not YAML", ""},
        {"axes: {architecture: 1..3}\n", "g.yaml:1:22: architecture: a single value", ""},
        {"axes: [seed]\n", "g.yaml:1:7: axes: a list", "give a map"},
        {"axes: {train.evaluate.at: [[1], [2]]}\n", "g.yaml:1:8: train.evaluate.at: a list", ""},
        {"zip: {seed: 1..2}\n", "g.yaml:1:6: zip: a map", "list of groups"},
        {"zip: [{}]\n", "g.yaml:1:7: zip: an empty map", ""},
        {"zip: [{seed: 1..2, dataset.seed: 1..3}]\n",
         "g.yaml:1:34: dataset.seed: has 3 values and seed has 2", ""},
        {"exclude: {seed: 3}\n", "g.yaml:1:10: exclude: a map", ""},
        {"exclude: [{}]\n", "g.yaml:1:11: exclude: an empty map", ""},
        {"axes: {seed: 1..3}\nexclude: [{seed: 3},\n {seed: 4}]\n",
         "g.yaml:3:2: exclude: matches no", ""},
        {"exclude: [{seed: 1}]\n", "g.yaml:1:10: exclude: drops the grid's only experiment", ""},
        {"axes: {seed: 1..3}\nexclude:\n- {seed: 1}\n- {seed: 2..3}\n",
         "g.yaml:3:1: exclude: drops all 3 experiments", "exclude less"},
        {"axes: {seed: 1..2}\nexperiments:\n- {exclude: [{seed: 1..2}]}\n- {exclude: [{seed: [1, "
         "2]}]}\n",
         "g.yaml:3:13: exclude: drops all 4 experiments", ""},
        {"experiments: []\n", "g.yaml:1:14: experiments: an empty list", ""},
        {"experiments: [3]\n", "g.yaml:1:15: experiments: a single value", ""},
        {"axes: {seed: 1..2}\nexperiments:\n- {seed: 3}\n",
         "g.yaml:3:10: seed: is an axis of all blocks (line 1)", "block's own axes"},
        {"zip: [{seed: 1..2}]\nexperiments:\n- {seed: 3}\n",
         "g.yaml:3:10: seed: is an axis of all blocks (line 1)", ""},
    };
    CHECK(refusals);
}

static void test_too_many(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"axes: {seed: 1..1000001}\n", "g.yaml:1:14: seed: more than 1000000 values", ""},
        {"axes: {seed: 0..9007199254740992}\n", "g.yaml:1:14: seed: more than 1000000 values", ""},
        {"axes: {seed: -9223372036854775808..9223372036854775807}\n",
         "g.yaml:1:14: seed: more than 1000000 values", ""},
        {"name: x\naxes: {seed: 1..1000, dataset.seed: 1..1001}\n", "g.yaml:1:1: more than 1000000",
         ""},
        /* 10^21 overflows 64 bits. */
        {"axes: {seed.init: 1..1000, seed.order: 1..1000, seed.augment: 1..1000,\n"
         " seed.dropout: 1..1000, dataset.seed: 1..1000, train.iterations: 1..1000,\n"
         " dataset.split_seed: 1..1000}\n",
         "g.yaml:1:1: more than 1000000 experiments", ""},
        {"axes: {seed: 1..1000}\nexperiments:\n- {axes: {dataset.seed: 1..500}}\n"
         "- {axes: {dataset.seed: 1..501}}\n",
         "g.yaml:4:3: more than 1000000 experiments", ""},
    };
    CHECK(refusals);
}

static void test_pruning(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"prune: {rate: 0}\n", "g.yaml:1:15: prune.rate: all rates are 0", "rounds: 0"},
        {"prune: {rate: {fc: 0}}\n", "g.yaml:1:20: prune.rate: all rates are 0", ""},
        {"prune: {rate: 1}\n", "g.yaml:1:15: prune.rate: 1 is out of range", "to below 1"},
        {"prune: {rate: {output: 1.5}}\n", "g.yaml:1:24: prune.rate.output: 1.5 is out of range",
         "half or a number"},
        {"prune: {rate: {fc: half}}\n", "g.yaml:1:20: prune.rate.fc: half is of the wrong type",
         ""},
        {"prune: {rate: -0.2}\n", "g.yaml:1:15: prune.rate: -0.2 is out of range", ""},
        {"prune: {rounds: -1}\n", "g.yaml:1:17: prune.rounds: -1 is out of range", ""},
        {"prune: {rounds: 65}\n", "g.yaml:1:17: prune.rounds: 65 is out of range", ""},
        {"prune: {fractions: [.5]}\n", "g.yaml:1:20: prune.fractions: belongs to one-shot",
         "schedule: one-shot"},
        {"prune: {schedule: one-shot, fractions: [.5, .9], rounds: 3}\n",
         "g.yaml:1:58: prune.rounds: is 3, and prune.fractions has 2", ""},
        {"prune: {schedule: one-shot, fractions: [.5, .5]}\n",
         "g.yaml:1:45: prune.fractions: .5 does not come after .5", "must rise"},
        {"prune: {schedule: one-shot, fractions: [0, .5]}\n",
         "g.yaml:1:41: prune.fractions: 0 is out of range", ""},
        {"prune: {schedule: one-shot, fractions: [.5, 1]}\n",
         "g.yaml:1:45: prune.fractions: 1 is out of range", ""},
        {"train: {schedule: {drops: [5]}}\n", "g.yaml:1:27: train.schedule.drops: belongs to", ""},
        {"train: {schedule: {name: step}}\n", "g.yaml:1:26: train.schedule.name: step without", ""},
        {"prune: {at: start}\n", "g.yaml:1:13: prune.at: start is of the wrong type",
         "end, init or an integer"},
    };
    CHECK(refusals);
}

static void test_controls(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"controls: {kind: reinit}\n", "g.yaml:1:11: controls: a map", "give a list"},
        {"controls: [reinit]\n", "g.yaml:1:12: controls: a single value", "{kind: reinit"},
        {"controls: [{draws: 3}]\n", "g.yaml:1:12: controls: has no kind", "reinit"},
        {"controls: [{kind: reinitt}]\n", "g.yaml:1:19: controls.kind: reinitt is not known",
         "did you mean reinit?"},
        {"controls: [{kind: reinit, draws: 0}]\n", "g.yaml:1:34: controls.draws: 0 is out of", ""},
        {"controls: [{kind: same, draws: 2}]\n", "g.yaml:1:12: controls.draws: draws of `same`",
         "fork"},
        {"controls: [{kind: reinit, levels: []}]\n", "g.yaml:1:35: controls.levels: has no", ""},
        {"controls: [{kind: reinit, levels: [65]}]\n", "g.yaml:1:36: controls.levels: 65 is out",
         ""},
        {"controls: [{kind: random-mask, levels: [0]}]\n", "g.yaml:1:12: controls.levels: level 0",
         ""},
        {"controls: [{kind: same, set: {prune.rounds: 3}}]\n",
         "g.yaml:1:45: prune.rounds: cannot be set for a control", "dataset, train and seed"},
        {"controls: [{kind: same, set: {architecture: fc-3}}]\n",
         "g.yaml:1:45: architecture: cannot be set", ""},
        {"controls: [{kind: same, set: {train.evaluate.at: [3]}}]\n",
         "g.yaml:1:50: train.evaluate.at: a list cannot be set", ""},
        {"controls: [{kind: same, set: {train.batch: 0}}]\n",
         "g.yaml:1:44: train.batch: 0 is out of range", ""},
        {"controls: [{kind: same, set: {train.bach: 3}}]\n", "g.yaml:1:31: train.bach: unknown key",
         ""},
        {"controls: [{kind: same, set: dataset}]\n", "g.yaml:1:30: controls.set: a single", ""},
        {"controls: [{kind: same, set: {seed.init: 1, seed.order: 1, seed: 3, train.batch: 1,\n"
         " train.iterations: 1, train.warmup: 1, train.dropout: 0, dataset.seed: 3}}]\n",
         "g.yaml:2:72: controls.set: sets more than 8 fields", ""},
    };
    CHECK(refusals);
}

static void test_later_names(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"prune: {criterion: synflow}\n", "g.yaml:1:20: prune.criterion: synflow is not there yet",
         "give what there is: magnitude"},
        {"prune: {criterion: large_init}\n", "g.yaml:1:20: prune.criterion: large_init is not", ""},
        {"controls: [{kind: invert}]\n", "g.yaml:1:19: controls.kind: invert is not there yet",
         "reinit, random-mask, same or fork"},
    };
    CHECK(refusals);
}

static void test_no_yaml(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"", "g.yaml: the file is empty", ""},
        {"# nothing\n", "g.yaml: the file is empty", ""},
        {"just words\n", "g.yaml:1:1: a single value", "write a YAML map"},
        {"- seed: 1\n", "g.yaml:1:1: a list", ""},
        {"---\n~\n", "g.yaml:2:1: no value", ""},
        {"seed: 1\n---\nseed: 2\n", "g.yaml:2:1: a second document", ""},
        {"train: {batch: 3\n", "g.yaml:2:1: not YAML: ", "line 1"},
        {"train: batch: 3\n", "g.yaml:1:13: not YAML: ", ""},
        {"train:\n\tbatch: 3\n", "g.yaml:2:1: a tab as indentation", "spaces"},
        {"train:\n  \tbatch: 3\n", "g.yaml:2:3: a tab as indentation", ""},
        {"? [a, b]\n: 3\n", "g.yaml:1:3: a list as a key", ""},
        {"seed: !!int 3\n", "g.yaml:1:7: a tag", ""},
        {"name: |\n  a\n  b\n", "g.yaml:1:7: a text with a line break", ""},
        {"name: \"a\\0b\"\n", "g.yaml:1:7: a text with a line break or control character", ""},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "g.yaml:1:34: nested too deeply", ""},
        {"name: \xff\n", "g.yaml:1:7: the byte 0xFF is no UTF-8", ""},
        {"\xc3\xa9: \xc3\n", "g.yaml:1:4: the byte 0xC3 is no UTF-8", ""},
        {"name: \xed\xa0\x80\n", "g.yaml:1:7: the byte 0xED is no UTF-8", ""},
        {"name: \xc0\x80\n", "g.yaml:1:7: the byte 0xC0 is no UTF-8", ""},
        {"name: \xf0\x9f\x98", "g.yaml:1:7: the byte 0xF0 is no UTF-8", ""},
        {"name: \x1b[31m\n", "g.yaml:1:7: the control character U+001B", ""},
    };
    CHECK(refusals);
    expect_refusal_bytes("seed: 1\nname: \0x\n", 17, "g.yaml:2:7: a NUL byte", "UTF-8");
}

static void test_anchors(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"train: *t\n", "g.yaml:1:8: *t has no anchor &t before it", ""},
        {"train: &t {optimizer: *t}\n", "g.yaml:1:23: *t is used inside &t itself", ""},
        {"train: {<<: 3}\n", "g.yaml:1:13: <<: takes a map or a list of maps", ""},
        {"train: {<<: [3]}\n", "g.yaml:1:14: <<: takes a map or a list of maps", ""},
    };
    CHECK(refusals);
}

/* Ten lists, each of ten times the one before: 10^10 values in 500 bytes. */
static void test_alias_bomb(void **state)
{
    (void)state;
    struct text bomb = {0};
    text_add(&bomb, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++) {
        text_add(&bomb, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            text_add(&bomb, "%s*a%d", j > 0 ? ", " : "", i - 1);
        text_add(&bomb, "]\n");
    }
    expect_refusal(bomb.bytes, "g.yaml:7:5: expands to more than", "fewer aliases");
    text_finish(&bomb);
}

static void test_large_files(void **state)
{
    (void)state;
    size_t length = GRID_MAX_BYTES + 1;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, '#', length);
    expect_refusal_bytes(text, length, "g.yaml: 1048577 bytes", "at most 1048576");
    free(text);

    /* 200 MB on disk (sparse): refused by its size, before it is read. */
    char path[] = "/tmp/grid_refusals_XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, 200000000), 0);
    struct error err = {0};
    assert_null(grid_read(path, &err));
    assert_int_equal(err.class, ERROR_USAGE);
    assert_non_null(strstr(err.text, path));
    close(file);
    unlink(path);
}

static void test_names(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"name: ../x\n", "g.yaml:1:7: name: \"../x\" cannot name a store", ""},
        {"name: .hidden\n", "g.yaml:1:7: name: \".hidden\" cannot name a store", ""},
        {"name: -x\n", "g.yaml:1:7: name: \"-x\" cannot name a store", ""},
        {"name: a b\n", "g.yaml:1:7: name: \"a b\" cannot name a store", ""},
        {"name: \"\"\n", "g.yaml:1:7: name: \"\" is of the wrong type", ""},
        {"name: [x]\n", "g.yaml:1:7: name: a list", ""},
    };
    CHECK(refusals);
    struct error err = {0};
    assert_null(grid_parse("folder/my grid.yaml", "seed: 1\n", 8, &err));
    assert_string_equal(err.text,
                        "folder/my grid.yaml: name: \"my grid\" cannot name a store; give "
                        "name: a word of at most 63 letters, digits and . _ - +, "
                        "beginning with a letter or digit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_keys), cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_values),       cmocka_unit_test(test_axes),
        cmocka_unit_test(test_too_many),     cmocka_unit_test(test_pruning),
        cmocka_unit_test(test_controls),     cmocka_unit_test(test_later_names),
        cmocka_unit_test(test_no_yaml),      cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_alias_bomb),   cmocka_unit_test(test_large_files),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
