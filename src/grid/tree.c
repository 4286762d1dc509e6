/* Owns the step from YAML text to nodes with marks, on libyaml's events.
 *
 * An alias is resolved to the very node of its anchor, so memory grows with the file only; what a
 * reader of the tree would have to walk is bounded through `weight`. Maps have no duplicate keys.
 * "<<" takes over the pairs of one map or of a list of maps; a map's own pairs win, then the
 * earlier map's. Tags are refused: a field's type is told by the table of fields. */
#include "tree.h"

#include <string.h>
#include <yaml.h>

#include "characters.h"

#define MOST_NODES                                                                                 \
    2000000 /* after aliases are expanded: room for lists of GRID_MAX_EXPERIMENTS                  \
             */
#define MOST_DEPTH 32
#define MOST_KEYS 256
#define MOST_ANCHORS 1000

struct anchor {
    const char *name;
    struct node *node;
    bool complete; /* false: its node is still being read */
};

struct loader {
    const struct reader *reader;
    yaml_parser_t yaml;
    yaml_event_t event; /* the current one */
    struct anchor *anchors;
    size_t anchor_count;
};

static struct mark mark_of(yaml_mark_t mark)
{
    return (struct mark){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static int fail_yaml(const struct loader *loader)
{
    const yaml_parser_t *yaml = &loader->yaml;
    if (yaml->error == YAML_MEMORY_ERROR)
        return error_set(loader->reader->err, ERROR_RESOURCE, "not enough memory to read %s",
                         loader->reader->file);
    const char *problem = yaml->problem != NULL ? yaml->problem : "it cannot be read";
    if (yaml->context == NULL)
        return reader_fail(loader->reader, mark_of(yaml->problem_mark), NULL, "not YAML: %s",
                           problem);
    return reader_fail(loader->reader, mark_of(yaml->problem_mark), NULL,
                       "not YAML: %s (%s at line %zu)", problem, yaml->context,
                       yaml->context_mark.line + 1);
}

/* Makes the next event the current one. */
static int advance(struct loader *loader)
{
    yaml_event_delete(&loader->event);
    return yaml_parser_parse(&loader->yaml, &loader->event) ? 0 : fail_yaml(loader);
}

static struct mark here(const struct loader *loader)
{
    return mark_of(loader->event.start_mark);
}

static struct node *create_node(const struct loader *loader, enum node_kind kind)
{
    struct node *node = reader_zeroed(loader->reader, 1, sizeof *node);
    if (node != NULL) {
        node->kind = kind;
        node->mark = here(loader);
        node->weight = 1;
    }
    return node;
}

static int add_weight(const struct loader *loader, struct node *node, const struct node *child)
{
    node->weight += child->weight;
    if (node->weight > MOST_NODES)
        return reader_fail(loader->reader, node->mark, NULL,
                           "expands to more than %d values; write fewer aliases (*name)",
                           MOST_NODES);
    return 0;
}

static int add_item(const struct loader *loader, struct node *node, struct node *item)
{
    if (add_weight(loader, node, item) != 0 ||
        arena_grow(loader->reader->arena, &node->items, &node->item_capacity, node->count + 1,
                   sizeof *node->items, loader->reader->err) != 0)
        return -1;
    node->items[node->count++] = item;
    return 0;
}

static const struct scalar *find_key(const struct node *map, const char *text)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->keys[i].text, text) == 0)
            return &map->keys[i];
    return NULL;
}

static int add_pair(const struct loader *loader, struct node *map, const struct scalar *key,
                    struct node *value)
{
    if (map->count == MOST_KEYS)
        return reader_fail(loader->reader, key->mark, NULL, "a map of more than %d keys",
                           MOST_KEYS);
    if (arena_grow(loader->reader->arena, &map->keys, &map->key_capacity, map->count + 1,
                   sizeof *map->keys, loader->reader->err) != 0)
        return -1;
    map->keys[map->count] = *key;
    return add_item(loader, map, value);
}

/* Takes over the pairs of `from` that `map` does not have. */
static int merge_map(const struct loader *loader, struct node *map, const struct node *from)
{
    if (from->kind != NODE_MAP)
        return reader_fail(loader->reader, from->mark, "<<",
                           "takes a map or a list of maps, not %s", node_kind_name(from));
    for (size_t i = 0; i < from->count; i++)
        if (find_key(map, from->keys[i].text) == NULL &&
            add_pair(loader, map, &from->keys[i], from->items[i]) != 0)
            return -1;
    return 0;
}

static int merge_into(const struct loader *loader, struct node *map, const struct node *from)
{
    if (from->kind != NODE_LIST)
        return merge_map(loader, map, from);
    for (size_t i = 0; i < from->count; i++)
        if (merge_map(loader, map, from->items[i]) != 0)
            return -1;
    return 0;
}

/* --- anchors --- */

static struct anchor *register_anchor(struct loader *loader, const yaml_char_t *name,
                                      struct node *node)
{
    const struct reader *reader = loader->reader;
    const char *text = (const char *)name;
    if (loader->anchor_count == MOST_ANCHORS) {
        reader_fail(reader, node->mark, NULL, "more than %d anchors (&name)", MOST_ANCHORS);
        return NULL;
    }
    if (loader->anchors == NULL)
        loader->anchors = reader_zeroed(reader, MOST_ANCHORS, sizeof *loader->anchors);
    const char *copy = arena_text(reader->arena, text, strlen(text), reader->err);
    if (loader->anchors == NULL || copy == NULL)
        return NULL;
    struct anchor *anchor = &loader->anchors[loader->anchor_count++];
    *anchor = (struct anchor){copy, node, false};
    return anchor;
}

/* The node an alias stands for: that of the latest anchor of this name. */
static struct node *resolve_alias(const struct loader *loader)
{
    const char *name = (const char *)loader->event.data.alias.anchor;
    for (size_t i = loader->anchor_count; i-- > 0;) {
        const struct anchor *anchor = &loader->anchors[i];
        if (strcmp(anchor->name, name) != 0)
            continue;
        if (anchor->complete)
            return anchor->node;
        reader_fail(loader->reader, here(loader), NULL, "*%s is used inside &%s itself", name,
                    name);
        return NULL;
    }
    reader_fail(loader->reader, here(loader), NULL, "*%s has no anchor &%s before it", name, name);
    return NULL;
}

/* --- nodes --- */

static struct node *read_node(struct loader *loader, int depth);

static int check_scalar(const struct loader *loader, const char *text, size_t length)
{
    if (length >= GRID_PATH_SIZE)
        return reader_fail(loader->reader, here(loader), NULL,
                           "a text of %zu bytes; the longest is %d", length, GRID_PATH_SIZE - 1);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return reader_fail(loader->reader, here(loader), NULL,
                               "a text with a line break or control character");
    return 0;
}

static int read_scalar(struct loader *loader, struct node *node)
{
    const struct reader *reader = loader->reader;
    const char *text = (const char *)loader->event.data.scalar.value;
    size_t length = loader->event.data.scalar.length;
    if (check_scalar(loader, text, length) != 0)
        return -1;
    node->scalar.text = arena_text(reader->arena, text, length, reader->err);
    node->scalar.mark = node->mark;
    node->scalar.quoted = loader->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return node->scalar.text != NULL ? 0 : -1;
}

static int read_list(struct loader *loader, struct node *node, int depth)
{
    for (;;) {
        if (advance(loader) != 0)
            return -1;
        if (loader->event.type == YAML_SEQUENCE_END_EVENT)
            return 0;
        struct node *item = read_node(loader, depth + 1);
        if (item == NULL || add_item(loader, node, item) != 0)
            return -1;
    }
}

/* One pair; the current event begins its key. "<<" is kept in *merge for the map's end. */
static int read_pair(struct loader *loader, struct node *map, const struct node **merge, int depth)
{
    const struct reader *reader = loader->reader;
    struct node *key = read_node(loader, depth + 1);
    if (key == NULL)
        return -1;
    if (key->kind != NODE_SCALAR)
        return reader_fail(reader, key->mark, NULL, "%s as a key; a key is a word",
                           node_kind_name(key));
    const char *text = key->scalar.text;
    const struct scalar *before = find_key(map, text);
    bool merging = strcmp(text, "<<") == 0 && !key->scalar.quoted;
    if (before != NULL)
        return reader_fail(reader, key->mark, text, "duplicate key; it is at line %u already",
                           before->mark.line);
    if (merging && *merge != NULL)
        return reader_fail(reader, key->mark, text, "duplicate key; give it a list of maps");
    struct node *value = advance(loader) == 0 ? read_node(loader, depth + 1) : NULL;
    if (value == NULL)
        return -1;
    if (!merging)
        return add_pair(loader, map, &key->scalar, value);
    *merge = value;
    return add_weight(loader, map, value);
}

static int read_map(struct loader *loader, struct node *map, int depth)
{
    const struct node *merge = NULL;
    for (;;) {
        if (advance(loader) != 0)
            return -1;
        if (loader->event.type == YAML_MAPPING_END_EVENT)
            return merge != NULL ? merge_into(loader, map, merge) : 0;
        if (read_pair(loader, map, &merge, depth) != 0)
            return -1;
    }
}

/* What a node-starting event says of kind, anchor and tag. */
static enum node_kind describe_event(const yaml_event_t *event, const yaml_char_t **anchor,
                                     const yaml_char_t **tag)
{
    switch (event->type) {
    case YAML_SEQUENCE_START_EVENT:
        *anchor = event->data.sequence_start.anchor;
        *tag = event->data.sequence_start.tag;
        return NODE_LIST;
    case YAML_MAPPING_START_EVENT:
        *anchor = event->data.mapping_start.anchor;
        *tag = event->data.mapping_start.tag;
        return NODE_MAP;
    default:
        *anchor = event->data.scalar.anchor;
        *tag = event->data.scalar.tag;
        return NODE_SCALAR;
    }
}

static int read_content(struct loader *loader, struct node *node, int depth)
{
    switch (node->kind) {
    case NODE_LIST:
        return read_list(loader, node, depth);
    case NODE_MAP:
        return read_map(loader, node, depth);
    default:
        return read_scalar(loader, node);
    }
}

/* The node that the current event begins; its last event is current afterwards. */
static struct node *read_node(struct loader *loader, int depth)
{
    if (loader->event.type == YAML_ALIAS_EVENT)
        return resolve_alias(loader);
    const yaml_char_t *name, *tag;
    enum node_kind kind = describe_event(&loader->event, &name, &tag);
    if (tag != NULL || depth > MOST_DEPTH) {
        const char *what = tag != NULL ? "a tag (!...); leave it out" : "nested too deeply";
        reader_fail(loader->reader, here(loader), NULL, "%s", what);
        return NULL;
    }
    struct node *node = create_node(loader, kind);
    if (node == NULL)
        return NULL;
    struct anchor *anchor = NULL;
    if (name != NULL && (anchor = register_anchor(loader, name, node)) == NULL)
        return NULL;
    if (read_content(loader, node, depth) != 0)
        return NULL;
    if (anchor != NULL)
        anchor->complete = true;
    return node;
}

static struct node *read_document(struct loader *loader)
{
    const struct reader *reader = loader->reader;
    if (advance(loader) != 0 || advance(loader) != 0) /* stream start, document start */
        return NULL;
    if (loader->event.type == YAML_STREAM_END_EVENT) {
        reader_fail(reader, (struct mark){0, 0}, NULL, "the file is empty; write a YAML map");
        return NULL;
    }
    struct node *root = advance(loader) == 0 ? read_node(loader, 0) : NULL;
    if (root == NULL || advance(loader) != 0 || advance(loader) != 0)
        return NULL;
    if (loader->event.type != YAML_STREAM_END_EVENT) {
        reader_fail(reader, here(loader), NULL, "a second document (---); write one");
        return NULL;
    }
    if (root->kind != NODE_MAP) {
        reader_fail(reader, root->mark, NULL, "%s; write a YAML map (key: value)",
                    node_kind_name(root));
        return NULL;
    }
    return root;
}

struct node *tree_read(const struct reader *reader, const char *text, size_t length)
{
    static const char mark[] = "\xef\xbb\xbf"; /* the byte order mark of some editors */
    if (length >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        length -= 3;
    }
    if (characters_check(reader, text, length) != 0)
        return NULL;
    struct loader loader = {.reader = reader};
    if (!yaml_parser_initialize(&loader.yaml)) {
        error_set(reader->err, ERROR_RESOURCE, "not enough memory to read %s", reader->file);
        return NULL;
    }
    yaml_parser_set_encoding(&loader.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&loader.yaml, (const unsigned char *)text, length);
    struct node *root = read_document(&loader);
    yaml_event_delete(&loader.event);
    yaml_parser_delete(&loader.yaml);
    return root;
}

const struct node *node_find(const struct node *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->keys[i].text, key) == 0)
            return map->items[i];
    return NULL;
}

bool node_is_null(const struct node *node)
{
    if (node->kind != NODE_SCALAR || node->scalar.quoted)
        return false;
    const char *text = node->scalar.text;
    return *text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

const char *node_kind_name(const struct node *node)
{
    if (node->kind == NODE_MAP)
        return "a map";
    if (node->kind == NODE_LIST)
        return "a list";
    return node_is_null(node) ? "no value" : "a single value";
}
