/* Owns the sections that the top level and a block have in common, and how a block inherits. */
#include "scope.h"

#include <string.h>

#include "value.h"

/* In the order of enum snapshot's bits. */
static const char *const snapshot_names[] = {"init", "rewind", "early-stop", "final", NULL};
static const struct field snapshot_field = {
    .path = "snapshots", .type = FIELD_CHOICE, .size = sizeof(int), .choices = snapshot_names};

static int read_axes(const struct reader *reader, const struct node *node, struct scope *scope)
{
    return axes_read(reader, node, &scope->axes);
}

static int read_zip(const struct reader *reader, const struct node *node, struct scope *scope)
{
    scope->has_zip = true;
    return zip_read(reader, node, &scope->zip);
}

static int read_exclude(const struct reader *reader, const struct node *node, struct scope *scope)
{
    scope->exclusions = reader_zeroed(reader, 1, sizeof *scope->exclusions);
    return scope->exclusions != NULL ? exclude_read(reader, node, scope->exclusions) : -1;
}

static int read_controls(const struct reader *reader, const struct node *node, struct scope *scope)
{
    scope->has_controls = true;
    return controls_read(reader, node, &scope->controls);
}

static int read_snapshots(const struct reader *reader, const struct node *node, struct scope *scope)
{
    struct scalars names;
    if (scalars_read(reader, snapshot_field.path, node, false, 16, &names) != 0)
        return -1;
    scope->has_snapshots = true;
    scope->snapshots = 0;
    for (size_t i = 0; i < names.count; i++) {
        int choice;
        if (value_read(reader, &snapshot_field, &names.items[i], &choice) != 0)
            return -1;
        scope->snapshots |= 1u << choice;
    }
    return 0;
}

static const struct {
    const char *key;
    int (*read)(const struct reader *reader, const struct node *node, struct scope *scope);
} sections[] = {{"axes", read_axes},
                {"zip", read_zip},
                {"exclude", read_exclude},
                {"controls", read_controls},
                {"snapshots", read_snapshots}};
#define SECTIONS (sizeof sections / sizeof *sections)
#define MOST_ELSEWHERE 8

static bool contains(const char *const *words, const char *word)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

/* Keys that are no fields, for messages. */
static void list_keys(const char *const *elsewhere, const char **keys)
{
    for (size_t i = 0; i < SECTIONS; i++)
        *keys++ = sections[i].key;
    for (; *elsewhere != NULL; elsewhere++)
        *keys++ = *elsewhere;
    *keys = NULL;
}

int scope_read(const struct reader *reader, const struct node *map, const char *const *elsewhere,
               struct scope *scope)
{
    const char *keys[SECTIONS + MOST_ELSEWHERE + 1];
    list_keys(elsewhere, keys);
    scope->mark = map->mark;
    for (size_t i = 0; i < map->count; i++) {
        const struct scalar *key = &map->keys[i];
        size_t section = 0;
        while (section < SECTIONS && strcmp(sections[section].key, key->text) != 0)
            section++;
        int status = 0;
        if (section < SECTIONS)
            status = sections[section].read(reader, map->items[i], scope);
        else if (!contains(elsewhere, key->text))
            status = settings_add(reader, "", key, map->items[i], keys, &scope->settings);
        if (status != 0)
            return -1;
    }
    return 0;
}

/* --- inheritance --- */

/* Does the axis leave nothing of the setting? */
static bool axis_covers(const struct axis *axis, const struct setting *setting)
{
    bool longer = setting->shorthand && !axis->target.shorthand;
    bool yields = axis->target.yields && !setting->shorthand;
    if (longer || yields)
        return false;
    for (int i = 0; i < axis->target.count; i++)
        if (axis->target.fields[i] == setting->field)
            return true;
    return false;
}

/* A field that a block sets would be without effect under an axis it inherits: say so. */
static int check_covered(const struct reader *reader, const struct axis *axis,
                         const struct settings *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *setting = &settings->items[i];
        if (axis_covers(axis, setting))
            return reader_fail(reader, setting->mark, setting->path,
                               "is an axis of all blocks (line %u), and an axis overrides a field; "
                               "give it under the block's own axes",
                               axis->mark.line);
    }
    return 0;
}

static bool has_axis(const struct axis_list *axes, const char *path)
{
    for (size_t i = 0; i < axes->count; i++)
        if (strcmp(axes->items[i].target.as.path, path) == 0)
            return true;
    return false;
}

/* The top level's axes in their order, with the block's values where it has them, then the block's
 * further ones. */
static int merge_axes(const struct reader *reader, const struct axis_list *top, struct scope *block)
{
    for (size_t i = 0; i < top->count; i++)
        if (!has_axis(&block->axes, top->items[i].target.as.path) &&
            check_covered(reader, &top->items[i], &block->settings) != 0)
            return -1;
    struct axis_list merged = {.count = top->count, .capacity = top->count + block->axes.count};
    merged.items = reader_zeroed(reader, merged.capacity, sizeof *merged.items);
    if (merged.items == NULL)
        return -1;
    for (size_t i = 0; i < top->count; i++)
        merged.items[i] = top->items[i];
    for (size_t i = 0; i < block->axes.count; i++) {
        const struct axis *own = &block->axes.items[i];
        size_t place = 0;
        while (place < merged.count &&
               strcmp(merged.items[place].target.as.path, own->target.as.path) != 0)
            place++;
        merged.items[place] = *own;
        merged.count += place == merged.count;
    }
    block->axes = merged;
    return 0;
}

static int inherit_zip(const struct reader *reader, const struct scope *top, struct scope *block)
{
    for (size_t i = 0; i < top->zip.count; i++)
        for (size_t j = 0; j < top->zip.items[i].axis_count; j++)
            if (check_covered(reader, &top->zip.items[i].axes[j], &block->settings) != 0)
                return -1;
    block->zip = top->zip;
    return 0;
}

int scope_inherit(const struct reader *reader, const struct scope *top, struct scope *block)
{
    if (merge_axes(reader, &top->axes, block) != 0)
        return -1;
    if (!block->has_zip && inherit_zip(reader, top, block) != 0)
        return -1;
    if (block->exclusions == NULL)
        block->exclusions = top->exclusions;
    if (!block->has_controls)
        block->controls = top->controls;
    if (!block->has_snapshots)
        block->snapshots = top->snapshots;
    return 0;
}
