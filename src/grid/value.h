/* One value: from the text of a YAML scalar to the bytes of a field, checked, and back. */
#ifndef SWEEPSTAKE_GRID_VALUE_H
#define SWEEPSTAKE_GRID_VALUE_H

#include <stdbool.h>

#include "grid/fields.h"
#include "tree.h"

#define VALUE_MOST 1e12                    /* iterations */
#define VALUE_MOST_SEED 9007199254740991.0 /* 2^53 - 1: exact in JSON and in float columns */
#define VALUE_MOST_EXAMPLES 2147483647.0
#define VALUE_MOST_REAL 1e30 /* numbers that have no bound of their own */

/* prune.rate.output until it is resolved. */
#define VALUE_HALF (-1.0)

enum value_problem {
    VALUE_OK,
    VALUE_TYPE,   /* not written as the field's type is */
    VALUE_RANGE,  /* out of range, or it does not fit */
    VALUE_CHOICE, /* none of the choices */
    VALUE_LATER,  /* a choice that is not there yet */
    VALUE_LONG,   /* a longer text than there is room for */
};

/* Reads a scalar of the field's type (for lists: of its items' type) into `to`, value_size bytes,
 * of which those that are no value are set to zero. */
enum value_problem value_from_text(const struct field *field, const char *text, bool quoted,
                                   void *to);

/* Bytes of a scalar of the field: field->size, or that of a list's item. */
size_t value_size(const struct field *field);

/* As value_from_text; a problem becomes the reader's error. */
int value_read(const struct reader *reader, const struct field *field, const struct scalar *scalar,
               void *to);

/* What may be written, for messages and the reference: "an integer from 1 to 10". */
void value_expected(const struct field *field, struct text *text);

/* The scalars of a list, with ranges ("1..5") expanded to integers; all in the arena. */
struct scalars {
    size_t count;
    struct scalar *items;
};

/* Is it a range, "a..b"? */
bool scalar_is_range(const struct scalar *scalar);

/* `node`: a list of scalars and ranges, or a single range. More than `most` scalars are an error,
 * found before they are made. `path` is for messages. */
int scalars_read(const struct reader *reader, const char *path, const struct node *node,
                 bool with_ranges, size_t most, struct scalars *scalars);

/* Reads a field's whole value, scalar or list, into `to` (field->size bytes, all of them set). */
int field_read(const struct reader *reader, const struct field *field, const struct node *node,
               void *to);

#endif
