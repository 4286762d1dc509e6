/* How an experiment trains: lengths in iterations, the optimiser and schedule with only the fields
 * that are in use, the evaluation iterations; and the checks that need the dataset's size. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "builder.h"
#include "key.h"

/* Being resolved: where errors are to point, and the iterations of an epoch. */
struct context {
    const struct builder *builder;
    const struct experiment *experiment;
    int64_t epoch;
};

static int64_t epoch_of(const struct builder *builder, const struct experiment *experiment,
                        int32_t dataset)
{
    return builder->plan->datasets[dataset].info.train / experiment->fields.train.batch;
}

static int count_steps(const struct context *context, struct steps steps, const char *field,
                       int64_t *iterations, struct error *err)
{
    int64_t unit = steps.in_epochs ? context->epoch : 1;
    if (!__builtin_mul_overflow(steps.count, unit, iterations))
        return 0;
    return grid_error_at(err, context->builder->grid, context->experiment, field_find(field),
                         "%" PRId64 " epochs are more iterations than can be counted", steps.count);
}

int resolve_steps(struct builder *builder, const struct experiment *experiment, int32_t dataset,
                  struct steps steps, const char *field, int64_t *iterations, struct error *err)
{
    struct context context = {builder, experiment, epoch_of(builder, experiment, dataset)};
    return count_steps(&context, steps, field, iterations, err);
}

/* Lists an iteration may be in: ascending, each at most T. */
static int count_list(const struct context *context, const struct steps_list *list,
                      const char *field, int64_t last, int64_t *iterations, struct error *err)
{
    for (int32_t i = 0; i < list->count; i++) {
        int64_t iteration;
        if (count_steps(context, list->items[i], field, &iteration, err) != 0)
            return -1;
        if (iteration > last)
            return grid_error_at(err, context->builder->grid, context->experiment,
                                 field_find(field),
                                 "iteration %" PRId64 " is after the end of training (%" PRId64 ")",
                                 iteration, last);
        int32_t at = i;
        for (; at > 0 && iterations[at - 1] > iteration; at--)
            iterations[at] = iterations[at - 1];
        iterations[at] = iteration;
    }
    return 0;
}

static int check_positive(const struct context *context, int64_t iterations, const char *field,
                          struct error *err)
{
    if (iterations >= 1)
        return 0;
    return grid_error_at(err, context->builder->grid, context->experiment, field_find(field),
                         "at least 1 iteration is needed");
}

static struct optimizer_spec optimizer_of(const struct experiment_fields *fields)
{
    struct optimizer_spec optimizer = {.weight_decay = fields->train.optimizer.weight_decay};
    if (fields->train.optimizer.name == FIELD_OPTIMIZER_ADAM) {
        optimizer.kind = OPTIMIZER_ADAM;
        optimizer.beta1 = fields->train.optimizer.beta1;
        optimizer.beta2 = fields->train.optimizer.beta2;
        optimizer.epsilon = fields->train.optimizer.epsilon;
    } else {
        optimizer.kind = OPTIMIZER_SGD;
        optimizer.momentum = fields->train.optimizer.momentum;
        optimizer.nesterov = fields->train.optimizer.nesterov;
    }
    return optimizer;
}

static int check_nesterov(const struct context *context, const struct optimizer_spec *optimizer,
                          struct error *err)
{
    if (!optimizer->nesterov || optimizer->momentum > 0)
        return 0;
    return grid_error_at(err, context->builder->grid, context->experiment,
                         field_find("train.optimizer.nesterov"),
                         "Nesterov's method needs a momentum above 0; add momentum: 0.9");
}

static int resolve_schedule(const struct context *context, int64_t iterations,
                            struct schedule_spec *schedule, struct error *err)
{
    const struct experiment_fields *fields = &context->experiment->fields;
    *schedule = (struct schedule_spec){.base = fields->train.optimizer.learning_rate,
                                       .iterations = iterations};
    if (count_steps(context, fields->train.warmup, "train.warmup", &schedule->warmup, err) != 0)
        return -1;
    if (fields->train.schedule.name == FIELD_DECAY_COSINE)
        schedule->kind = SCHEDULE_COSINE;
    if (fields->train.schedule.name != FIELD_DECAY_STEP || fields->train.schedule.drops.count == 0)
        return 0;
    schedule->kind = SCHEDULE_STEP;
    schedule->factor = fields->train.schedule.factor;
    schedule->drop_count = fields->train.schedule.drops.count;
    return count_list(context, &fields->train.schedule.drops, "train.schedule.drops", iterations,
                      schedule->drops, err);
}

static int resolve_evaluation(const struct context *context, struct plan_training *training,
                              struct error *err)
{
    const struct experiment_fields *fields = &context->experiment->fields;
    if (count_steps(context, fields->train.evaluate.every, "train.evaluate.every",
                    &training->evaluate_every, err) != 0 ||
        check_positive(context, training->evaluate_every, "train.evaluate.every", err) != 0 ||
        count_list(context, &fields->train.evaluate.at, "train.evaluate.at", training->iterations,
                   training->at, err) != 0)
        return -1;
    for (int32_t i = 0; i < fields->train.evaluate.at.count; i++)
        if (i == 0 || training->at[i] != training->at[training->at_count - 1])
            training->at[training->at_count++] = training->at[i];
    if (cost_evaluations(training, 0) > INT32_MAX)
        return grid_error_at(err, context->builder->grid, context->experiment,
                             field_find("train.evaluate.every"),
                             "%" PRId64 " evaluations are more than a curve can hold",
                             cost_evaluations(training, 0));
    memset(training->at + training->at_count, 0,
           (size_t)(PLAN_MAX_AT - training->at_count) * sizeof *training->at);
    return 0;
}

static int fill_training(const struct context *context, struct plan_training *training,
                         struct error *err)
{
    const struct experiment_fields *fields = &context->experiment->fields;
    *training = (struct plan_training){.optimizer = optimizer_of(fields),
                                       .batch = fields->train.batch,
                                       .dropout = fields->train.dropout};
    if (check_nesterov(context, &training->optimizer, err) != 0 ||
        count_steps(context, fields->train.iterations, "train.iterations", &training->iterations,
                    err) != 0 ||
        check_positive(context, training->iterations, "train.iterations", err) != 0 ||
        resolve_schedule(context, training->iterations, &training->schedule, err) != 0)
        return -1;
    return resolve_evaluation(context, training, err);
}

static int check_batch(const struct builder *builder, const struct experiment *experiment,
                       int32_t dataset, struct error *err)
{
    int64_t examples = builder->plan->datasets[dataset].info.train;
    if (experiment->fields.train.batch <= examples)
        return 0;
    return grid_error_at(err, builder->grid, experiment, field_find("train.batch"),
                         "a batch of %" PRId64 " is larger than the %" PRId64
                         " training examples of '%s'",
                         experiment->fields.train.batch, examples, experiment->fields.dataset.name);
}

static int32_t add_training(struct builder *builder, const struct experiment *experiment,
                            int32_t dataset, struct error *err)
{
    if (check_batch(builder, experiment, dataset, err) != 0)
        return -1;
    struct context context = {builder, experiment, epoch_of(builder, experiment, dataset)};
    struct plan_training training;
    if (fill_training(&context, &training, err) != 0)
        return -1;
    struct text text = {0};
    key_add_training(&training, &text);
    return shelf_put(&builder->trainings, &text, (void **)&builder->plan->trainings,
                     &builder->plan->training_count, &training, sizeof training, err);
}

int32_t resolve_training(struct builder *builder, const struct experiment *experiment,
                         int32_t dataset, struct error *err)
{
    struct hash128 key =
        index_key(&experiment->fields.train, sizeof experiment->fields.train, dataset, 0);
    int32_t index = index_map_find(&builder->training_by_fields, key);
    if (index >= 0)
        return index;
    index = add_training(builder, experiment, dataset, err);
    if (index < 0 || index_map_add(&builder->training_by_fields, key, index, err) != 0)
        return -1;
    return index;
}
