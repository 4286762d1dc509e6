/* One store out of several sources: a plan and the store it grows from, or stores to be merged, for
 * a plan or for none.
 *
 * In this order: rows (unite_rows.c) matches tasks by key, experiments and points by what they say,
 * and appends what is new to the layout's tables; slots (unite_slots.c) gives every task room for
 * what the plan wants and what its sources hold; the layout is then complete, and fill
 * (unite_copy.c) carries the content over.
 *
 * Invariants: the plan's rows come first and keep their numbers; orphans come last; parents come
 * before children. */
#ifndef SWEEPSTAKE_WORK_UNITE_H
#define SWEEPSTAKE_WORK_UNITE_H

#include "store/store.h"
#include "work/work.h"

enum unite_family {
    UNITE_MASK,
    UNITE_INIT,
    UNITE_EARLY_STOP,
    UNITE_FINAL,
    UNITE_REWIND,
    UNITE_AT,
    UNITE_FAMILIES
};

/* A network of a source. */
struct unite_network {
    int32_t to;                     /* its row in the layout, -1 = not asked for yet */
    int64_t *slots[UNITE_FAMILIES]; /* where each slot goes, -1 = nowhere yet */
    int64_t counts[UNITE_FAMILIES];
};

struct unite_source {
    struct store *store; /* not owned */
    struct store_table experiments, points, tasks;
    struct store_result *results;     /* [tasks] */
    uint8_t *attempts, *bad;          /* [tasks] */
    int64_t *task_to, *experiment_to; /* rows in the layout, -1 = none */
    struct unite_network *networks;
    int64_t environment; /* what its rows of /environment are moved by */
};

struct unite_row {
    int64_t *from; /* [sources]: -1 = not there */
    bool lacks;    /* finished, but something is asked for that was not kept */
};

struct unite {
    struct store_layout layout;           /* owned, with grid_text */
    bool has_plan;                        /* what it lacks is an orphan */
    int64_t planned, planned_experiments; /* the plan's rows */
    struct unite_source *sources;
    int source_count;
    struct unite_row *rows;         /* [layout.tasks] */
    int64_t *places;                /* what the rows' `from` point into */
    const struct work_hooks *hooks; /* hear of each task copied; may be NULL */
};

/* Reads and checks the stores, and lays out what is to be made of them. `plan` may be NULL. */
int unite_lay_out(struct unite *unite, const struct plan *plan,
                  const struct store_identity *identity, struct store *const *stores, int count,
                  struct error *err);
int unite_rows(struct unite *unite, struct error *err);
int unite_slots(struct unite *unite, struct error *err);
/* A set of weights by its name; UNITE_FAMILIES for a name that is none of ours. */
enum unite_family unite_family_of(const char *when);
/* Slots of a network by family. */
void unite_count_slots(const struct store_network *network, int64_t counts[UNITE_FAMILIES]);
/* Fits store_filling.fill; `user` is the struct unite. */
int unite_fill(void *user, struct store *store, struct error *err);
void unite_finish(struct unite *unite);

/* Whether a source's task has a result that holds. */
bool unite_has_payload(const struct unite_source *source, int64_t task);
/* The source whose row says most of a task; -1 = nothing was ever said. */
int unite_chosen(const struct unite *unite, int64_t row);

/* The layout's network of a source's. */
int unite_network_of(struct unite *unite, struct unite_source *source, int64_t network, int32_t *to,
                     struct error *err);

#endif
