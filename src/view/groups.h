/* Groups of experiments that differ in seeds only: replicates of one thing. */
#ifndef SWEEPSTAKE_VIEW_GROUPS_H
#define SWEEPSTAKE_VIEW_GROUPS_H

#include "base/text.h"
#include "store/store.h"

struct groups {
    int32_t count;
    int32_t *of;     /* [experiment] its group; groups are numbered as they first appear */
    int64_t *first;  /* [group] its first experiment */
    int64_t *sizes;  /* [group] experiments */
    int *fields;     /* the columns that tell groups apart */
    int field_count; /* 0 with one group */
};

/* `groups` is the caller's to finish, after a failure too. */
int groups_find(struct groups *groups, const struct store_table *experiments, struct error *err);
void groups_finish(struct groups *groups);

/* Hash of one value of a table, continuing from `before`: equal values, equal hashes. */
uint64_t groups_hash_cell(const struct store_table *table, int64_t row, int column,
                          uint64_t before);

/* "prune.rate.fc = 0.2, train.dropout = 0.5"; nothing when there is one group only. */
void groups_name(const struct groups *groups, const struct store_table *experiments, int32_t group,
                 struct text *text);

#endif
