/* Reads the networks that a grid defines. A layer is a word, a word with its one value, or a word
 * with a map of options; one table says which, and each option is checked as a field is. */
#include "networks_read.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "grid/networks.h"
#include "value.h"

#define MOST_UNITS 1048576
#define MOST_KERNEL 64
#define MOST_OPTIONS 5
#define SAME_PADDING (-1) /* until the kernel is known */

#define OPTION(member, ...)                                                                        \
    {                                                                                              \
        .path = #member, .offset = offsetof(struct grid_layer, member),                            \
        .size = sizeof((struct grid_layer *)NULL)->member, __VA_ARGS__                             \
    }
#define WHOLE(from, to) .type = FIELD_INTEGER, .least = (from), .most = (to)

/* What may be said of a layer. The first option is the one that a value alone gives. */
struct form {
    const char *word;
    enum grid_layer_kind kind;
    bool may_be_bare;
    struct field options[MOST_OPTIONS]; /* up to one without a path */
    struct grid_layer initial;
};

static const struct form forms[] = {
    {.word = "fc", .kind = GRID_LAYER_FC, .options = {OPTION(outputs, WHOLE(1, MOST_UNITS))}},
    {.word = "conv",
     .kind = GRID_LAYER_CONV,
     .options = {OPTION(outputs, WHOLE(1, MOST_UNITS)), OPTION(kernel, WHOLE(1, MOST_KERNEL)),
                 OPTION(stride, WHOLE(1, MOST_KERNEL)), OPTION(padding, WHOLE(0, MOST_KERNEL)),
                 OPTION(bias, .type = FIELD_BOOLEAN)},
     .initial = {.kernel = 3, .stride = 1, .padding = SAME_PADDING, .bias = true}},
    {.word = "relu", .kind = GRID_LAYER_RELU, .may_be_bare = true},
    {.word = "batch-norm", .kind = GRID_LAYER_BATCH_NORM, .may_be_bare = true},
    {.word = "dropout",
     .kind = GRID_LAYER_DROPOUT,
     .options = {OPTION(drop, .type = FIELD_REAL, .least = 0, .most = 1, .above_least = true,
                        .below_most = true)}},
    {.word = "max-pool",
     .kind = GRID_LAYER_MAX_POOL,
     .may_be_bare = true,
     .options = {OPTION(kernel, WHOLE(1, MOST_KERNEL)), OPTION(stride, WHOLE(1, MOST_KERNEL))},
     .initial = {.kernel = 2}},
    {.word = "average-pool", .kind = GRID_LAYER_AVERAGE_POOL, .may_be_bare = true},
    {.word = "residual", .kind = GRID_LAYER_RESIDUAL},
};
#define FORMS (sizeof forms / sizeof *forms)

/* One network while it is read. */
struct site {
    const struct reader *reader;
    const char *path; /* "networks.mine" */
    struct grid_network *network;
};

/* --- layers --- */

static struct grid_layer *add_layer(const struct site *site, enum grid_layer_kind kind,
                                    struct mark mark)
{
    struct grid_network *network = site->network;
    if (network->layer_count == GRID_MAX_NETWORK_LAYERS) {
        reader_fail(site->reader, mark, site->path, "more than %d layers", GRID_MAX_NETWORK_LAYERS);
        return NULL;
    }
    struct grid_layer *layer = &network->layers[network->layer_count++];
    layer->kind = kind;
    layer->mark = mark;
    return layer;
}

static const struct form *find_form(const struct site *site, const struct scalar *word)
{
    const char *words[FORMS];
    for (size_t i = 0; i < FORMS; i++) {
        words[i] = forms[i].word;
        if (strcmp(words[i], word->text) == 0)
            return &forms[i];
    }
    struct text known = {0};
    for (size_t i = 0; i < FORMS; i++)
        text_add(&known, "%s%s", i > 0 ? ", " : "", words[i]);
    const char *nearest = text_nearest(word->text, words, FORMS);
    reader_fail(site->reader, word->mark, site->path, "there is no layer %s%s%s%s; layers are %s",
                word->text, nearest != NULL ? " (did you mean " : "",
                nearest != NULL ? nearest : "", nearest != NULL ? "?)" : "",
                known.bytes != NULL ? known.bytes : "");
    text_finish(&known);
    return NULL;
}

/* Reads an option; its path in messages is the layer's word and its own. */
static int read_option(const struct site *site, const struct form *form, const struct field *option,
                       const struct node *value, struct grid_layer *layer)
{
    char path[READER_PATH_SIZE];
    struct field field = *option;
    snprintf(path, sizeof path, "%s: %s.%s", site->path, form->word, option->path);
    field.path = path;
    return field_read(site->reader, &field, value, (unsigned char *)layer + option->offset);
}

static int option_count(const struct form *form)
{
    int count = 0;
    while (count < MOST_OPTIONS && form->options[count].path != NULL)
        count++;
    return count;
}

static int read_options(const struct site *site, const struct form *form, const struct node *map,
                        struct grid_layer *layer)
{
    int count = option_count(form);
    for (size_t i = 0; i < map->count; i++) {
        const char *known[MOST_OPTIONS];
        int option = 0;
        for (; option < count && strcmp(form->options[option].path, map->keys[i].text) != 0;
             option++)
            known[option] = form->options[option].path;
        if (option == count)
            return reader_unknown(site->reader, map->keys[i].mark, site->path, map->keys[i].text,
                                  known, (size_t)count);
        if (read_option(site, form, &form->options[option], map->items[i], layer) != 0)
            return -1;
    }
    return 0;
}

static int complete(const struct site *site, const struct form *form, struct grid_layer *layer)
{
    bool has_outputs = layer->kind == GRID_LAYER_CONV || layer->kind == GRID_LAYER_FC;
    if (has_outputs && layer->outputs == 0)
        return reader_fail(site->reader, layer->mark, site->path,
                           "%s without outputs; write {%s: 64} or {%s: {outputs: 64}}", form->word,
                           form->word, form->word);
    if (layer->kind == GRID_LAYER_DROPOUT && layer->drop == 0)
        return reader_fail(site->reader, layer->mark, site->path,
                           "dropout without its probability; write {dropout: 0.5}");
    if (layer->padding == SAME_PADDING)
        layer->padding = layer->kernel / 2;
    if (layer->stride == 0)
        layer->stride = layer->kernel; /* windows side by side */
    return 0;
}

/* `value` is NULL where the word stands alone. */
static int read_plain(const struct site *site, const struct form *form, struct mark mark,
                      const struct node *value)
{
    struct grid_layer *layer = add_layer(site, form->kind, mark);
    if (layer == NULL)
        return -1;
    *layer = form->initial;
    layer->kind = form->kind;
    layer->mark = mark;
    if (value == NULL && !form->may_be_bare)
        return complete(site, form, layer);
    if (value != NULL && option_count(form) == 0)
        return reader_fail(site->reader, mark, site->path, "%s has no options; write it alone",
                           form->word);
    int status = 0;
    if (value != NULL && value->kind == NODE_MAP)
        status = read_options(site, form, value, layer);
    else if (value != NULL)
        status = read_option(site, form, &form->options[0], value, layer);
    return status == 0 ? complete(site, form, layer) : -1;
}

static int read_layer(const struct site *site, const struct node *node, bool in_block);

static int read_list(const struct site *site, const struct node *list, bool in_block)
{
    for (size_t i = 0; i < list->count; i++)
        if (read_layer(site, list->items[i], in_block) != 0)
            return -1;
    return 0;
}

static int read_residual(const struct site *site, struct mark mark, const struct node *list,
                         bool in_block)
{
    if (in_block)
        return reader_fail(site->reader, mark, site->path,
                           "a residual block inside of another; blocks do not nest");
    if (list == NULL || list->kind != NODE_LIST || list->count == 0)
        return reader_fail(site->reader, mark, site->path,
                           "residual without layers; write {residual: [{conv: 64}, ...]}");
    if (add_layer(site, GRID_LAYER_RESIDUAL, mark) == NULL || read_list(site, list, true) != 0)
        return -1;
    return add_layer(site, GRID_LAYER_END, mark) != NULL ? 0 : -1;
}

static int read_layer(const struct site *site, const struct node *node, bool in_block)
{
    bool is_bare = node->kind == NODE_SCALAR && !node_is_null(node);
    if (!is_bare && (node->kind != NODE_MAP || node->count != 1))
        return reader_fail(site->reader, node->mark, site->path,
                           "%s%s; a layer is a word (relu) or a map of one (conv: 64)",
                           node_kind_name(node), node->kind == NODE_MAP ? " of several" : "");
    const struct scalar *word = is_bare ? &node->scalar : &node->keys[0];
    const struct node *value = is_bare ? NULL : node->items[0];
    const struct form *form = find_form(site, word);
    if (form == NULL)
        return -1;
    if (form->kind == GRID_LAYER_RESIDUAL)
        return read_residual(site, word->mark, value, in_block);
    return read_plain(site, form, word->mark, value);
}

/* --- networks --- */

static int read_network(const struct reader *reader, const struct scalar *name,
                        const struct node *layers, struct grid_network *network)
{
    char path[READER_PATH_SIZE];
    snprintf(path, sizeof path, "networks.%s", name->text);
    network->mark = name->mark;
    if (*name->text == '\0' || !text_copy(network->name, sizeof network->name, name->text))
        return reader_fail(reader, name->mark, path, "a name has 1 to %d bytes",
                           GRID_NAME_SIZE - 1);
    if (layers->kind != NODE_LIST || layers->count == 0)
        return reader_fail(reader, layers->mark, path, "%s; give a list of layers",
                           layers->kind == NODE_LIST ? "an empty list" : node_kind_name(layers));
    const struct site site = {reader, path, network};
    return read_list(&site, layers, false);
}

int networks_read(const struct reader *reader, const struct node *node, struct grid *grid)
{
    if (node->kind != NODE_MAP)
        return reader_fail(reader, node->mark, "networks",
                           "%s; give a map of names, each with a list of layers",
                           node_kind_name(node));
    grid->networks = mem_zeroed(node->count, sizeof *grid->networks, reader->err);
    if (grid->networks == NULL)
        return -1;
    for (size_t i = 0; i < node->count; i++, grid->network_count++)
        if (read_network(reader, &node->keys[i], node->items[i], &grid->networks[i]) != 0)
            return -1;
    return 0;
}

const struct grid_network *grid_network_find(const struct grid *grid, const char *name)
{
    for (int32_t i = 0; i < grid->network_count; i++)
        if (strcmp(grid->networks[i].name, name) == 0)
            return &grid->networks[i];
    return NULL;
}
