/* The parts of store_examine: each looks at one kind of truth and blames tasks. */
#ifndef SWEEPSTAKE_STORE_EXAMINE_H
#define SWEEPSTAKE_STORE_EXAMINE_H

#include "handle.h"

struct examination {
    struct store *store;
    struct store_table tasks;
    struct store_result *rows;      /* [tasks] */
    struct store_finding *findings; /* [tasks], the caller's */
};

/* An integer of /tasks, -1 when there is no such column. */
static inline int64_t task_value(const struct store_table *tasks, int64_t task, const char *column)
{
    return store_table_integer(tasks, task, store_table_column(tasks, column));
}

static inline bool has_payload(const struct store_result *row)
{
    return row->status == STORE_DONE || row->status == STORE_DIVERGED;
}

/* Notes the first thing that is wrong with a task; later ones follow from it. */
void examine_blame(struct examination *examination, int64_t task, enum store_fault fault,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Whether a row and what it stands for are as they were committed: 1, 0, or -1 = could not be read.
 */
int verify_holds(struct store *store, const struct store_table *tasks, int64_t task,
                 const struct store_result *row, struct error *err);

/* /tasks and /points: rows, slots and curves are where they can be, and no two tasks write the same
 * place. -1 also where /points is damaged, which is no task's. */
int structure_examine(struct examination *examination, struct error *err);

/* Masks and weights of tasks without a fault so far, against those of their parents and roots. */
int lineage_examine(struct examination *examination, struct error *err);

#endif
