/* Experiments become tasks and points.
 *
 * Level 0 is the dense run. A ticket's parent is the ticket of the level before (iterative) or the
 * dense run (one-shot); a control is a leaf beside its ticket and has its ticket's parent. A task
 * is first written down, then looked for by its key: an equal one is the same training run, and
 * what the experiments that share it want kept adds up. */
#include "base/memory.h"
#include "builder.h"
#include "family.h"
#include "key.h"

/* --- tasks --- */

static struct hash128 key_of(struct builder *builder, const struct plan_task *task)
{
    struct key_parts parts = {
        .network = &builder->networks.texts[task->network],
        .dataset = &builder->datasets.texts[task->dataset],
        .training = &builder->trainings.texts[task->training],
        .pruning = task->pruning >= 0 ? &builder->prunings.texts[task->pruning] : NULL,
    };
    builder->key_text.length = 0;
    key_add_task(builder->plan->tasks, task, parts, &builder->key_text);
    return hash128_of(builder->key_text.bytes, builder->key_text.length);
}

static int32_t append_task(struct builder *builder, const struct plan_task *task, double density,
                           struct error *err)
{
    struct plan *plan = builder->plan;
    int32_t row = plan->task_count;
    size_t needed = (size_t)row + 1;
    if (row == INT32_MAX)
        return error_set(err, ERROR_USAGE, "the grid asks for more than %d tasks", INT32_MAX);
    if (mem_grow((void **)&plan->tasks, &builder->task_capacity, needed, sizeof *task, err) != 0 ||
        mem_grow((void **)&builder->wants, &builder->wants_capacity, needed, sizeof(struct wants),
                 err) != 0 ||
        index_map_add(&builder->task_by_key, task->key, row, err) != 0)
        return -1;
    plan->tasks[row] = *task;
    if (task->root < 0)
        plan->tasks[row].root = row;
    builder->wants[row] = (struct wants){.density = density};
    plan->task_count++;
    return row;
}

/* The row of the task, which is new or equal to one that is there; -1 on failure. */
static int32_t put_task(struct builder *builder, struct plan_task *task, double density,
                        struct error *err)
{
    task->key = key_of(builder, task);
    if (builder->key_text.failed)
        return error_set(err, ERROR_RESOURCE, "not enough memory for the text of a key");
    int32_t row = index_map_find(&builder->task_by_key, task->key);
    if (row < 0)
        return append_task(builder, task, density, err);
    /* An exact copy (`same`) that is some experiment's ticket goes by that name. */
    if (task->control == CONTROL_NONE)
        builder->plan->tasks[row].control = CONTROL_NONE;
    return row;
}

/* What the task needs others to keep for it. */
static int want_inputs(struct builder *builder, const struct experiment *experiment,
                       const struct plan_task *task, struct error *err)
{
    if (task->parent < 0)
        return 0;
    builder->wants[task->parent].final = true;
    if (task->start == START_REWIND && task->start_iteration == 0)
        builder->wants[task->root].init = true;
    else if (task->start == START_REWIND &&
             slots_want_rewind(builder, experiment, task->root, task->start_iteration, err) != 0)
        return -1;
    int64_t at = task->pruning >= 0 ? builder->plan->prunings[task->pruning].at : PRUNE_AT_END;
    if (at == 0)
        builder->wants[task->root].init = true;
    else if (at != PRUNE_AT_END)
        return slots_want_at(builder, experiment, task->parent, at, err);
    return 0;
}

static void want_snapshots(struct builder *builder, const struct experiment *experiment,
                           int32_t task)
{
    struct wants *wants = &builder->wants[task];
    wants->init |= (experiment->snapshots & SNAPSHOT_INIT) != 0;
    wants->early_stop |= (experiment->snapshots & SNAPSHOT_EARLY_STOP) != 0;
    wants->final |= (experiment->snapshots & SNAPSHOT_FINAL) != 0;
    builder->plan->tasks[task].test_curve |=
        experiment->fields.train.evaluate.test == FIELD_TEST_EVERY;
}

static int add_point(struct builder *builder, struct plan_point point, struct error *err)
{
    struct plan *plan = builder->plan;
    if (plan->point_count == INT32_MAX)
        return error_set(err, ERROR_USAGE, "the grid asks for more than %d points", INT32_MAX);
    if (mem_grow((void **)&plan->points, &builder->point_capacity, (size_t)plan->point_count + 1,
                 sizeof point, err) != 0)
        return -1;
    plan->points[plan->point_count++] = point;
    return 0;
}

/* Puts a task, what it and its experiment want, and the point that shows it. Returns its row. */
static int32_t add_task(struct builder *builder, const struct family *family,
                        const struct resolved *resolved, struct plan_task *task,
                        struct plan_point point, struct error *err)
{
    const struct rung *rung = &builder->rungs[resolved->ladder + task->level];
    task->kept = rung->kept;
    int32_t row = put_task(builder, task, rung->density, err);
    if (row < 0 || want_inputs(builder, resolved->experiment, task, err) != 0)
        return -1;
    want_snapshots(builder, resolved->experiment, row);
    point.experiment = family->number;
    point.level = task->level;
    point.task = row;
    point.dense_task = family->dense < 0 ? row : family->dense;
    return add_point(builder, point, err) != 0 ? -1 : row;
}

/* --- tickets --- */

static struct init_spec init_of(const struct experiment_fields *fields)
{
    static const enum init_kind kinds[] = {
        [FIELD_INIT_GLOROT_NORMAL] = INIT_GLOROT_NORMAL,
        [FIELD_INIT_GLOROT_TRUNCATED] = INIT_GLOROT_TRUNCATED,
        [FIELD_INIT_KAIMING_NORMAL] = INIT_KAIMING_NORMAL,
        [FIELD_INIT_KAIMING_UNIFORM] = INIT_KAIMING_UNIFORM,
        [FIELD_INIT_NORMAL] = INIT_NORMAL,
    };
    return (struct init_spec){kinds[fields->init.name], fields->init.sigma};
}

static bool drops_units(const struct net_spec *spec)
{
    for (int32_t i = 0; i < spec->layer_count; i++)
        if (spec->layers[i].kind == LAYER_DROPOUT)
            return true;
    return false;
}

/* Everything that does not depend on level and control. */
static struct plan_task common_task(const struct plan *plan, const struct resolved *resolved)
{
    const struct experiment_fields *fields = &resolved->experiment->fields;
    const struct plan_dataset *dataset = &plan->datasets[resolved->dataset];
    bool augments = dataset->request.augment != DATA_AUGMENT_NONE;
    return (struct plan_task){
        .parent = -1,
        .root = -1,
        .network = resolved->network,
        .dataset = resolved->dataset,
        .training = resolved->training,
        .pruning = -1,
        .init = init_of(fields),
        .seed_init = fields->seed.init,
        .seed_order = fields->seed.order,
        .seed_augment = augments ? fields->seed.augment : -1,
        .seed_dropout =
            drops_units(&plan->networks[resolved->network].spec) ? fields->seed.dropout : -1,
    };
}

/* The rate of the last iteration is no other way to train when the rate is constant from k on. */
static bool rate_changes(const struct schedule_spec *schedule, int64_t from)
{
    return schedule->kind != SCHEDULE_CONSTANT || schedule->warmup > from;
}

static void set_start(const struct plan *plan, const struct resolved *resolved,
                      struct plan_task *task)
{
    enum field_rewind what = resolved->experiment->fields.rewind.what;
    const struct schedule_spec *schedule = &plan->trainings[resolved->training].schedule;
    task->start = what == FIELD_REWIND_WEIGHTS ? START_REWIND : START_PARENT_FINAL;
    task->start_iteration = resolved->rewind;
    task->fixed_rate = what == FIELD_REWIND_NONE && rate_changes(schedule, resolved->rewind);
}

/* What it has of its lineage's level-0 task. */
static void join_lineage(const struct plan *plan, const struct family *family,
                         struct plan_task *task)
{
    task->root = family->dense;
    task->init = plan->tasks[family->dense].init;
    task->seed_init = plan->tasks[family->dense].seed_init;
}

/* A ticket, or what a control has in common with it. */
static struct plan_task ticket_task(const struct builder *builder, const struct family *family,
                                    const struct resolved *resolved, int32_t level, int32_t parent)
{
    struct plan_task task = common_task(builder->plan, resolved);
    task.level = level;
    task.parent = parent;
    task.pruning = builder->rungs[resolved->ladder + level].pruning;
    join_lineage(builder->plan, family, &task);
    set_start(builder->plan, resolved, &task);
    return task;
}

/* --- controls --- */

/* At level 0 reinit and `same` (with `set`) are other dense runs; fork goes on from the dense run's
 * W_k. */
static struct plan_task dense_control_task(const struct builder *builder,
                                           const struct family *family,
                                           const struct resolved *resolved, enum control_kind kind)
{
    struct plan_task task = common_task(builder->plan, resolved);
    if (kind == CONTROL_FORK) {
        task.parent = family->dense;
        join_lineage(builder->plan, family, &task);
        task.start = START_REWIND;
        task.start_iteration = resolved->rewind;
    }
    return task;
}

static void divert(struct plan_task *task, const struct resolved *resolved, enum control_kind kind,
                   int32_t draw)
{
    task->control = kind;
    task->draw = kind == CONTROL_SAME ? 0 : draw;
    if (kind == CONTROL_REINIT) {
        task->start = START_INIT;
        task->diverts_init = true;
    }
    if (kind == CONTROL_REINIT || kind == CONTROL_RANDOM_MASK)
        task->seed_init = resolved->experiment->fields.seed.init;
}

static int add_control(struct builder *builder, const struct family *family, int32_t index,
                       int32_t level, int32_t parent, struct error *err)
{
    const struct sibling *sibling = &family->controls[index];
    enum control_kind kind = sibling->control->kind;
    for (int32_t draw = 1; draw <= sibling->control->draws; draw++) {
        struct plan_task task =
            level == 0 ? dense_control_task(builder, family, &sibling->resolved, kind)
                       : ticket_task(builder, family, &sibling->resolved, level, parent);
        divert(&task, &sibling->resolved, kind, draw);
        struct plan_point point = {.control_index = index, .control = kind, .draw = draw};
        if (add_task(builder, family, &sibling->resolved, &task, point, err) < 0)
            return -1;
    }
    return 0;
}

/* --- experiments --- */

/* The rewind point belongs to the lineage: its level-0 task keeps it. */
static int want_rewind_snapshot(struct builder *builder, const struct family *family,
                                struct error *err)
{
    const struct resolved *own = &family->own;
    if ((own->experiment->snapshots & SNAPSHOT_REWIND) == 0)
        return 0;
    if (own->rewind > 0)
        return slots_want_rewind(builder, own->experiment, family->dense, own->rewind, err);
    builder->wants[family->dense].init = true;
    return 0;
}

static int add_level(struct builder *builder, struct family *family, int32_t level, int32_t *ticket,
                     struct error *err)
{
    int32_t parent = *ticket;
    struct plan_task task = level == 0 ? common_task(builder->plan, &family->own)
                                       : ticket_task(builder, family, &family->own, level, parent);
    struct plan_point point = {.control_index = -1};
    int32_t row = add_task(builder, family, &family->own, &task, point, err);
    if (row < 0)
        return -1;
    if (level == 0)
        family->dense = row;
    for (int32_t i = 0; i < family->control_count; i++)
        if (family->controls[i].at_level[level] &&
            add_control(builder, family, i, level, parent, err) != 0)
            return -1;
    if (level == 0 || family->own.experiment->fields.prune.schedule == FIELD_ITERATIVE)
        *ticket = row;
    return 0;
}

int dag_add_experiment(struct builder *builder, int32_t experiment, struct error *err)
{
    struct family family;
    int32_t ticket = -1; /* the parent of the next level */
    int status = family_init(&family, builder, experiment, err);
    for (int32_t level = 0; status == 0 && level <= family.own.levels; level++)
        status = add_level(builder, &family, level, &ticket, err);
    if (status == 0)
        status = want_rewind_snapshot(builder, &family, err);
    family_finish(&family);
    return status;
}
