/* A store's tables joined the way a reader thinks: a row a point, with its experiment, its task and
 * that task's result. */
#ifndef SWEEPSTAKE_VIEW_JOIN_H
#define SWEEPSTAKE_VIEW_JOIN_H

#include "store/store.h"

/* In the order in which columns are shown; where two have a column of one name, the first keeps it
 * and the other's gets a prefix. */
enum join_table { JOIN_POINTS, JOIN_TASKS, JOIN_RESULTS, JOIN_EXPERIMENTS, JOIN_TABLES };

struct join {
    struct store_table tables[JOIN_TABLES];
    struct {
        int experiment, level, control, control_index /* -1: no such column */, task;
    } point;    /* columns of /points */
    int status;      /* column of /results */
    int64_t orphans; /* tasks kept from an earlier grid */
};

/* Orphans are left out: no table has their rows. `join` is the caller's to finish, after a failure
 * too. */
int join_read(struct join *join, struct store *store, struct error *err);
void join_finish(struct join *join);

/* The row of a table that belongs to a point; -1 = there is none. */
int64_t join_row(const struct join *join, enum join_table table, int64_t point);

/* Status of a task; pending when there is no such row. In a damaged file it may be none of the
 * enum's. */
enum store_status join_status(const struct join *join, int64_t task);

#define JOIN_STATUSES (STORE_UNREACHABLE + 1)

/* Tasks by status, and the order in which people are told. Returns how many rows are damaged: they
 * have no status that there is, and count as none. */
int64_t join_count_statuses(const struct join *join, int64_t counts[JOIN_STATUSES]);
extern const enum store_status join_status_order[JOIN_STATUSES];

#define JOIN_NAME_SIZE (STORE_NAME_SIZE + 16)

/* A column of the joined table. */
struct join_column {
    char name[JOIN_NAME_SIZE];
    enum join_table table;
    int column; /* of that table */
};

/* All columns; the caller frees the array. NULL on failure. */
struct join_column *join_columns(const struct join *join, int *count, struct error *err);

#endif
