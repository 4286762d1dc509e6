/* /experiments: a row an experiment, a column for every field of the grid, named by its dotted
 * path. Lengths of training are in iterations, whatever the grid said; lists are text. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "filler.h"
#include "layout.h"

struct experiments {
    const struct plan *plan;
    int64_t *epochs; /* [experiments]: iterations an epoch has */
    size_t *widths;  /* [fields]: of the texts */
    struct text text;
};

static const void *value_of(const struct field *field, const struct experiment *experiment)
{
    return (const char *)&experiment->fields + field->offset;
}

static bool same_value(const struct field *field, const struct experiment *a,
                       const struct experiment *b)
{
    return memcmp(value_of(field, a), value_of(field, b), field->size) == 0;
}

/* --- epochs: the dataset of an experiment is that of its dense task --- */

static int find_epochs(struct experiments *all, struct error *err)
{
    const struct plan *plan = all->plan;
    all->epochs = mem_zeroed((size_t)plan->grid->experiment_count, sizeof *all->epochs, err);
    if (all->epochs == NULL)
        return -1;
    for (int32_t i = 0; i < plan->point_count; i++) {
        const struct plan_point *point = &plan->points[i];
        const struct plan_task *dense = &plan->tasks[point->dense_task];
        all->epochs[point->experiment] =
            plan->datasets[dense->dataset].info.train / plan->trainings[dense->training].batch;
    }
    return 0;
}

static int64_t iterations_of(const struct steps *steps, int64_t epoch)
{
    return steps->in_epochs ? steps->count * epoch : steps->count;
}

/* --- texts --- */

static const char *text_of(struct experiments *all, const struct field *field,
                           const struct experiment *experiment)
{
    all->text.length = 0;
    text_add(&all->text, "%s", "");
    field_value_text(field, &experiment->fields, &all->text);
    return all->text.bytes != NULL ? all->text.bytes : "";
}

static bool is_text(const struct field *field)
{
    return field->type == FIELD_TEXT || field->type == FIELD_CHOICE ||
           field->type == FIELD_STEPS_LIST || field->type == FIELD_REAL_LIST;
}

/* `before`: the experiment before, or NULL. Most texts are the same there. */
static void widen(struct experiments *all, const struct experiment *experiment,
                  const struct experiment *before)
{
    for (int number = 0; number < field_count(); number++) {
        const struct field *field = field_at(number);
        if (!is_text(field) || (before != NULL && same_value(field, experiment, before)))
            continue;
        size_t length = strlen(text_of(all, field, experiment));
        if (all->widths[number] < length)
            all->widths[number] = length;
    }
}

static int find_widths(struct experiments *all, struct error *err)
{
    const struct grid *grid = all->plan->grid;
    struct experiment rooms[2];
    all->widths = mem_zeroed((size_t)field_count(), sizeof *all->widths, err);
    if (all->widths == NULL)
        return -1;
    for (int number = 0; number < field_count(); number++)
        all->widths[number] = 1; /* a text of no width is no type */
    for (int32_t i = 0; i < grid->experiment_count; i++) {
        struct experiment *experiment = &rooms[i % 2];
        grid_experiment(grid, i, experiment);
        widen(all, experiment, i > 0 ? &rooms[(i + 1) % 2] : NULL);
    }
    return all->text.failed ? error_set(err, ERROR_RESOURCE, "not enough memory for /experiments")
                            : 0;
}

/* --- rows --- */

static void fill_field(struct filler *filler, struct experiments *all, int number,
                       const struct experiment *experiment, int64_t epoch)
{
    const struct field *field = field_at(number);
    const void *value = value_of(field, experiment);
    switch (field->type) {
    case FIELD_INTEGER:
    case FIELD_EXAMPLES:
    case FIELD_PRUNE_AT:
        fill_integer(filler, field->path, STORE_INT64, *(const int64_t *)value);
        break;
    case FIELD_REAL:
    case FIELD_OUTPUT_RATE:
        fill_real(filler, field->path, *(const double *)value);
        break;
    case FIELD_BOOLEAN:
        fill_integer(filler, field->path, STORE_INT8, *(const bool *)value);
        break;
    case FIELD_STEPS:
        fill_integer(filler, field->path, STORE_INT64, iterations_of(value, epoch));
        break;
    case FIELD_TEXT:
    case FIELD_CHOICE:
    case FIELD_STEPS_LIST:
    case FIELD_REAL_LIST:
        fill_text(filler, field->path, all->widths[number], text_of(all, field, experiment));
        break;
    }
}

static void fill_experiment(struct filler *filler, const void *user)
{
    struct experiments *all = *(struct experiments *const *)user;
    int64_t row = filler->row == FILLER_DEFINES ? 0 : filler->row;
    struct experiment experiment;
    grid_experiment(all->plan->grid, (int32_t)row, &experiment);
    for (int number = 0; number < field_count(); number++)
        fill_field(filler, all, number, &experiment, all->epochs[row]);
    fill_integer(filler, "orphan", STORE_INT8, 0);
}

int layout_experiments(const struct plan *plan, layout_filler *fill, struct store_table *table,
                       struct error *err)
{
    struct experiments all = {.plan = plan}, *user = &all;
    int failed = find_epochs(&all, err) != 0 || find_widths(&all, err) != 0 ||
                 fill(table, plan->grid->experiment_count, fill_experiment, &user, err) != 0;
    free(all.epochs);
    free(all.widths);
    text_finish(&all.text);
    return failed ? -1 : 0;
}
