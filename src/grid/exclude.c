/* Owns exclusions: reading them, matching, and the check that each of them did something. */
#include "exclude.h"

#include <string.h>

#include "value.h"

/* A condition's values: a list or range as for an axis, or one scalar. */
static int read_values(const struct reader *reader, const struct target *target,
                       const struct node *node, struct values *values)
{
    if (node->kind == NODE_LIST || (node->kind == NODE_SCALAR && scalar_is_range(&node->scalar)))
        return values_read(reader, target, node, values);
    unsigned char *bytes = reader_zeroed(reader, 1, target->as.size);
    if (bytes == NULL || field_read(reader, &target->as, node, bytes) != 0)
        return -1;
    *values = (struct values){1, bytes, &node->mark};
    return 0;
}

static int read_exclusion(const struct reader *reader, const struct node *map,
                          struct exclusion *exclusion)
{
    if (map->kind != NODE_MAP || map->count == 0)
        return reader_fail(reader, map->mark, "exclude",
                           "%s; an entry is a map, as in {prune.rate.fc: 0.4, seed: 5}",
                           map->kind == NODE_MAP ? "an empty map" : node_kind_name(map));
    exclusion->mark = map->mark;
    exclusion->count = map->count;
    exclusion->conditions = reader_zeroed(reader, map->count, sizeof *exclusion->conditions);
    if (exclusion->conditions == NULL)
        return -1;
    for (size_t i = 0; i < map->count; i++) {
        struct condition *condition = &exclusion->conditions[i];
        if (axis_target(reader, &map->keys[i], &condition->target) != 0 ||
            read_values(reader, &condition->target, map->items[i], &condition->values) != 0)
            return -1;
    }
    return 0;
}

int exclude_read(const struct reader *reader, const struct node *node,
                 struct exclusion_list *exclusions)
{
    if (node->kind != NODE_LIST)
        return reader_fail(reader, node->mark, "exclude", "%s; give a list of maps",
                           node_kind_name(node));
    exclusions->items = reader_zeroed(reader, node->count, sizeof *exclusions->items);
    if (exclusions->items == NULL)
        return -1;
    exclusions->mark = node->mark;
    exclusions->count = node->count;
    for (size_t i = 0; i < node->count; i++)
        if (read_exclusion(reader, node->items[i], &exclusions->items[i]) != 0)
            return -1;
    return 0;
}

/* --- matching --- */

/* `half` is as good as its number, on both sides. */
static double output_rate(const struct experiment_fields *fields, const void *bytes)
{
    double rate;
    memcpy(&rate, bytes, sizeof rate);
    return rate == VALUE_HALF ? fields->prune.rate.fc / 2 : rate;
}

static bool field_equals(const struct experiment_fields *fields, int number,
                         const unsigned char *value)
{
    const struct field *field = field_at(number);
    const unsigned char *own = (const unsigned char *)fields + field->offset;
    if (field->type == FIELD_OUTPUT_RATE)
        return output_rate(fields, own) == output_rate(fields, value);
    return memcmp(own, value, field->size) == 0;
}

/* Do all fields that the target speaks of have this value? */
static bool target_equals(const struct target *target, const struct experiment_fields *fields,
                          const bool *exact, const unsigned char *value)
{
    bool spoken_of = false;
    for (int i = 0; i < target->count; i++) {
        if (target->yields && exact[target->fields[i]])
            continue;
        if (!field_equals(fields, target->fields[i], value))
            return false;
        spoken_of = true;
    }
    return spoken_of;
}

static bool condition_holds(const struct condition *condition,
                            const struct experiment_fields *fields, const bool *exact)
{
    for (size_t i = 0; i < condition->values.count; i++)
        if (target_equals(&condition->target, fields, exact,
                          condition->values.bytes + i * condition->target.as.size))
            return true;
    return false;
}

static bool exclusion_holds(const struct exclusion *exclusion,
                            const struct experiment_fields *fields, const bool *exact)
{
    for (size_t i = 0; i < exclusion->count; i++)
        if (!condition_holds(&exclusion->conditions[i], fields, exact))
            return false;
    return true;
}

bool exclude_matches(struct exclusion_list *exclusions, const struct experiment_fields *fields,
                     const bool *exact)
{
    bool matches = false;
    for (size_t i = 0; i < exclusions->count; i++) {
        if (exclusion_holds(&exclusions->items[i], fields, exact)) {
            exclusions->items[i].matched = true;
            matches = true;
        }
    }
    return matches;
}

int exclude_check(const struct reader *reader, const struct exclusion_list *exclusions)
{
    for (size_t i = 0; i < exclusions->count; i++)
        if (!exclusions->items[i].matched)
            return reader_fail(reader, exclusions->items[i].mark, "exclude",
                               "matches no experiment; correct its values or remove it");
    return 0;
}
