/* One store out of several sources: a plan and the store it grows from, or two stores to be merged.
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

#define UNITE_SOURCES 2

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
    int64_t from[UNITE_SOURCES]; /* -1 = not there */
    bool lacks;                  /* finished, but something is asked for that was not kept */
};

struct unite {
    struct store_layout layout;           /* owned, with grid_text */
    bool grows;                           /* what the plan lacks is an orphan */
    int64_t planned, planned_experiments; /* the plan's rows */
    struct unite_source sources[UNITE_SOURCES];
    int source_count;
    struct unite_row *rows;         /* [layout.tasks] */
    const struct work_hooks *hooks; /* hear of each task copied; may be NULL */
};

/* Reads and checks a store. All sources are added before anything else. */
int unite_add_source(struct unite *unite, struct store *store, struct error *err);
int unite_rows(struct unite *unite, struct error *err);
int unite_slots(struct unite *unite, struct error *err);
/* A set of weights by its name; UNITE_FAMILIES for a name that is none of ours. */
enum unite_family unite_family_of(const char *when);
/* Slots of a network by family. */
void unite_count_slots(const struct store_network *network, int64_t counts[UNITE_FAMILIES]);
/* Fits store_filling.fill; `user` is the struct unite. */
int unite_fill(void *user, struct store *store, struct error *err);
void unite_finish(struct unite *unite);

/* Room for the texts of all sources behind those the layout has; equal texts are one. */
int unite_grids(struct unite *unite, struct error *err);

/* Whether a source's task has a result that holds. */
bool unite_has_payload(const struct unite_source *source, int64_t task);
/* The source whose row says most of a task; -1 = nothing was ever said. */
int unite_chosen(const struct unite *unite, int64_t row);

/* The layout's network of a source's. */
int unite_network_of(struct unite *unite, struct unite_source *source, int64_t network, int32_t *to,
                     struct error *err);

#endif
