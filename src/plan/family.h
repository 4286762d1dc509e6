#ifndef PLAN_FAMILY_H
#define PLAN_FAMILY_H

#include "builder.h"

struct sibling {
    const struct control *control;
    struct experiment changed; /* what `resolved` points to when the control has `set` */
    struct resolved resolved;
    bool at_level[GRID_MAX_LEVELS + 1];
};

/* One experiment while its tasks are added: what it and its controls resolve to, and at which
 * levels each control stands. */
struct family {
    int32_t number;
    struct experiment experiment; /* what `own` points to */
    struct resolved own;
    int32_t control_count;
    struct sibling *controls;
    int32_t dense; /* the level-0 task; -1 until it is there */
};

/* Resolves and checks. family_finish is due after a failure too. */
int family_init(struct family *family, struct builder *builder, int32_t experiment,
                struct error *err);
void family_finish(struct family *family);

#endif
