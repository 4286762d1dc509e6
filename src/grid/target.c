/* Owns what dotted paths mean: fields, shorthands for several fields, and groups of fields. */
#include "target.h"

#include <string.h>

bool path_is_below(const char *path, const char *group)
{
    size_t length = strlen(group);
    return length == 0 || (strncmp(path, group, length) == 0 && path[length] == '.');
}

static const struct shorthand shorthands[] = {
    {"prune.rate", false, "sets conv, fc and output alike"},
    {"seed", true, "sets init, order, augment and dropout, but for those set by their own paths"},
};
#define SHORTHANDS (sizeof shorthands / sizeof *shorthands)

const struct shorthand *shorthand_of(int field)
{
    for (size_t i = 0; i < SHORTHANDS; i++)
        if (path_is_below(field_at(field)->path, shorthands[i].path))
            return &shorthands[i];
    return NULL;
}

/* `target` stands for all fields below the path, written as the first of them is. */
static void target_shorthand(const struct shorthand *shorthand, struct target *target)
{
    for (int i = 0; i < field_count(); i++) {
        if (shorthand_of(i) != shorthand)
            continue;
        if (target->count == 0)
            target->as = *field_at(i);
        target->fields[target->count++] = i;
    }
    target->as.path = shorthand->path;
    target->shorthand = true;
    target->yields = shorthand->yields;
}

bool target_find(const char *path, struct target *target)
{
    *target = (struct target){0};
    int field = field_find(path);
    if (field >= 0) {
        target->as = *field_at(field);
        target->fields[target->count++] = field;
        return true;
    }
    for (size_t i = 0; i < SHORTHANDS; i++) {
        if (strcmp(shorthands[i].path, path) == 0) {
            target_shorthand(&shorthands[i], target);
            return true;
        }
    }
    return false;
}

bool path_is_group(const char *path)
{
    for (int i = 0; i < field_count(); i++)
        if (path_is_below(field_at(i)->path, path))
            return true;
    return false;
}

#define MOST_PATHS (GRID_FIELD_MAX + SHORTHANDS)

/* Every path that may be an axis. Returns their number. */
static size_t target_paths(const char *paths[MOST_PATHS])
{
    size_t count = 0;
    for (size_t i = 0; i < SHORTHANDS; i++)
        paths[count++] = shorthands[i].path;
    for (int i = 0; i < field_count(); i++)
        if (field_is_scalar(field_at(i)))
            paths[count++] = field_at(i)->path;
    return count;
}

size_t group_keys(const char *group, char keys[GRID_FIELD_MAX][GRID_NAME_SIZE])
{
    size_t count = 0, skip = *group == '\0' ? 0 : strlen(group) + 1;
    for (int i = 0; i < field_count(); i++) {
        if (!path_is_below(field_at(i)->path, group))
            continue;
        const char *key = field_at(i)->path + skip;
        size_t length = strcspn(key, ".");
        /* Fields of one group stand together in the table. */
        if (count > 0 && strlen(keys[count - 1]) == length &&
            strncmp(keys[count - 1], key, length) == 0)
            continue;
        memcpy(keys[count], key, length);
        keys[count++][length] = '\0';
    }
    return count;
}

/* The path that ends in ".path", or NULL: `learning_rate` for train.optimizer.learning_rate. */
static const char *find_ending(const char *path, const char *const *paths, size_t count)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < count && length > 0; i++) {
        size_t whole = strlen(paths[i]);
        if (whole > length && paths[i][whole - length - 1] == '.' &&
            strcmp(paths[i] + whole - length, path) == 0)
            return paths[i];
    }
    return NULL;
}

int target_fail_unknown(const struct reader *reader, struct mark mark, const char *path)
{
    const char *paths[MOST_PATHS];
    size_t count = target_paths(paths);
    if (path_is_group(path) && *path != '\0')
        return reader_fail(reader, mark, path,
                           "a group of fields; name one of them by its dotted path");
    const char *whole = find_ending(path, paths, count);
    if (whole != NULL)
        return reader_fail(reader, mark, path, "unknown path; did you mean %s?", whole);
    return reader_unknown(reader, mark, path, path, paths, count);
}
