/* Owns the precedence of settings: a later layer wins; within a layer a longer path wins over a
 * shorthand; a shorthand that yields (`seed`) never touches what any layer set by its own path. */
#include "layers.h"

#include <string.h>

#include "value.h"

void layers_set(struct layers *layers, int field, const void *bytes, struct mark mark,
                enum layer origin)
{
    const struct field *as = field_at(field);
    memcpy((unsigned char *)&layers->fields + as->offset, bytes, as->size);
    layers->marks[field] = mark;
    layers->origin[field] = (unsigned char)origin;
}

void layers_start(struct layers *layers)
{
    memset(layers, 0, sizeof *layers);
    for (int i = 0; i < field_count(); i++) {
        const struct field *field = field_at(i);
        /* The default of every list is the empty one: all zero. */
        if (field_is_scalar(field))
            value_from_text(field, field->initial, false,
                            (unsigned char *)&layers->fields + field->offset);
    }
}

static void add_shorthands(struct layers *layers, const struct settings *settings,
                           enum layer origin)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *setting = &settings->items[i];
        if (!setting->shorthand || (setting->yields && layers->exact[setting->field]))
            continue;
        layers_set(layers, setting->field, setting->bytes, setting->mark, origin);
        layers->exact[setting->field] = false;
    }
}

void layers_add(struct layers *layers, const struct settings *settings, enum layer origin)
{
    add_shorthands(layers, settings, origin);
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *setting = &settings->items[i];
        if (setting->shorthand)
            continue;
        layers_set(layers, setting->field, setting->bytes, setting->mark, origin);
        layers->exact[setting->field] = true;
    }
}
