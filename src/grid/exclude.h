/* Exclusions: an experiment that matches all of an entry's fields is dropped. */
#ifndef SWEEPSTAKE_GRID_EXCLUDE_H
#define SWEEPSTAKE_GRID_EXCLUDE_H

#include "axes.h"
#include "layers.h"

struct condition {
    struct target target;
    struct values values; /* any of them */
};

struct exclusion {
    struct mark mark;
    struct condition *conditions; /* all of them */
    size_t count;
    bool matched; /* has dropped an experiment */
};

struct exclusion_list {
    struct mark mark;
    struct exclusion *items;
    size_t count;
};

/* `exclude: [{path: value, ...}, ...]`; a value may be a list or a range: any of them. */
int exclude_read(const struct reader *reader, const struct node *node,
                 struct exclusion_list *exclusions);

/* Is the experiment to be dropped? `exact` tells which fields were set by their own paths: `seed`
 * in an entry speaks of the others. Entries that match are marked. */
bool exclude_matches(struct exclusion_list *exclusions, const struct experiment_fields *fields,
                     const bool *exact);

/* An entry that never matched is an error: it does not do what it says. */
int exclude_check(const struct reader *reader, const struct exclusion_list *exclusions);

#endif
