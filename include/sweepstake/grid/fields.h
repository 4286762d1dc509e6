/* The one table of grid fields: it drives the parser, `set`, the axes, the columns of the store's
 * /experiments, and the reference documentation (`sweepstake fields`). */
#ifndef SWEEPSTAKE_GRID_FIELDS_H
#define SWEEPSTAKE_GRID_FIELDS_H

#include <stddef.h>

#include "base/text.h"
#include "grid/experiment.h"

enum field_type {
    FIELD_TEXT,
    FIELD_INTEGER,
    FIELD_REAL,
    FIELD_BOOLEAN,
    FIELD_CHOICE, /* one of `choices`, stored as an enum (int) */
    FIELD_STEPS,
    FIELD_STEPS_LIST,
    FIELD_REAL_LIST,
    FIELD_PRUNE_AT,    /* end | init | iteration */
    FIELD_EXAMPLES,    /* an integer, or `all` (-1) */
    FIELD_OUTPUT_RATE, /* a real, or `half`: half of prune.rate.fc, resolved in an experiment */
};

struct field {
    const char *path; /* "train.optimizer.learning_rate" */
    enum field_type type;
    size_t offset, size;          /* in struct experiment_fields */
    double least, most;           /* numbers: the allowed range */
    bool above_least, below_most; /* the range is open at `least`, at `most` */
    const char *const *choices;   /* NULL-terminated, by enum value */
    const char *initial;          /* the default as it would be written */
    const char *meaning;          /* one line for the reference, units included */
};

int field_count(void);
const struct field *field_at(int number);
/* The number of the field with this path, or -1. */
int field_find(const char *path);

/* Is it a scalar (may be an axis, has a column of its own in the store)? */
bool field_is_scalar(const struct field *field);

/* The value as it would be written in a grid ("1.2e-3", "adam", "160ep"). */
void field_value_text(const struct field *field, const struct experiment_fields *fields,
                      struct text *text);

/* The reference of all fields, a Markdown table: path, what may be written, default, meaning. */
void field_reference(struct text *text);

#endif
