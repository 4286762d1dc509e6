/* Settings laid over each other: defaults, recipe, the file's own, a block's, axes. */
#ifndef SWEEPSTAKE_GRID_LAYERS_H
#define SWEEPSTAKE_GRID_LAYERS_H

#include "settings.h"

enum layer { LAYER_DEFAULT, LAYER_RECIPE, LAYER_FILE, LAYER_BLOCK, LAYER_AXIS };

/* Every field's value, and where it came from. */
struct layers {
    struct experiment_fields fields;
    struct mark marks[GRID_FIELD_MAX];
    unsigned char origin[GRID_FIELD_MAX]; /* enum layer */
    bool exact[GRID_FIELD_MAX];           /* set by its own path, not by a shorthand */
};

/* Every field at its default. */
void layers_start(struct layers *layers);

/* Sets one field from field->size bytes. */
void layers_set(struct layers *layers, int field, const void *bytes, struct mark mark,
                enum layer origin);

/* Lays settings over what is there; among them, longer paths win over shorthands. */
void layers_add(struct layers *layers, const struct settings *settings, enum layer origin);

#endif
