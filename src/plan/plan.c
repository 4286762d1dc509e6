/* A plan from its making to its end: every experiment in order, then what follows from the whole,
 * and the hash that tells whether a store was laid out for this plan. */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "builder.h"
#include "part.h"

/* --- hash --- */

static void hash_integers(struct hash_stream *stream, const int64_t *numbers, size_t count)
{
    hash_stream_add(stream, numbers, count * sizeof *numbers);
}

static void hash_network(struct hash_stream *stream, const struct plan_network *network,
                         const struct text *layers)
{
    hash_stream_add(stream, layers->bytes, layers->length);
    hash_stream_add(stream, network->label, strlen(network->label) + 1);
    const int64_t slots[] = {
        network->mask_slots,       network->init_slots,  network->rewind_slots, network->at_slots,
        network->early_stop_slots, network->final_slots, network->rewind_count, network->at_count};
    hash_integers(stream, slots, sizeof slots / sizeof *slots);
    hash_integers(stream, network->rewinds, (size_t)network->rewind_count);
    hash_integers(stream, network->ats, (size_t)network->at_count);
}

static void hash_task(struct hash_stream *stream, const struct plan_task *task)
{
    const int64_t numbers[] = {
        task->parent,      task->root,       task->level,           task->network,
        task->control,     task->mask_slot,  task->init_slot,       task->rewind_slot,
        task->at_slot,     task->final_slot, task->early_stop_slot, task->writes_init,
        task->rewind_set,  task->at_set,     task->test_curve,      task->curve_offset,
        task->curve_count,
    };
    hash_stream_add(stream, task->key.bytes, sizeof task->key.bytes);
    hash_integers(stream, numbers, sizeof numbers / sizeof *numbers);
}

static void hash_point(struct hash_stream *stream, const struct plan_point *point)
{
    const int64_t numbers[] = {point->experiment, point->level, point->control_index,
                               point->control,    point->draw,  point->task,
                               point->dense_task};
    hash_integers(stream, numbers, sizeof numbers / sizeof *numbers);
}

/* The table of experiments shows every field but where the data were found. */
static void hash_experiment(struct hash_stream *stream, const struct grid *grid, int32_t number)
{
    struct experiment experiment;
    struct experiment_fields *fields = &experiment.fields;
    grid_experiment(grid, number, &experiment);
    memset(fields->dataset.folder, 0, sizeof fields->dataset.folder);
    hash_stream_add(stream, fields, sizeof *fields);
}

static int hash_plan(const struct builder *builder, struct error *err)
{
    struct plan *plan = builder->plan;
    struct hash_stream *stream = hash_stream_create(err);
    if (stream == NULL)
        return -1;
    const int64_t counts[] = {plan->network_count, plan->task_count, plan->point_count,
                              plan->grid->experiment_count};
    hash_integers(stream, counts, sizeof counts / sizeof *counts);
    for (int32_t i = 0; i < plan->network_count; i++)
        hash_network(stream, &plan->networks[i], &builder->networks.texts[i]);
    for (int32_t i = 0; i < plan->task_count; i++)
        hash_task(stream, &plan->tasks[i]);
    for (int32_t i = 0; i < plan->point_count; i++)
        hash_point(stream, &plan->points[i]);
    for (int32_t i = 0; i < plan->grid->experiment_count; i++)
        hash_experiment(stream, plan->grid, i);
    hash128_hex(hash_stream_digest128(stream), plan->hash);
    hash_stream_destroy(stream);
    return 0;
}

/* --- making --- */

static int build(struct builder *builder, struct error *err)
{
    for (int32_t i = 0; i < builder->grid->experiment_count; i++)
        if (dag_add_experiment(builder, i, err) != 0)
            return -1;
    if (slots_assign(builder, err) != 0)
        return -1;
    cost_assign(builder);
    return hash_plan(builder, err);
}

static void finish_builder(struct builder *builder)
{
    const struct plan *plan = builder->plan;
    shelf_finish(&builder->networks, plan->network_count);
    shelf_finish(&builder->datasets, plan->dataset_count);
    shelf_finish(&builder->trainings, plan->training_count);
    shelf_finish(&builder->prunings, plan->pruning_count);
    index_map_finish(&builder->network_by_fields);
    index_map_finish(&builder->dataset_by_request);
    index_map_finish(&builder->dataset_by_data);
    index_map_finish(&builder->training_by_fields);
    index_map_finish(&builder->ladder_by_fields);
    index_map_finish(&builder->task_by_key);
    free(builder->rungs);
    free(builder->wants);
    text_finish(&builder->key_text);
}

static struct plan *create(const struct grid *grid, const char *data_folder, struct error *err)
{
    struct plan *plan = mem_zeroed(1, sizeof *plan, err);
    if (plan == NULL)
        return NULL;
    plan->grid = grid;
    struct builder builder = {.plan = plan, .grid = grid, .data_folder = data_folder};
    if (builder.data_folder == NULL)
        builder.data_folder = getenv("SWEEPSTAKE_DATA");
    int status = build(&builder, err);
    finish_builder(&builder);
    if (status == 0)
        return plan;
    plan_destroy(plan);
    return NULL;
}

static int cut_grid(struct grid *grid, const struct plan_options *options, struct error *err)
{
    struct plan *whole = create(grid, options->data_folder, err);
    bool *keep = mem_zeroed((size_t)grid->experiment_count, sizeof *keep, err);
    int failed = whole == NULL || keep == NULL || part_choose(whole, options->part, keep, err) != 0;
    plan_destroy(whole);
    if (!failed)
        grid_keep(grid, keep);
    free(keep);
    return failed ? -1 : 0;
}

struct plan *plan_create(struct grid *grid, const struct plan_options *options, struct error *err)
{
    if (options->part.count > 1 && cut_grid(grid, options, err) != 0)
        return NULL;
    return create(grid, options->data_folder, err);
}

void plan_destroy(struct plan *plan)
{
    if (plan == NULL)
        return;
    free(plan->networks);
    free(plan->datasets);
    free(plan->trainings);
    free(plan->prunings);
    free(plan->tasks);
    free(plan->points);
    free(plan);
}
