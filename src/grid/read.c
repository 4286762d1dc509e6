/* Owns a grid's life: file -> tree -> scopes -> experiments, and the end of all of them but the
 * last. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "expand.h"
#include "experiments.h"
#include "grid/grid.h"
#include "networks_read.h"
#include "scope.h"
#include "value.h"

static const char *const top_keys[] = {"name", "networks", "experiments", NULL};
static const char *const no_keys[] = {NULL};

static const struct field name_field = {
    .path = "name", .type = FIELD_TEXT, .size = GRID_NAME_SIZE, .initial = "grid"};

/* --- name --- */

/* The file's name without its folder and .yaml. */
static void name_of_file(const char *file, struct text *name)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash != NULL ? slash + 1 : file;
    size_t length = strlen(base);
    static const char *const endings[] = {".yaml", ".yml"};
    for (size_t i = 0; i < 2; i++) {
        size_t ending = strlen(endings[i]);
        if (length > ending && strcmp(base + length - ending, endings[i]) == 0)
            length -= ending;
    }
    text_add_bytes(name, base, length);
}

/* A name becomes a file name: NAME.h5. */
static bool is_file_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+";
    return *name != '\0' && *name != '.' && *name != '-' && name[strspn(name, allowed)] == '\0';
}

static int set_name(const struct reader *reader, const struct node *map, struct grid *grid)
{
    const struct node *given = node_find(map, "name");
    struct mark mark = given != NULL ? given->mark : (struct mark){0, 0};
    bool fits = true;
    if (given != NULL) {
        if (field_read(reader, &name_field, given, grid->name) != 0)
            return -1;
    } else {
        struct text name = {0};
        name_of_file(grid->file, &name);
        fits = text_copy(grid->name, sizeof grid->name, name.bytes != NULL ? name.bytes : "");
        text_finish(&name);
    }
    if (fits && is_file_name(grid->name))
        return 0;
    return reader_fail(
        reader, mark, "name",
        "\"%s\" cannot name a store; give name: a word of at most %d letters, digits "
        "and . _ - +, beginning with a letter or digit",
        grid->name, GRID_NAME_SIZE - 1);
}

/* --- blocks --- */

static int read_block(const struct reader *reader, const struct node *map, const struct scope *top,
                      struct scope *block)
{
    if (map->kind != NODE_MAP)
        return reader_fail(reader, map->mark, "experiments", "%s; a block is a map of fields",
                           node_kind_name(map));
    if (scope_read(reader, map, no_keys, block) != 0)
        return -1;
    return scope_inherit(reader, top, block);
}

static int expand_blocks(const struct reader *reader, const struct node *list,
                         const struct scope *top, struct grid *grid)
{
    if (list->kind != NODE_LIST || list->count == 0)
        return reader_fail(reader, list->mark, "experiments",
                           "%s; give a list of maps, or leave it out",
                           list->kind == NODE_LIST ? "an empty list" : node_kind_name(list));
    struct scope *blocks = reader_zeroed(reader, list->count, sizeof *blocks);
    if (blocks == NULL)
        return -1;
    for (size_t i = 0; i < list->count; i++)
        if (read_block(reader, list->items[i], top, &blocks[i]) != 0)
            return -1;
    return expand(reader, top, blocks, list->count, grid);
}

static int read_grid(const struct reader *reader, struct grid *grid)
{
    const struct node *map = tree_read(reader, grid->text, grid->text_length);
    if (map == NULL || set_name(reader, map, grid) != 0)
        return -1;
    const struct node *networks = node_find(map, "networks");
    if (networks != NULL && networks_read(reader, networks, grid) != 0)
        return -1;
    struct scope top = {.snapshots = SNAPSHOT_INIT | SNAPSHOT_REWIND | SNAPSHOT_FINAL};
    if (scope_read(reader, map, top_keys, &top) != 0)
        return -1;
    const struct node *blocks = node_find(map, "experiments");
    if (blocks != NULL)
        return expand_blocks(reader, blocks, &top, grid);
    return expand(reader, &top, &top, 1, grid);
}

/* --- life --- */

/* Takes over `text` (NULL after a failed allocation). */
static struct grid *create_grid(const char *file, char *text, size_t length, struct error *err)
{
    struct grid *grid = text != NULL ? mem_zeroed(1, sizeof *grid, err) : NULL;
    if (grid == NULL) {
        free(text);
        return NULL;
    }
    text_copy(grid->file, sizeof grid->file, file);
    grid->text = text;
    grid->text_length = length;
    struct arena arena = {0};
    const struct reader reader = {grid->file, &arena, err, false};
    int status = read_grid(&reader, grid);
    arena_finish(&arena);
    if (status != 0) {
        grid_destroy(grid);
        return NULL;
    }
    return grid;
}

struct grid *grid_parse(const char *file, const char *text, size_t length, struct error *err)
{
    if (length > GRID_MAX_BYTES) {
        error_set(err, ERROR_USAGE, "%s: %zu bytes; a grid has at most %d", file, length,
                  GRID_MAX_BYTES);
        return NULL;
    }
    char *copy = mem_zeroed(length + 1, 1, err);
    if (copy != NULL && length > 0)
        memcpy(copy, text, length);
    return create_grid(file, copy, length, err);
}

struct grid *grid_read(const char *file, struct error *err)
{
    char *text;
    size_t length;
    if (file_read(file, GRID_MAX_BYTES, &text, &length, err) != 0)
        return NULL;
    return create_grid(file, text, length, err);
}

void grid_destroy(struct grid *grid)
{
    if (grid == NULL)
        return;
    for (int32_t i = 0; i < grid->control_list_count; i++)
        free(grid->controls[i]);
    free(grid->controls);
    free(grid->networks);
    experiment_list_destroy(grid->experiments);
    free(grid->text);
    free(grid);
}

void grid_experiment(const struct grid *grid, int32_t number, struct experiment *to)
{
    experiment_list_get(grid->experiments, number, to);
}

void grid_keep(struct grid *grid, const bool *keep)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < grid->experiment_count; i++)
        if (keep[i])
            experiment_list_move(grid->experiments, i, kept++);
    grid->experiment_count = kept;
}

int grid_error_at(struct error *err, const struct grid *grid, const struct experiment *experiment,
                  int field, const char *format, ...)
{
    char what[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    const struct reader reader = {.file = grid->file, .err = err};
    return reader_fail(&reader, experiment->marks[field], field_at(field)->path, "%s", what);
}

int grid_network_error(struct error *err, const struct grid *grid,
                       const struct grid_network *network, struct mark at, const char *format, ...)
{
    char what[sizeof err->text], path[READER_PATH_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(path, sizeof path, "networks.%s", network->name);
    const struct reader reader = {.file = grid->file, .err = err};
    return reader_fail(&reader, at, path, "%s", what);
}
