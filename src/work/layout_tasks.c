/* /points and /tasks. A task's row says what its key holds, and where what it keeps is. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "filler.h"
#include "layout.h"

#define KIND_WIDTH 16

static const char *ticket_or_control(enum control_kind kind)
{
    return kind == CONTROL_NONE ? "ticket" : control_kind_name(kind);
}

/* --- /points --- */

static void fill_point(struct filler *filler, const void *user)
{
    const struct plan *plan = user;
    const struct plan_point *point = &plan->points[filler->row == FILLER_DEFINES ? 0 : filler->row];
    fill_integer(filler, "experiment", STORE_INT32, point->experiment);
    fill_integer(filler, "level", STORE_INT32, point->level);
    fill_text(filler, "control", KIND_WIDTH, ticket_or_control(point->control));
    fill_integer(filler, "control_index", STORE_INT32, point->control_index);
    fill_integer(filler, "draw", STORE_INT32, point->draw);
    fill_integer(filler, "task", STORE_INT32, point->task);
    fill_integer(filler, "dense_task", STORE_INT32, point->dense_task);
    fill_integer(filler, "orphan", STORE_INT8, 0);
}

int layout_points(const struct plan *plan, layout_filler *fill, struct store_table *table,
                  struct error *err)
{
    return fill(table, plan->point_count, fill_point, plan, err);
}

/* --- /tasks --- */

static void fill_lineage(struct filler *filler, const struct plan_task *task)
{
    char key[HASH_HEX_SIZE];
    hash128_hex(task->key, key);
    fill_text(filler, "key", HASH_HEX_SIZE - 1, key);
    fill_integer(filler, "parent", STORE_INT32, task->parent);
    fill_integer(filler, "root", STORE_INT32, task->root);
    fill_integer(filler, "level", STORE_INT32, task->level);
    fill_text(filler, "control", KIND_WIDTH, ticket_or_control(task->control));
    fill_integer(filler, "draw", STORE_INT32, task->draw);
}

static void fill_data(struct filler *filler, const struct plan *plan, const struct plan_task *task)
{
    static const char *const preprocessings[] = {
        [DATA_UNIT] = "unit", [DATA_STANDARDIZE] = "standardize"};
    static const char *const augments[] = {
        [DATA_AUGMENT_NONE] = "none", [DATA_AUGMENT_FLIP_CROP] = "flip-crop"};
    const struct plan_dataset *dataset = &plan->datasets[task->dataset];
    char content[HASH_HEX_SIZE];
    hash128_hex(dataset->content, content);
    fill_integer(filler, "network", STORE_INT32, task->network);
    fill_text(filler, "architecture", NET_NAME_SIZE, plan->networks[task->network].label);
    fill_text(filler, "dataset", DATA_NAME_SIZE, dataset->request.name);
    fill_text(filler, "dataset_content", HASH_HEX_SIZE - 1, content);
    fill_integer(filler, "train_examples", STORE_INT64, dataset->info.train);
    fill_integer(filler, "validation_examples", STORE_INT64, dataset->info.validation);
    fill_integer(filler, "test_examples", STORE_INT64, dataset->info.test);
    fill_integer(filler, "split_seed", STORE_INT64, dataset->request.split_seed);
    fill_text(filler, "preprocessing", KIND_WIDTH, preprocessings[dataset->request.preprocessing]);
    fill_text(filler, "augment", KIND_WIDTH, augments[dataset->request.augment]);
}

static void fill_pruning(struct filler *filler, const struct plan_pruning *pruning)
{
    static const char *const criteria[] = {[FIELD_CRITERION_MAGNITUDE] = "magnitude"};
    static const char *const scopes[] = {
        [FIELD_SCOPE_LAYER] = "layer", [FIELD_SCOPE_GLOBAL] = "global"};
    bool is = pruning != NULL;
    char at[24] = "";
    if (is && pruning->at == PRUNE_AT_END)
        snprintf(at, sizeof at, "end");
    else if (is)
        snprintf(at, sizeof at, "%" PRId64, pruning->at);
    fill_text(filler, "criterion", KIND_WIDTH, is ? criteria[pruning->criterion] : "");
    fill_text(filler, "scope", KIND_WIDTH, is ? scopes[pruning->scope] : "");
    fill_real(filler, "rate_conv", is ? pruning->rate_conv : NAN);
    fill_real(filler, "rate_fc", is ? pruning->rate_fc : NAN);
    fill_real(filler, "rate_output", is ? pruning->rate_output : NAN);
    fill_integer(filler, "rounds", STORE_INT32, is ? pruning->rounds : -1);
    fill_real(filler, "fraction", is ? pruning->fraction : NAN);
    fill_text(filler, "prune_at", sizeof at, at);
}

static void fill_optimizer(struct filler *filler, const struct plan_training *training)
{
    const struct optimizer_spec *optimizer = &training->optimizer;
    bool is_adam = optimizer->kind == OPTIMIZER_ADAM;
    fill_text(filler, "optimizer", KIND_WIDTH, is_adam ? "adam" : "sgd");
    fill_real(filler, "learning_rate", training->schedule.base);
    fill_real(filler, "momentum", is_adam ? NAN : optimizer->momentum);
    fill_integer(filler, "nesterov", STORE_INT8, is_adam ? -1 : optimizer->nesterov);
    fill_real(filler, "weight_decay", optimizer->weight_decay);
    fill_real(filler, "beta1", is_adam ? optimizer->beta1 : NAN);
    fill_real(filler, "beta2", is_adam ? optimizer->beta2 : NAN);
    fill_real(filler, "epsilon", is_adam ? optimizer->epsilon : NAN);
}

static void fill_training(struct filler *filler, const struct plan_training *training,
                          const struct plan_task *task)
{
    static const char *const schedules[] = {
        [SCHEDULE_CONSTANT] = "constant", [SCHEDULE_STEP] = "step", [SCHEDULE_COSINE] = "cosine"};
    static const char *const starts[] = {
        [START_INIT] = "init", [START_REWIND] = "rewind", [START_PARENT_FINAL] = "parent-final"};
    static const char *const inits[] = {
        [INIT_GLOROT_NORMAL] = "glorot-normal",
        [INIT_GLOROT_TRUNCATED] = "glorot-truncated",
        [INIT_KAIMING_NORMAL] = "kaiming-normal",
        [INIT_KAIMING_UNIFORM] = "kaiming-uniform",
        [INIT_NORMAL] = "normal",
    };
    bool is_step = training->schedule.kind == SCHEDULE_STEP;
    fill_text(filler, "schedule", KIND_WIDTH, schedules[training->schedule.kind]);
    fill_integer(filler, "warmup", STORE_INT64, training->schedule.warmup);
    fill_real(filler, "factor", is_step ? training->schedule.factor : NAN);
    fill_integer(filler, "batch", STORE_INT64, training->batch);
    fill_real(filler, "dropout", training->dropout);
    fill_integer(filler, "iterations", STORE_INT64, training->iterations);
    fill_integer(filler, "evaluate_every", STORE_INT64, training->evaluate_every);
    fill_text(filler, "start", KIND_WIDTH, starts[task->start]);
    fill_integer(filler, "start_iteration", STORE_INT64, task->start_iteration);
    fill_integer(filler, "fixed_rate", STORE_INT8, task->fixed_rate);
    fill_text(filler, "init", KIND_WIDTH, inits[task->init.kind]);
    fill_real(filler, "init_sigma", task->init.kind == INIT_NORMAL ? task->init.sigma : NAN);
    fill_integer(filler, "seed_init", STORE_INT64, task->seed_init);
    fill_integer(filler, "seed_order", STORE_INT64, task->seed_order);
    fill_integer(filler, "seed_augment", STORE_INT64, task->seed_augment);
    fill_integer(filler, "seed_dropout", STORE_INT64, task->seed_dropout);
}

static void fill_places(struct filler *filler, const struct plan_task *task)
{
    fill_integer(filler, "curve_offset", STORE_INT64, task->curve_offset);
    fill_integer(filler, "curve_count", STORE_INT32, task->curve_count);
    fill_integer(filler, "mask_slot", STORE_INT64, task->mask_slot);
    fill_integer(filler, "init_slot", STORE_INT64, task->init_slot);
    fill_integer(filler, "rewind_slot", STORE_INT64, task->rewind_slot);
    fill_integer(filler, "at_slot", STORE_INT64, task->at_slot);
    fill_integer(filler, "early_stop_slot", STORE_INT64, task->early_stop_slot);
    fill_integer(filler, "final_slot", STORE_INT64, task->final_slot);
    fill_integer(filler, "writes_mask", STORE_INT8, task->writes_mask);
    fill_integer(filler, "writes_init", STORE_INT8, task->writes_init);
    fill_integer(filler, "writes_early_stop", STORE_INT8, task->writes_early_stop);
    fill_integer(filler, "writes_final", STORE_INT8, task->writes_final);
    fill_integer(filler, "rewind_set", STORE_INT64, task->rewind_set);
    fill_integer(filler, "at_set", STORE_INT64, task->at_set);
    fill_integer(filler, "test_curve", STORE_INT8, task->test_curve);
    fill_real(filler, "cost", task->cost);
    fill_integer(filler, "orphan", STORE_INT8, 0);
}

static void fill_task(struct filler *filler, const void *user)
{
    const struct plan *plan = user;
    const struct plan_task *task = &plan->tasks[filler->row == FILLER_DEFINES ? 0 : filler->row];
    const struct plan_training *training = &plan->trainings[task->training];
    fill_lineage(filler, task);
    fill_data(filler, plan, task);
    fill_pruning(filler, task->pruning >= 0 ? &plan->prunings[task->pruning] : NULL);
    fill_optimizer(filler, training);
    fill_training(filler, training, task);
    fill_places(filler, task);
}

int layout_tasks(const struct plan *plan, layout_filler *fill, struct store_table *table,
                 struct error *err)
{
    return fill(table, plan->task_count, fill_task, plan, err);
}
