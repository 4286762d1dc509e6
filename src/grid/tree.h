/* A YAML document as a tree of nodes, each with its mark; aliases resolved, merge keys applied. */
#ifndef SWEEPSTAKE_GRID_TREE_H
#define SWEEPSTAKE_GRID_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "reader.h"

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct scalar {
    const char *text; /* at most GRID_PATH_SIZE - 1 bytes, no control characters */
    struct mark mark;
    bool quoted;
};

struct node {
    enum node_kind kind;
    struct mark mark;
    struct scalar scalar; /* NODE_SCALAR */
    size_t count;         /* items of a list, pairs of a map */
    struct node **items;  /* list: items; map: values */
    struct scalar *keys;  /* map: one a value, all different */
    size_t item_capacity, key_capacity;
    size_t weight; /* nodes in the subtree, aliases counted each time they are used */
};

/* The file's one document, a map. NULL on error. Everything is in the reader's arena. */
struct node *tree_read(const struct reader *reader, const char *text, size_t length);

/* The value of a map's key; NULL where there is none. */
const struct node *node_find(const struct node *map, const char *key);

/* The value is missing: empty, ~ or null. */
bool node_is_null(const struct node *node);

/* "a map", "a list", "a value": for messages. */
const char *node_kind_name(const struct node *node);

#endif
