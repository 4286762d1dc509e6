/* An experiment with its controls: resolved, and each control put at the levels it is for. */
#include "family.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"

/* Puts the control's place before the sentence that is in `err`. */
static int at_control(const struct builder *builder, const struct control *control,
                      struct error *err)
{
    return error_prefix(err, "%s:%" PRIu32 ":%" PRIu32 ": controls", builder->grid->file,
                        control->mark.line, control->mark.column);
}

static int check_dense(const struct control *control, int32_t last, struct error *err)
{
    bool changes_nothing = control->kind == CONTROL_SAME && control->set_count == 0;
    if (control->kind == CONTROL_RANDOM_MASK || changes_nothing)
        return error_set(err, ERROR_USAGE,
                         "%s at level 0 would repeat the dense run; use levels from 1 to %" PRId32,
                         control_kind_name(control->kind), last);
    return 0;
}

/* Levels that this experiment does not have are for others that share the control. */
static int mark_levels(const struct control *control, int32_t last, struct sibling *sibling,
                       struct error *err)
{
    int32_t marked = 0;
    for (int32_t i = 0; i < control->level_count; i++) {
        int32_t level = control->levels[i];
        if (level == 0 && check_dense(control, last, err) != 0)
            return -1;
        if (level > last)
            continue;
        sibling->at_level[level] = true;
        marked++;
    }
    if (marked == 0)
        return error_set(err, ERROR_USAGE,
                         "none of the levels asked for %s is there; the experiment's last level is "
                         "%" PRId32 " (prune.rounds)",
                         control_kind_name(control->kind), last);
    return 0;
}

static int place_control(const struct builder *builder, const struct resolved *own,
                         struct sibling *sibling, struct error *err)
{
    const struct control *control = sibling->control;
    if (control->level_count >= 0)
        return mark_levels(control, own->levels, sibling, err) == 0
                   ? 0
                   : at_control(builder, control, err);
    for (int32_t level = 1; level <= own->levels; level++)
        sibling->at_level[level] = true;
    return 0;
}

int family_init(struct family *family, struct builder *builder, int32_t number, struct error *err)
{
    const struct experiment *experiment = &family->experiment;
    *family = (struct family){.number = number, .dense = -1};
    grid_experiment(builder->grid, number, &family->experiment);
    if (resolve_experiment(builder, experiment, &family->own, err) != 0)
        return -1;
    family->controls = mem_zeroed((size_t)experiment->control_count, sizeof *family->controls, err);
    if (family->controls == NULL)
        return -1;
    family->control_count = experiment->control_count;
    for (int32_t i = 0; i < family->control_count; i++) {
        struct sibling *sibling = &family->controls[i];
        sibling->control = &experiment->controls[i];
        if (resolve_control(builder, &family->own, sibling->control, &sibling->changed,
                            &sibling->resolved, err) != 0 ||
            place_control(builder, &family->own, sibling, err) != 0)
            return -1;
    }
    return 0;
}

void family_finish(struct family *family)
{
    free(family->controls);
}
