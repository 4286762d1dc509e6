/* Owns the table of fields: one row a field, in the order of struct experiment_fields. A field's
 * path is its member's name there. Defaults are the paper's settings for LeNet-300-100. */
#include "grid/fields.h"

#include <assert.h>
#include <string.h>

#include "recipes.h"
#include "value.h"

#define ROW(member, ...)                                                                           \
    {                                                                                              \
        .path = #member, .offset = offsetof(struct experiment_fields, member),                     \
        .size = sizeof((struct experiment_fields *)NULL)->member, __VA_ARGS__                      \
    }
#define TEXT .type = FIELD_TEXT
#define WHOLE(from) .type = FIELD_INTEGER, .least = (from), .most = VALUE_MOST
#define LENGTH(from) .type = FIELD_STEPS, .least = (from), .most = VALUE_MOST
#define SEED .type = FIELD_INTEGER, .least = 0, .most = VALUE_MOST_SEED
#define CHOICE(names) .type = FIELD_CHOICE, .choices = (names)
#define FROM(from) .type = FIELD_REAL, .least = (from), .most = VALUE_MOST_REAL
#define ABOVE(from) FROM(from), .above_least = true
#define UP_TO(to) .type = FIELD_REAL, .least = 0, .most = (to)
#define BELOW(to) UP_TO(to), .below_most = true
#define EXAMPLES .type = FIELD_EXAMPLES, .least = 1, .most = VALUE_MOST_EXAMPLES

static const char *const preprocessings[] = {"unit", "standardize", NULL};
static const char *const augments[] = {"none", "flip-crop", NULL};
static const char *const inits[] = {"glorot-normal",   "glorot-truncated", "kaiming-normal",
                                    "kaiming-uniform", "normal",           NULL};
static const char *const optimizers[] = {"sgd", "adam", NULL};
static const char *const decays[] = {"constant", "step", "cosine", NULL};
static const char *const test_curves[] = {"summary", "every", NULL};
static const char *const criteria[] = {"magnitude", NULL};
static const char *const scopes[] = {"layer", "global", NULL};
static const char *const prune_schedules[] = {"iterative", "one-shot", NULL};
static const char *const rewinds[] = {"weights", "learning-rate", "none", NULL};

static const struct field fields[] = {
    ROW(recipe, TEXT, .choices = recipe_choices, .initial = "none",
        .meaning = "a set of values that the grid's own fields are merged over"),
    ROW(architecture, TEXT, .initial = "lenet-300-100",
        .meaning = "lenet-A-B... or fc-A-B... (hidden layers of A, B, ... units), conv-2, conv-4, "
                   "conv-6, resnet-18, vgg-19, or one of the grid's own `networks`"),
    ROW(dataset.name, TEXT, .initial = "mnist",
        .meaning = "mnist, fashion-mnist, cifar10, digits or shapes (generated), or a folder of "
                   "four IDX files"),
    ROW(dataset.folder, TEXT, .initial = "",
        .meaning = "where the files are; empty: --data, then SWEEPSTAKE_DATA"),
    ROW(dataset.validation, .type = FIELD_INTEGER, .least = 0, .most = VALUE_MOST_EXAMPLES,
        .initial = "5000", .meaning = "examples drawn from the training set for validation"),
    ROW(dataset.train, EXAMPLES, .initial = "all",
        .meaning = "use the first N training examples (generators: make N), validation included"),
    ROW(dataset.test, EXAMPLES, .initial = "all",
        .meaning = "use the first N test examples (generators: make N)"),
    ROW(dataset.split_seed, SEED, .initial = "0",
        .meaning = "draws the validation examples; all replicates share one split"),
    ROW(dataset.seed, SEED, .initial = "0", .meaning = "draws the examples of a generator"),
    ROW(dataset.preprocessing, CHOICE(preprocessings), .initial = "unit",
        .meaning = "pixels from 0 to 1, or less their channel's mean and over its deviation"),
    ROW(dataset.augment, CHOICE(augments), .initial = "none",
        .meaning = "of training batches: half mirrored, cropped after 4 black pixels all around"),
    ROW(init.name, CHOICE(inits), .initial = "glorot-normal",
        .meaning = "how initial weights are drawn; normal: with deviation `sigma`"),
    ROW(init.sigma, FROM(0), .initial = "0",
        .meaning = "deviation of initial weights (normal); 0 = none given"),
    ROW(train.iterations, LENGTH(1), .initial = "50000", .meaning = "length of training"),
    ROW(train.batch, .type = FIELD_INTEGER, .least = 1, .most = VALUE_MOST_EXAMPLES,
        .initial = "60", .meaning = "examples in a batch"),
    ROW(train.optimizer.name, CHOICE(optimizers), .initial = "adam", .meaning = "the optimiser"),
    ROW(train.optimizer.learning_rate, ABOVE(0), .initial = "1.2e-3",
        .meaning = "the rate before warmup and schedule"),
    ROW(train.optimizer.momentum, BELOW(1), .initial = "0", .meaning = "of sgd"),
    ROW(train.optimizer.nesterov, .type = FIELD_BOOLEAN, .initial = "false",
        .meaning = "Nesterov's momentum (sgd)"),
    ROW(train.optimizer.weight_decay, FROM(0), .initial = "0",
        .meaning = "times the weights, added to the gradient"),
    ROW(train.optimizer.beta1, BELOW(1), .initial = "0.9",
        .meaning = "of adam: decay of the gradient's mean"),
    ROW(train.optimizer.beta2, BELOW(1), .initial = "0.999",
        .meaning = "of adam: decay of the squared gradient's mean"),
    ROW(train.optimizer.epsilon, ABOVE(0), .initial = "1e-8",
        .meaning = "of adam: added to the root of the squared gradient's mean"),
    ROW(train.warmup, LENGTH(0), .initial = "0",
        .meaning = "the rate rises linearly from 0 for so long"),
    ROW(train.schedule.name, CHOICE(decays), .initial = "constant",
        .meaning = "how the rate falls: step at `drops`, cosine to 0 at the end"),
    ROW(train.schedule.drops, .type = FIELD_STEPS_LIST, .least = 1, .most = VALUE_MOST,
        .initial = "[]", .meaning = "where the rate is multiplied by `factor` (step)"),
    ROW(train.schedule.factor, .type = FIELD_REAL, .least = 0, .most = 1, .above_least = true,
        .initial = "0.1", .meaning = "what the rate is multiplied by at each drop (step)"),
    ROW(train.dropout, BELOW(1), .initial = "0",
        .meaning = "probability of dropping a hidden unit of a fully connected layer"),
    ROW(train.evaluate.every, LENGTH(1), .initial = "100",
        .meaning = "training and validation loss are recorded so often; early stop is found there"),
    ROW(train.evaluate.at, .type = FIELD_STEPS_LIST, .least = 0, .most = VALUE_MOST,
        .initial = "[]", .meaning = "evaluated there too"),
    ROW(train.evaluate.test, CHOICE(test_curves), .initial = "summary",
        .meaning = "the test set at early stop and end, or at every evaluation"),
    ROW(prune.criterion, CHOICE(criteria), .initial = "magnitude",
        .meaning = "which weights go first"),
    ROW(prune.scope, CHOICE(scopes), .initial = "layer",
        .meaning = "rank weights within each layer, or over all prunable ones"),
    ROW(prune.schedule, CHOICE(prune_schedules), .initial = "iterative",
        .meaning = "prune the level before, or (one-shot) the dense network once for each level"),
    ROW(prune.rate.conv, BELOW(1), .initial = "0",
        .meaning = "fraction of a convolution's remaining weights pruned a round; 0 = never"),
    ROW(prune.rate.fc, BELOW(1), .initial = "0.2",
        .meaning = "of a fully connected layer's; 0 = never"),
    ROW(prune.rate.output, .type = FIELD_OUTPUT_RATE, .least = 0, .most = 1, .below_most = true,
        .initial = "half", .meaning = "of the output layer's; 0 = never; half = half of fc"),
    ROW(prune.rounds, .type = FIELD_INTEGER, .least = 0, .most = GRID_MAX_LEVELS, .initial = "25",
        .meaning = "levels of tickets; 0 = dense networks only"),
    ROW(prune.fractions, .type = FIELD_REAL_LIST, .least = 0, .most = 1, .above_least = true,
        .below_most = true, .initial = "[]",
        .meaning = "one-shot: total fraction pruned at level 1, 2, ...; sets rounds. "
                   "[]: the counts of iterative pruning"),
    ROW(prune.at, .type = FIELD_PRUNE_AT, .least = 0, .most = VALUE_MOST, .initial = "end",
        .meaning = "which iteration's weights the criterion sees; init = 0"),
    ROW(rewind.to, LENGTH(0), .initial = "0", .meaning = "the iteration that tickets start from"),
    ROW(rewind.what, CHOICE(rewinds), .initial = "weights",
        .meaning = "weights: of iteration `to`; learning-rate: the rate only; none: fine-tuning"),
    ROW(seed.init, SEED, .initial = "1", .meaning = "initial weights"),
    ROW(seed.order, SEED, .initial = "1", .meaning = "order of the training examples"),
    ROW(seed.augment, SEED, .initial = "1", .meaning = "augmentation"),
    ROW(seed.dropout, SEED, .initial = "1", .meaning = "dropout"),
};

static_assert(sizeof fields / sizeof *fields <= GRID_FIELD_MAX, "marks has room for every field");

int field_count(void)
{
    return (int)(sizeof fields / sizeof *fields);
}

const struct field *field_at(int number)
{
    return &fields[number];
}

int field_find(const char *path)
{
    for (int i = 0; i < field_count(); i++)
        if (strcmp(fields[i].path, path) == 0)
            return i;
    return -1;
}

bool field_is_scalar(const struct field *field)
{
    return field->type != FIELD_STEPS_LIST && field->type != FIELD_REAL_LIST;
}
