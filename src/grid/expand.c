/* Owns the expansion: blocks in order; within a block the product of its factors, the first varying
 * slowest. All values were checked when they were read, so a point costs a copy of its base
 * (defaults, recipe and fields, merged once for each recipe) and of its axes' values. The number of
 * points is known before the first is made. */
#include "expand.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "experiments.h"
#include "layers.h"
#include "recipes.h"
#include "resolve.h"

/* Experiments by their fields: open addressing, -1 = free. */
struct distinct {
    int32_t *slots;
    size_t mask;
};

/* A point of a block but for its axes' values. */
struct base {
    const char *recipe;
    struct layers layers;
    /* Set by their own paths, in any layer or by an axis: shorthand axes that yield leave them
     * alone. */
    bool exact[GRID_FIELD_MAX];
};

struct base_list {
    struct base *items;
    size_t count, capacity;
};

struct block {
    const struct reader *reader;
    const struct scope *top;
    struct scope *scope;
    struct factor_list factors;
    size_t points;
    const char *recipe; /* where it is no axis */
    struct base_list bases;
};

/* --- counting --- */

static int count_points(struct block *block, size_t *total)
{
    size_t points = 1;
    for (size_t i = 0; i < block->factors.count; i++)
        if (__builtin_mul_overflow(points, block->factors.items[i].length, &points))
            points = SIZE_MAX;
    if (__builtin_add_overflow(*total, points, total) || points == SIZE_MAX ||
        *total > GRID_MAX_EXPERIMENTS)
        return reader_fail(block->reader, block->scope->mark, NULL,
                           "more than %d experiments; give fewer values to the axes",
                           GRID_MAX_EXPERIMENTS);
    block->points = points;
    return 0;
}

/* --- bases --- */

static int read_recipe(const struct reader *reader, const char *name, struct settings *settings)
{
    const char *text = recipe_text(name);
    if (text == NULL) /* none */
        return 0;
    struct reader recipe = *reader;
    recipe.file = name;
    recipe.builtin = true;
    const struct node *map = tree_read(&recipe, text, strlen(text));
    return map != NULL ? settings_read(&recipe, "", map, settings) : -1;
}

static void find_exact(const struct factor_list *factors, struct base *base)
{
    memcpy(base->exact, base->layers.exact, sizeof base->exact);
    for (size_t i = 0; i < factors->count; i++)
        for (size_t j = 0; j < factors->items[i].axis_count; j++) {
            const struct target *target = &factors->items[i].axes[j].target;
            if (!target->shorthand)
                base->exact[target->fields[0]] = true;
        }
}

static struct base *add_base(struct block *block, const char *recipe)
{
    const struct reader *reader = block->reader;
    struct base_list *bases = &block->bases;
    struct settings settings = {0};
    if (read_recipe(reader, recipe, &settings) != 0 ||
        arena_grow(reader->arena, &bases->items, &bases->capacity, bases->count + 1,
                   sizeof *bases->items, reader->err) != 0)
        return NULL;
    struct base *base = &bases->items[bases->count++];
    base->recipe = recipe;
    layers_start(&base->layers);
    layers_add(&base->layers, &settings, LAYER_RECIPE);
    layers_add(&base->layers, &block->top->settings, LAYER_FILE);
    if (block->scope != block->top)
        layers_add(&base->layers, &block->scope->settings, LAYER_BLOCK);
    find_exact(&block->factors, base);
    return base;
}

static const struct base *base_of(struct block *block, const char *recipe)
{
    for (size_t i = 0; i < block->bases.count; i++)
        if (strcmp(block->bases.items[i].recipe, recipe) == 0)
            return &block->bases.items[i];
    return add_base(block, recipe);
}

static const char *recipe_of(const struct settings *settings, const char *otherwise)
{
    int field = field_find("recipe");
    for (size_t i = 0; i < settings->count; i++)
        if (settings->items[i].field == field)
            return settings->items[i].text;
    return otherwise;
}

/* --- a point --- */

/* The recipe of point `at` (an index into each factor). */
static const char *point_recipe(const struct block *block, const size_t *at)
{
    for (size_t i = 0; i < block->factors.count; i++)
        for (size_t j = 0; j < block->factors.items[i].axis_count; j++) {
            const struct axis *axis = &block->factors.items[i].axes[j];
            if (strcmp(axis->target.as.path, "recipe") == 0)
                return (const char *)axis_value(axis, at[i]);
        }
    return block->recipe;
}

static void apply_axis(const struct base *base, const struct axis *axis, size_t index,
                       struct layers *layers)
{
    const struct target *target = &axis->target;
    for (int i = 0; i < target->count; i++) {
        int field = target->fields[i];
        bool by_axis = layers->origin[field] == LAYER_AXIS && layers->exact[field];
        if (target->shorthand && (by_axis || (target->yields && base->exact[field])))
            continue;
        layers_set(layers, field, axis_value(axis, index), axis->values.marks[index], LAYER_AXIS);
        layers->exact[field] = !target->shorthand;
    }
}

/* The point with its axes' values, not yet resolved. */
static int make_point(struct block *block, const size_t *at, struct layers *layers)
{
    const struct base *base = base_of(block, point_recipe(block, at));
    if (base == NULL)
        return -1;
    *layers = base->layers;
    for (size_t i = 0; i < block->factors.count; i++)
        for (size_t j = 0; j < block->factors.items[i].axis_count; j++)
            apply_axis(base, &block->factors.items[i].axes[j], at[i], layers);
    return 0;
}

/* The next point; the last factor varies fastest. */
static void step(const struct block *block, size_t *at)
{
    for (size_t i = block->factors.count; i-- > 0;) {
        if (++at[i] < block->factors.items[i].length)
            return;
        at[i] = 0;
    }
}

/* --- keeping --- */

static bool same_experiment(const struct experiment *a, const struct experiment *b)
{
    return memcmp(&a->fields, &b->fields, sizeof a->fields) == 0 && a->snapshots == b->snapshots &&
           controls_equal(a->controls, a->control_count, b->controls, b->control_count);
}

/* Adds the experiment unless it is there already. */
static int keep_if_new(struct grid *grid, struct distinct *distinct,
                       const struct experiment *candidate, struct error *err)
{
    uint64_t slot = hash64_of(&candidate->fields, sizeof candidate->fields);
    for (;; slot++) {
        int32_t *held = &distinct->slots[slot & distinct->mask];
        if (*held < 0) {
            *held = grid->experiment_count++;
            return experiment_list_set(grid->experiments, *held, candidate, err);
        }
        struct experiment other;
        grid_experiment(grid, *held, &other);
        if (same_experiment(&other, candidate))
            return 0;
    }
}

static int create_distinct(size_t total, struct distinct *distinct, struct error *err)
{
    size_t slots = 16;
    while (slots < 2 * total)
        slots *= 2;
    distinct->mask = slots - 1;
    distinct->slots = mem_zeroed(slots, sizeof *distinct->slots, err);
    if (distinct->slots == NULL)
        return -1;
    memset(distinct->slots, -1, slots * sizeof *distinct->slots);
    return 0;
}

/* The grid's own copy of the block's controls. */
static const struct control *keep_controls(struct grid *grid, const struct control_list *controls,
                                           struct error *err)
{
    struct control *copy = mem_zeroed((size_t)controls->count, sizeof *copy, err);
    if (copy != NULL && controls->count > 0)
        memcpy(copy, controls->items, (size_t)controls->count * sizeof *copy);
    if (copy != NULL)
        grid->controls[grid->control_list_count++] = copy;
    return copy;
}

/* --- blocks --- */

static int prepare_block(struct block *block, size_t *total)
{
    const struct scope *scope = block->scope;
    if (factors_join(block->reader, &scope->axes, &scope->zip, &block->factors) != 0)
        return -1;
    block->recipe = recipe_of(&scope->settings, recipe_of(&block->top->settings, "none"));
    return count_points(block, total);
}

/* Keeps the point unless it is excluded or there already. */
static int add_point(const struct block *block, struct layers *layers,
                     const struct control *controls, struct grid *grid, struct distinct *distinct)
{
    const struct scope *scope = block->scope;
    if (scope->exclusions != NULL &&
        exclude_matches(scope->exclusions, &layers->fields, layers->exact))
        return 0;
    if (layers_resolve(block->reader, layers) != 0)
        return -1;
    struct experiment experiment;
    memset(&experiment, 0, sizeof experiment);
    memcpy(&experiment.fields, &layers->fields, sizeof layers->fields);
    memcpy(experiment.marks, layers->marks, sizeof layers->marks);
    experiment.controls = controls;
    experiment.control_count = scope->controls.count;
    experiment.snapshots = scope->snapshots;
    return keep_if_new(grid, distinct, &experiment, block->reader->err);
}

static int expand_block(struct block *block, struct grid *grid, struct distinct *distinct)
{
    size_t *at = reader_zeroed(block->reader, block->factors.count, sizeof *at);
    const struct control *controls =
        keep_controls(grid, &block->scope->controls, block->reader->err);
    if (at == NULL || controls == NULL)
        return -1;
    for (size_t point = 0; point < block->points; point++, step(block, at)) {
        struct layers layers;
        if (make_point(block, at, &layers) != 0 ||
            add_point(block, &layers, controls, grid, distinct) != 0)
            return -1;
    }
    return 0;
}

static int check_exclusions(const struct reader *reader, const struct scope *top,
                            const struct scope *blocks, size_t count)
{
    if (top->exclusions != NULL && exclude_check(reader, top->exclusions) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (blocks[i].exclusions != NULL && exclude_check(reader, blocks[i].exclusions) != 0)
            return -1;
    return 0;
}

static int expand_all(const struct reader *reader, struct block *blocks, size_t count, size_t total,
                      struct grid *grid)
{
    struct distinct distinct = {0};
    grid->experiments = experiment_list_create(total, reader->err);
    grid->controls = mem_zeroed(count, sizeof *grid->controls, reader->err);
    if (grid->experiments == NULL || grid->controls == NULL ||
        create_distinct(total, &distinct, reader->err) != 0)
        return -1;
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = expand_block(&blocks[i], grid, &distinct);
    free(distinct.slots);
    return status;
}

/* Each block excludes all it has; the first is pointed at. */
static int refuse_emptiness(const struct reader *reader, const struct scope *blocks, size_t total)
{
    struct mark mark = blocks[0].exclusions->mark;
    if (total == 1)
        return reader_fail(reader, mark, "exclude",
                           "drops the grid's only experiment; remove the entry, or give axes");
    return reader_fail(reader, mark, "exclude", "drops all %zu experiments; exclude less", total);
}

int expand(const struct reader *reader, const struct scope *top, struct scope *scopes, size_t count,
           struct grid *grid)
{
    struct block *blocks = reader_zeroed(reader, count, sizeof *blocks);
    if (blocks == NULL)
        return -1;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        blocks[i] = (struct block){.reader = reader, .top = top, .scope = &scopes[i]};
        if (prepare_block(&blocks[i], &total) != 0)
            return -1;
    }
    if (expand_all(reader, blocks, count, total, grid) != 0 ||
        check_exclusions(reader, top, scopes, count) != 0)
        return -1;
    if (grid->experiment_count == 0)
        return refuse_emptiness(reader, scopes, total);
    return 0;
}
