/* Task keys: XXH3 (128 bits) of the canonical text below. A promise to users: equal keys are one
 * training run, in this grid, in the next one and in stores made earlier.
 *
 * The text lists what determines a task's result and nothing else, a line each, in this order:
 */
/* clang-format off
 *
 *     sweepstake task 1                       the key epoch
 *     parent none | HEX                       the parent's key: mask, lineage and seeds come with it
 *     input 1x28x28, fc 300, relu, ...        the layers (net_spec_text)
 *     data HEX                                content, after subsets were taken; never a path
 *     validation 5000 split 0                 when examples are held out
 *     standardize                             when pixels are
 *     augment flip-crop                       when training batches are
 *     batch 60
 *     sgd | adam beta1 0.9 beta2 0.999 epsilon 1e-08
 *     momentum 0.9 [nesterov]                 sgd, when above 0
 *     weight_decay 0.0001                     when above 0
 *     learning_rate 0.0012
 *     warmup 1000                             when above 0
 *     drops 20000 25000 factor 0.1 | cosine   when the rate decays
 *     dropout 0.5                             when above 0
 *     iterations 50000
 *     evaluate every 100
 *     evaluate at 1000 5000                   when there are any
 *     prune magnitude layer|global            level 1 and up
 *     at end | 0 | N                          which iteration's weights the criterion sees
 *     rate [conv R] [fc R] [output R]         kinds that are pruned, followed by
 *     rounds 1                                the rounds taken at once
 *     share [conv S] [fc S] [output S]        instead of these two: each kind's rate by the largest,
 *     fraction 0.5                            and the fraction gone of that with share 1
 *     mask random seed 1 draw 1               control random-mask
 *     start init 0 | start rewind K | start parent K
 *     fixed_rate                              the rate of the last iteration throughout
 *     init glorot_normal seed 1 [draw 1]      start init; draws: reinit; also glorot_truncated,
 *                                             kaiming_normal, kaiming_uniform, normal SIGMA
 *     order seed 1 [draw 1]                   draws: fork
 *     augment seed 1 [draw 1]                 when there is augmentation
 *     dropout seed 1 [draw 1]                 when there is dropout
 *
 * Numbers are the shortest decimals that read back the same. A field added later adds no line at
 * its default, so that old keys stay. PLAN_KEY_EPOCH is raised only when a line changes meaning.
 * clang-format on */
#include "key.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void add_number(struct text *text, const char *before, double number)
{
    char digits[32];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    text_add(text, "%s%s", before, digits);
}

static void add_number_line(struct text *text, const char *before, double number)
{
    add_number(text, before, number);
    text_add(text, "\n");
}

static void add_hash(struct text *text, const char *before, struct hash128 hash)
{
    char hex[HASH_HEX_SIZE];
    hash128_hex(hash, hex);
    text_add(text, "%s%s\n", before, hex);
}

static void add_iterations(struct text *text, const char *before, const int64_t *iterations,
                           int32_t count)
{
    text_add(text, "%s", before);
    for (int32_t i = 0; i < count; i++)
        text_add(text, " %" PRId64, iterations[i]);
}

void key_add_network(const struct plan_network *network, struct text *text)
{
    net_spec_text(&network->spec, text);
}

void key_add_dataset(const struct plan_dataset *dataset, struct text *text)
{
    add_hash(text, "data ", dataset->content);
    if (dataset->info.validation > 0)
        text_add(text, "validation %" PRId64 " split %" PRId64 "\n", dataset->info.validation,
                 dataset->request.split_seed);
    if (dataset->request.preprocessing == DATA_STANDARDIZE)
        text_add(text, "standardize\n");
    if (dataset->request.augment == DATA_AUGMENT_FLIP_CROP)
        text_add(text, "augment flip-crop\n");
}

static void add_optimizer(const struct optimizer_spec *optimizer, struct text *text)
{
    if (optimizer->kind == OPTIMIZER_ADAM) {
        add_number(text, "adam beta1 ", optimizer->beta1);
        add_number(text, " beta2 ", optimizer->beta2);
        add_number_line(text, " epsilon ", optimizer->epsilon);
    } else {
        text_add(text, "sgd\n");
        if (optimizer->momentum > 0) {
            add_number(text, "momentum ", optimizer->momentum);
            text_add(text, optimizer->nesterov ? " nesterov\n" : "\n");
        }
    }
    if (optimizer->weight_decay > 0)
        add_number_line(text, "weight_decay ", optimizer->weight_decay);
}

static void add_schedule(const struct schedule_spec *schedule, struct text *text)
{
    add_number_line(text, "learning_rate ", schedule->base);
    if (schedule->warmup > 0)
        text_add(text, "warmup %" PRId64 "\n", schedule->warmup);
    if (schedule->kind == SCHEDULE_STEP) {
        add_iterations(text, "drops", schedule->drops, schedule->drop_count);
        add_number_line(text, " factor ", schedule->factor);
    } else if (schedule->kind == SCHEDULE_COSINE) {
        text_add(text, "cosine\n");
    }
}

void key_add_training(const struct plan_training *training, struct text *text)
{
    text_add(text, "batch %" PRId64 "\n", training->batch);
    add_optimizer(&training->optimizer, text);
    add_schedule(&training->schedule, text);
    if (training->dropout > 0)
        add_number_line(text, "dropout ", training->dropout);
    text_add(text, "iterations %" PRId64 "\n", training->iterations);
    text_add(text, "evaluate every %" PRId64 "\n", training->evaluate_every);
    if (training->at_count > 0) {
        add_iterations(text, "evaluate at", training->at, training->at_count);
        text_add(text, "\n");
    }
}

static void add_rates(const struct plan_pruning *pruning, struct text *text)
{
    static const char *const kinds[] = {" conv ", " fc ", " output "};
    const double rates[] = {pruning->rate_conv, pruning->rate_fc, pruning->rate_output};
    bool by_rates = isnan(pruning->fraction);
    double whole = by_rates ? 1 : fmax(rates[0], fmax(rates[1], rates[2]));
    text_add(text, by_rates ? "rate" : "share");
    for (int i = 0; i < 3; i++)
        if (rates[i] > 0)
            add_number(text, kinds[i], rates[i] / whole);
    text_add(text, "\n");
}

void key_add_pruning(const struct plan_pruning *pruning, struct text *text)
{
    static const char *const criteria[] = {[FIELD_CRITERION_MAGNITUDE] = "magnitude"};
    static const char *const scopes[] = {
        [FIELD_SCOPE_LAYER] = "layer", [FIELD_SCOPE_GLOBAL] = "global"};
    text_add(text, "prune %s %s\n", criteria[pruning->criterion], scopes[pruning->scope]);
    if (pruning->at == PRUNE_AT_END)
        text_add(text, "at end\n");
    else
        text_add(text, "at %" PRId64 "\n", pruning->at);
    add_rates(pruning, text);
    if (isnan(pruning->fraction))
        text_add(text, "rounds %" PRId32 "\n", pruning->rounds);
    else
        add_number_line(text, "fraction ", pruning->fraction);
}

static void add_stream(struct text *text, const char *purpose, int64_t seed, int32_t draw)
{
    text_add(text, "%s seed %" PRId64, purpose, seed);
    if (draw > 0)
        text_add(text, " draw %" PRId32, draw);
    text_add(text, "\n");
}

static void add_init(const struct plan_task *task, struct text *text)
{
    static const char *const kinds[] = {
        [INIT_GLOROT_NORMAL] = "glorot_normal",
        [INIT_GLOROT_TRUNCATED] = "glorot_truncated",
        [INIT_KAIMING_NORMAL] = "kaiming_normal",
        [INIT_KAIMING_UNIFORM] = "kaiming_uniform",
        [INIT_NORMAL] = "normal",
    };
    text_add(text, "init ");
    if (task->init.kind == INIT_NORMAL)
        add_number(text, "normal ", task->init.sigma);
    else
        text_add(text, "%s", kinds[task->init.kind]);
    add_stream(text, "", task->seed_init, task->diverts_init ? task->draw : 0);
}

static void add_start(const struct plan_task *task, struct text *text)
{
    static const char *const starts[] = {
        [START_INIT] = "init", [START_REWIND] = "rewind", [START_PARENT_FINAL] = "parent"};
    text_add(text, "start %s %" PRId64 "\n", starts[task->start], task->start_iteration);
    if (task->fixed_rate)
        text_add(text, "fixed_rate\n");
    if (task->start == START_INIT)
        add_init(task, text);
}

static void add_part(struct text *text, const struct text *part)
{
    text_add_bytes(text, part->bytes, part->length);
    text->failed |= part->failed;
}

void key_add_task(const struct plan_task *tasks, const struct plan_task *task,
                  struct key_parts parts, struct text *text)
{
    text_add(text, "sweepstake task %d\n", PLAN_KEY_EPOCH);
    if (task->parent < 0)
        text_add(text, "parent none\n");
    else
        add_hash(text, "parent ", tasks[task->parent].key);
    add_part(text, parts.network);
    add_part(text, parts.dataset);
    add_part(text, parts.training);
    if (parts.pruning != NULL)
        add_part(text, parts.pruning);
    if (task->control == CONTROL_RANDOM_MASK)
        add_stream(text, "mask random", task->seed_init, task->draw);
    add_start(task, text);
    int32_t draw = task->control == CONTROL_FORK ? task->draw : 0;
    add_stream(text, "order", task->seed_order, draw);
    if (task->seed_augment >= 0)
        add_stream(text, "augment", task->seed_augment, draw);
    if (task->seed_dropout >= 0)
        add_stream(text, "dropout", task->seed_dropout, draw);
}

void plan_key_text(const struct plan *plan, int32_t task, struct text *text)
{
    const struct plan_task *of = &plan->tasks[task];
    struct text network = {0}, dataset = {0}, training = {0}, pruning = {0};
    key_add_network(&plan->networks[of->network], &network);
    key_add_dataset(&plan->datasets[of->dataset], &dataset);
    key_add_training(&plan->trainings[of->training], &training);
    if (of->pruning >= 0)
        key_add_pruning(&plan->prunings[of->pruning], &pruning);
    struct key_parts parts = {&network, &dataset, &training, of->pruning >= 0 ? &pruning : NULL};
    key_add_task(plan->tasks, of, parts, text);
    text_finish(&network);
    text_finish(&dataset);
    text_finish(&training);
    text_finish(&pruning);
}
