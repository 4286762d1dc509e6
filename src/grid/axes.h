/* Axes: paths with several values each. Ordinary axes and zip groups are factors of one product. */
#ifndef SWEEPSTAKE_GRID_AXES_H
#define SWEEPSTAKE_GRID_AXES_H

#include "target.h"
#include "tree.h"

/* Values that a path takes, of target.as.size bytes each. */
struct values {
    size_t count;
    const unsigned char *bytes;
    const struct mark *marks;
};

struct axis {
    struct target target;
    struct mark mark; /* of the path */
    struct values values;
};

struct axis_list {
    struct axis *items;
    size_t count, capacity;
};

/* Axes that move together: all have `length` values. */
struct factor {
    const struct axis *axes;
    size_t axis_count, length;
};

struct factor_list {
    struct factor *items;
    size_t count, capacity;
};

/* What a path in axes, zip or exclude addresses; an error says what was meant or may be written. */
int axis_target(const struct reader *reader, const struct scalar *path, struct target *target);

const unsigned char *axis_value(const struct axis *axis, size_t index);

/* At least one value, from a list or a range. */
int values_read(const struct reader *reader, const struct target *target, const struct node *node,
                struct values *values);

/* `axes: {path: values}`. An axis that is in the list already takes its place (a block's over the
 * top level's). */
int axes_read(const struct reader *reader, const struct node *node, struct axis_list *axes);

/* `zip: [{path: values, ...}, ...]`. */
int zip_read(const struct reader *reader, const struct node *node, struct factor_list *groups);

/* All factors: axes first, then zip groups. A path that comes twice is an error. */
int factors_join(const struct reader *reader, const struct axis_list *axes,
                 const struct factor_list *groups, struct factor_list *factors);

#endif
