/* What a dotted path addresses: a field, or several at once through a shorthand. */
#ifndef SWEEPSTAKE_GRID_TARGET_H
#define SWEEPSTAKE_GRID_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "grid/fields.h"
#include "reader.h"

#define TARGET_MOST_FIELDS 4

/* Shorthands: `prune.rate: 0.8` sets conv, fc and output alike; `seed: 3` sets every sub-seed that
 * no longer path sets. Where both are set in one place, the longer path wins. */
struct target {
    struct field as; /* how its value is written; as.path is the path */
    int fields[TARGET_MOST_FIELDS], count;
    bool shorthand;
    bool yields; /* a longer path wins even where it was set at an earlier place */
};

/* A path that one value sets as a whole, for all fields below it. */
struct shorthand {
    const char *path;
    bool yields;
    const char *meaning; /* for the reference */
};

/* The shorthand that sets this field too, or NULL. */
const struct shorthand *shorthand_of(int field);

/* False when the path is neither a field nor a shorthand. */
bool target_find(const char *path, struct target *target);

/* The error for a dotted path that is none: offers what may be meant. Returns -1. */
int target_fail_unknown(const struct reader *reader, struct mark mark, const char *path);

/* Are there fields below the path? "" is above all. */
bool path_is_group(const char *path);
bool path_is_below(const char *path, const char *group);

/* The keys of a group's map ("" = the top), in order. Returns their number. */
size_t group_keys(const char *group, char keys[GRID_FIELD_MAX][GRID_NAME_SIZE]);

#endif
