/* What one map of a grid file says: the file's top level, or a block of `experiments`. */
#ifndef SWEEPSTAKE_GRID_SCOPE_H
#define SWEEPSTAKE_GRID_SCOPE_H

#include "axes.h"
#include "control.h"
#include "exclude.h"
#include "settings.h"

struct scope {
    struct mark mark;
    struct settings settings;
    struct axis_list axes;
    struct factor_list zip;
    struct exclusion_list *exclusions;
    struct control_list controls;
    unsigned snapshots; /* of enum snapshot */
    bool has_zip, has_controls, has_snapshots;
};

/* Keys of the top level alone are left to the caller, who lists them (NULL-terminated) in
 * `elsewhere`; they are unknown in a block, for which it is empty. */
int scope_read(const struct reader *reader, const struct node *map, const char *const *elsewhere,
               struct scope *scope);

/* Completes a block with what it does not say itself: axes are merged, path by path; zip, exclude,
 * controls and snapshots are taken over whole. Its settings stay its own. */
int scope_inherit(const struct reader *reader, const struct scope *top, struct scope *block);

#endif
