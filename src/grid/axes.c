/* Owns axes and zip groups as they are read. Values are checked here, so that expansion only
 * copies. */
#include "axes.h"

#include <string.h>

#include "base/text.h"
#include "grid/grid.h"
#include "value.h"

int axis_target(const struct reader *reader, const struct scalar *path, struct target *target)
{
    if (!target_find(path->text, target))
        return target_fail_unknown(reader, path->mark, path->text);
    if (!field_is_scalar(&target->as))
        return reader_fail(reader, path->mark, path->text,
                           "a list; only fields with a single value can be used here");
    return 0;
}

const unsigned char *axis_value(const struct axis *axis, size_t index)
{
    return axis->values.bytes + index * axis->target.as.size;
}

int values_read(const struct reader *reader, const struct target *target, const struct node *node,
                struct values *values)
{
    const struct field *as = &target->as;
    struct scalars scalars;
    bool numbers = as->type != FIELD_TEXT && as->type != FIELD_CHOICE;
    if (scalars_read(reader, as->path, node, numbers, GRID_MAX_EXPERIMENTS, &scalars) != 0)
        return -1;
    if (scalars.count == 0)
        return reader_fail(reader, node->mark, as->path, "has no values; give at least one");
    unsigned char *bytes = reader_zeroed(reader, scalars.count, as->size);
    struct mark *marks = reader_zeroed(reader, scalars.count, sizeof *marks);
    if (bytes == NULL || marks == NULL)
        return -1;
    for (size_t i = 0; i < scalars.count; i++) {
        marks[i] = scalars.items[i].mark;
        if (value_read(reader, as, &scalars.items[i], bytes + i * as->size) != 0)
            return -1;
    }
    *values = (struct values){scalars.count, bytes, marks};
    return 0;
}

static int read_axis(const struct reader *reader, const struct scalar *path,
                     const struct node *node, struct axis *axis)
{
    *axis = (struct axis){.mark = path->mark};
    if (axis_target(reader, path, &axis->target) != 0)
        return -1;
    return values_read(reader, &axis->target, node, &axis->values);
}

static struct axis *find_axis(const struct axis_list *axes, const char *path)
{
    for (size_t i = 0; i < axes->count; i++)
        if (strcmp(axes->items[i].target.as.path, path) == 0)
            return &axes->items[i];
    return NULL;
}

int axes_read(const struct reader *reader, const struct node *node, struct axis_list *axes)
{
    if (node->kind != NODE_MAP)
        return reader_fail(reader, node->mark, "axes", "%s; give a map, as in {seed: 1..5}",
                           node_kind_name(node));
    for (size_t i = 0; i < node->count; i++) {
        struct axis axis;
        if (read_axis(reader, &node->keys[i], node->items[i], &axis) != 0)
            return -1;
        struct axis *same = find_axis(axes, axis.target.as.path);
        if (same == NULL && arena_grow(reader->arena, &axes->items, &axes->capacity,
                                       axes->count + 1, sizeof *axes->items, reader->err) != 0)
            return -1;
        if (same == NULL)
            same = &axes->items[axes->count++];
        *same = axis;
    }
    return 0;
}

/* --- zip --- */

static int read_group(const struct reader *reader, const struct node *map, struct factor *group)
{
    if (map->kind != NODE_MAP || map->count == 0)
        return reader_fail(reader, map->mark, "zip",
                           "%s; a group is a map of paths whose values move together",
                           map->kind == NODE_MAP ? "an empty map" : node_kind_name(map));
    struct axis *axes = reader_zeroed(reader, map->count, sizeof *axes);
    if (axes == NULL)
        return -1;
    for (size_t i = 0; i < map->count; i++) {
        if (read_axis(reader, &map->keys[i], map->items[i], &axes[i]) != 0)
            return -1;
        if (axes[i].values.count != axes[0].values.count)
            return reader_fail(reader, map->items[i]->mark, axes[i].target.as.path,
                               "has %zu values and %s has %zu; a zip group needs equally many",
                               axes[i].values.count, axes[0].target.as.path, axes[0].values.count);
    }
    *group = (struct factor){axes, map->count, axes[0].values.count};
    return 0;
}

static int add_factor(const struct reader *reader, struct factor_list *list,
                      const struct factor *factor)
{
    if (arena_grow(reader->arena, &list->items, &list->capacity, list->count + 1,
                   sizeof *list->items, reader->err) != 0)
        return -1;
    list->items[list->count++] = *factor;
    return 0;
}

int zip_read(const struct reader *reader, const struct node *node, struct factor_list *groups)
{
    if (node->kind != NODE_LIST)
        return reader_fail(reader, node->mark, "zip",
                           "%s; give a list of groups, as in [{a: [1, 2], b: [3, 4]}]",
                           node_kind_name(node));
    for (size_t i = 0; i < node->count; i++) {
        struct factor group;
        if (read_group(reader, node->items[i], &group) != 0 ||
            add_factor(reader, groups, &group) != 0)
            return -1;
    }
    return 0;
}

/* --- both --- */

static const struct axis *find_in_factors(const struct factor_list *factors, const char *path)
{
    for (size_t i = 0; i < factors->count; i++)
        for (size_t j = 0; j < factors->items[i].axis_count; j++)
            if (strcmp(factors->items[i].axes[j].target.as.path, path) == 0)
                return &factors->items[i].axes[j];
    return NULL;
}

/* A zip group's paths must not be in the factors before it. */
static int check_group(const struct reader *reader, const struct factor *group,
                       const struct factor_list *before)
{
    for (size_t i = 0; i < group->axis_count; i++) {
        const struct axis *axis = &group->axes[i];
        const struct axis *other = find_in_factors(before, axis->target.as.path);
        if (other != NULL)
            return reader_fail(reader, axis->mark, axis->target.as.path,
                               "is an axis at line %u already; keep it in one place",
                               other->mark.line);
    }
    return 0;
}

int factors_join(const struct reader *reader, const struct axis_list *axes,
                 const struct factor_list *groups, struct factor_list *factors)
{
    for (size_t i = 0; i < axes->count; i++) {
        const struct factor factor = {&axes->items[i], 1, axes->items[i].values.count};
        if (add_factor(reader, factors, &factor) != 0)
            return -1;
    }
    for (size_t i = 0; i < groups->count; i++)
        if (check_group(reader, &groups->items[i], factors) != 0 ||
            add_factor(reader, factors, &groups->items[i]) != 0)
            return -1;
    return 0;
}
