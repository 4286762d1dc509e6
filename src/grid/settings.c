/* Owns the step from maps of fields to a flat list of checked settings. */
#include "settings.h"

#include <stdio.h>
#include <string.h>

#include "value.h"

static int check_duplicate(const struct reader *reader, const struct target *target,
                           const struct scalar *key, const struct settings *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *other = &settings->items[i];
        if (other->field == target->fields[0] && other->shorthand == target->shorthand)
            return reader_fail(reader, key->mark, target->as.path,
                               "duplicate key; it is set at line %u already", other->mark.line);
    }
    return 0;
}

static int add_target(const struct reader *reader, const struct target *target,
                      const struct scalar *key, const struct node *value, struct settings *settings)
{
    if (check_duplicate(reader, target, key, settings) != 0)
        return -1;
    void *bytes = reader_zeroed(reader, 1, target->as.size);
    if (bytes == NULL || field_read(reader, &target->as, value, bytes) != 0)
        return -1;
    if (arena_grow(reader->arena, &settings->items, &settings->capacity,
                   settings->count + (size_t)target->count, sizeof *settings->items,
                   reader->err) != 0)
        return -1;
    for (int i = 0; i < target->count; i++)
        settings->items[settings->count++] = (struct setting){
            .field = target->fields[i],
            .shorthand = target->shorthand,
            .yields = target->yields,
            .path = target->as.path,
            .mark = reader->builtin ? (struct mark){0, 0} : value->mark,
            .bytes = bytes,
            .text = value->kind == NODE_SCALAR ? value->scalar.text : NULL,
        };
    return 0;
}

static int fail_unknown(const struct reader *reader, const char *group, const char *path,
                        const struct scalar *key, const char *const *also)
{
    if (strchr(key->text, '.') != NULL)
        return target_fail_unknown(reader, key->mark, path);
    char keys[GRID_FIELD_MAX][GRID_NAME_SIZE];
    const char *known[2 * GRID_FIELD_MAX];
    size_t own = group_keys(group, keys), count = 0;
    for (; also != NULL && *also != NULL; also++)
        known[count++] = *also;
    for (size_t i = 0; i < own; i++)
        known[count++] = keys[i];
    return reader_unknown(reader, key->mark, path, key->text, known, count);
}

static int read_group(const struct reader *reader, const char *path, const struct node *value,
                      struct settings *settings)
{
    if (value->kind == NODE_MAP)
        return settings_read(reader, path, value, settings);
    char keys[GRID_FIELD_MAX][GRID_NAME_SIZE];
    group_keys(path, keys);
    return reader_fail(reader, value->mark, path, "%s; give a map, as in {%s: ...}",
                       node_kind_name(value), keys[0]);
}

int settings_add(const struct reader *reader, const char *group, const struct scalar *key,
                 const struct node *value, const char *const *also, struct settings *settings)
{
    char path[READER_PATH_SIZE];
    snprintf(path, sizeof path, "%s%s%s", group, *group != '\0' ? "." : "", key->text);
    struct target target;
    bool known = target_find(path, &target);
    if (known && !(target.shorthand && value->kind == NODE_MAP))
        return add_target(reader, &target, key, value, settings);
    if (path_is_group(path) && *key->text != '\0')
        return read_group(reader, path, value, settings);
    return fail_unknown(reader, group, path, key, also);
}

int settings_read(const struct reader *reader, const char *group, const struct node *map,
                  struct settings *settings)
{
    for (size_t i = 0; i < map->count; i++)
        if (settings_add(reader, group, &map->keys[i], map->items[i], NULL, settings) != 0)
            return -1;
    return 0;
}
