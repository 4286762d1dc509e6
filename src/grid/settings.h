/* Fields that one map of a grid file (or a recipe) sets, flattened: dotted keys and nested maps
 * address the same fields. Setting the same one twice is an error. */
#ifndef SWEEPSTAKE_GRID_SETTINGS_H
#define SWEEPSTAKE_GRID_SETTINGS_H

#include "target.h"
#include "tree.h"

struct setting {
    int field;
    bool shorthand, yields; /* as in struct target */
    const char *path;       /* as the file addresses it: a field's or a shorthand's */
    struct mark mark;
    const void *bytes; /* field->size */
    const char *text;  /* scalars: as written */
};

struct settings {
    struct setting *items;
    size_t count, capacity;
};

/* Adds what `key: value` in the map of `group` ("" = the top) sets. `also` lists further keys that
 * are known there (NULL-terminated; may be NULL), for the message about an unknown one. */
int settings_add(const struct reader *reader, const char *group, const struct scalar *key,
                 const struct node *value, const char *const *also, struct settings *settings);

/* The same for each pair of the map. */
int settings_read(const struct reader *reader, const char *group, const struct node *map,
                  struct settings *settings);

#endif
