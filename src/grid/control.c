/* Owns controls: reading them, and the experiment as a control's training sees it. What `set`
 * changes is checked here, once, so that applying it cannot fail. */
#include "control.h"

#include <string.h>

#include "settings.h"
#include "value.h"

/* In the order of enum control_kind, from CONTROL_REINIT. */
static const char *const kinds[] = {"reinit", "random-mask", "same", "fork", NULL};

static const struct field kind_field = {
    .path = "controls.kind", .type = FIELD_CHOICE, .size = sizeof(int), .choices = kinds};
static const struct field draws_field = {.path = "controls.draws",
                                         .type = FIELD_INTEGER,
                                         .size = sizeof(int64_t),
                                         .least = 1,
                                         .most = 1000};
static const struct field level_field = {.path = "controls.levels",
                                         .type = FIELD_INTEGER,
                                         .size = sizeof(int64_t),
                                         .least = 0,
                                         .most = GRID_MAX_LEVELS};

const char *control_kind_name(enum control_kind kind)
{
    return kind == CONTROL_NONE ? "ticket" : kinds[kind - 1];
}

static int read_kind(const struct reader *reader, const struct node *node, struct control *control)
{
    int choice;
    if (field_read(reader, &kind_field, node, &choice) != 0)
        return -1;
    control->kind = (enum control_kind)(choice + 1);
    return 0;
}

static int read_draws(const struct reader *reader, const struct node *node, struct control *control)
{
    int64_t draws;
    if (field_read(reader, &draws_field, node, &draws) != 0)
        return -1;
    control->draws = (int32_t)draws;
    return 0;
}

static int add_level(const struct reader *reader, const struct scalar *scalar,
                     struct control *control)
{
    int64_t level;
    if (value_read(reader, &level_field, scalar, &level) != 0)
        return -1;
    for (int32_t i = 0; i < control->level_count; i++)
        if (control->levels[i] == level)
            return reader_fail(reader, scalar->mark, level_field.path, "%s comes twice",
                               scalar->text);
    control->levels[control->level_count++] = (int32_t)level;
    return 0;
}

static int read_levels(const struct reader *reader, const struct node *node,
                       struct control *control)
{
    struct scalars scalars;
    if (scalars_read(reader, level_field.path, node, true, GRID_MAX_LEVELS, &scalars) != 0)
        return -1;
    if (scalars.count == 0)
        return reader_fail(reader, node->mark, level_field.path,
                           "has no values; leave it out for every level");
    control->level_count = 0;
    for (size_t i = 0; i < scalars.count; i++)
        if (add_level(reader, &scalars.items[i], control) != 0)
            return -1;
    return 0;
}

/* --- set --- */

static int check_setting(const struct reader *reader, const struct setting *setting)
{
    const struct field *field = field_at(setting->field);
    bool allowed = path_is_below(field->path, "dataset") || path_is_below(field->path, "train") ||
                   path_is_below(field->path, "seed");
    if (!allowed)
        return reader_fail(reader, setting->mark, setting->path,
                           "cannot be set for a control; only dataset, train and seed can");
    if (!field_is_scalar(field))
        return reader_fail(reader, setting->mark, setting->path,
                           "a list cannot be set for a control; only single values can");
    if (strlen(setting->text) >= GRID_SET_SIZE)
        return reader_fail(reader, setting->mark, setting->path,
                           "is too long to be set for a control; give at most %d bytes",
                           GRID_SET_SIZE - 1);
    return 0;
}

static bool is_set_exactly(const struct settings *settings, int field)
{
    for (size_t i = 0; i < settings->count; i++)
        if (settings->items[i].field == field && !settings->items[i].shorthand)
            return true;
    return false;
}

static int add_set(const struct reader *reader, const struct setting *setting,
                   struct control *control)
{
    if (control->set_count == GRID_MAX_SET)
        return reader_fail(reader, setting->mark, "controls.set", "sets more than %d fields",
                           GRID_MAX_SET);
    struct control_set *set = &control->set[control->set_count++];
    set->field = setting->field;
    set->mark = setting->mark;
    text_copy(set->value, sizeof set->value, setting->text);
    return 0;
}

static int read_set(const struct reader *reader, const struct node *node, struct control *control)
{
    if (node->kind != NODE_MAP)
        return reader_fail(reader, node->mark, "controls.set",
                           "%s; give a map, as in {dataset.name: fashion-mnist}",
                           node_kind_name(node));
    struct settings settings = {0};
    if (settings_read(reader, "", node, &settings) != 0)
        return -1;
    for (size_t i = 0; i < settings.count; i++) {
        const struct setting *setting = &settings.items[i];
        if (check_setting(reader, setting) != 0)
            return -1;
        bool overridden = setting->shorthand && is_set_exactly(&settings, setting->field);
        if (!overridden && add_set(reader, setting, control) != 0)
            return -1;
    }
    return 0;
}

/* --- a control --- */

static const struct {
    const char *key;
    int (*read)(const struct reader *reader, const struct node *node, struct control *control);
} parts[] = {
    {"kind", read_kind}, {"draws", read_draws}, {"levels", read_levels}, {"set", read_set}};
#define PARTS (sizeof parts / sizeof *parts)

static int read_part(const struct reader *reader, const struct scalar *key,
                     const struct node *value, struct control *control)
{
    const char *known[PARTS];
    for (size_t i = 0; i < PARTS; i++) {
        if (strcmp(parts[i].key, key->text) == 0)
            return parts[i].read(reader, value, control);
        known[i] = parts[i].key;
    }
    char path[READER_PATH_SIZE] = "controls.";
    text_copy(path + strlen(path), sizeof path - strlen(path), key->text);
    return reader_unknown(reader, key->mark, path, key->text, known, PARTS);
}

/* What only the kind makes wrong. */
static int check_control(const struct reader *reader, const struct control *control)
{
    if (control->kind == CONTROL_NONE)
        return reader_fail(reader, control->mark, "controls",
                           "has no kind; give kind: reinit, random-mask, same or fork");
    if (control->kind == CONTROL_SAME && control->draws > 1)
        return reader_fail(reader, control->mark, draws_field.path,
                           "draws of `same` are all alike; use fork, or 1");
    for (int32_t i = 0; i < control->level_count; i++)
        if (control->kind == CONTROL_RANDOM_MASK && control->levels[i] == 0)
            return reader_fail(reader, control->mark, level_field.path,
                               "level 0 is not pruned, so it has no random mask; start from 1");
    return 0;
}

static int read_control(const struct reader *reader, const struct node *map,
                        struct control *control)
{
    if (map->kind != NODE_MAP)
        return reader_fail(reader, map->mark, "controls",
                           "%s; a control is a map, as in {kind: reinit, draws: 3}",
                           node_kind_name(map));
    *control = (struct control){.mark = map->mark, .draws = 1, .level_count = -1};
    for (size_t i = 0; i < map->count; i++)
        if (read_part(reader, &map->keys[i], map->items[i], control) != 0)
            return -1;
    return check_control(reader, control);
}

int controls_read(const struct reader *reader, const struct node *node, struct control_list *list)
{
    if (node->kind != NODE_LIST)
        return reader_fail(reader, node->mark, "controls",
                           "%s; give a list, as in [{kind: reinit, draws: 3}]",
                           node_kind_name(node));
    if (node->count > GRID_MAX_CONTROLS)
        return reader_fail(reader, node->mark, "controls", "has %zu entries; the most is %d",
                           node->count, GRID_MAX_CONTROLS);
    list->count = (int32_t)node->count;
    list->items = reader_zeroed(reader, node->count, sizeof *list->items);
    if (list->items == NULL)
        return -1;
    for (size_t i = 0; i < node->count; i++)
        if (read_control(reader, node->items[i], &list->items[i]) != 0)
            return -1;
    return 0;
}

/* --- use --- */

static bool control_equals(const struct control *a, const struct control *b)
{
    if (a->kind != b->kind || a->draws != b->draws || a->level_count != b->level_count ||
        a->set_count != b->set_count || memcmp(a->levels, b->levels, sizeof a->levels) != 0)
        return false;
    for (int32_t i = 0; i < a->set_count; i++)
        if (a->set[i].field != b->set[i].field || strcmp(a->set[i].value, b->set[i].value) != 0)
            return false;
    return true;
}

bool controls_equal(const struct control *a, int32_t a_count, const struct control *b,
                    int32_t b_count)
{
    if (a_count != b_count)
        return false;
    for (int32_t i = 0; i < a_count && a != b; i++)
        if (!control_equals(&a[i], &b[i]))
            return false;
    return true;
}

void experiment_for_control(const struct experiment *experiment, const struct control *control,
                            struct experiment *to)
{
    *to = *experiment;
    to->controls = NULL;
    to->control_count = 0;
    for (int32_t i = 0; i < control->set_count; i++) {
        const struct control_set *set = &control->set[i];
        const struct field *field = field_at(set->field);
        value_from_text(field, set->value, false, (unsigned char *)&to->fields + field->offset);
        to->marks[set->field] = set->mark;
    }
}
