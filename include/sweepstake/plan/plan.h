/* The plan: experiments become tasks (training runs), a DAG in which equal keys are one task. What needs grid,
 * network and data together is decided here: checks across fields (at the field's mark), resolved specs, keys,
 * points, store slots, costs, memory. Pure: reads no store and no clock. */
#ifndef SWEEPSTAKE_PLAN_PLAN_H
#define SWEEPSTAKE_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/dataset.h"
#include "grid/grid.h"
#include "nn/network.h"

#define PLAN_KEY_EPOCH 1 /* raised only when a field changes meaning */
#define PLAN_MAX_AT GRID_MAX_AT
#define PLAN_MAX_CAPTURES 61 /* rewind-K and at-N together, a network: with init, early-stop and final 64 */

/* A network of the plan and what the store keeps for it. */
struct plan_network {
    struct net_spec spec;
    char label[NET_NAME_SIZE];
    int64_t mask_slots, init_slots, rewind_slots, at_slots, early_stop_slots, final_slots;
    int32_t rewind_count, at_count;       /* ascending; datasets rewind-K and at-N */
    int64_t rewinds[PLAN_MAX_CAPTURES], ats[PLAN_MAX_CAPTURES];
};

struct plan_dataset {
    struct dataset_request request;
    struct dataset_info info;
    struct hash128 content;
};

/* How a task trains: shared by the many tasks that train alike. */
struct plan_training {
    struct optimizer_spec optimizer;
    struct schedule_spec schedule;
    int64_t batch, iterations; /* T */
    double dropout;
    int64_t evaluate_every;
    int32_t at_count;
    int64_t at[PLAN_MAX_AT]; /* ascending */
};

/* How its mask is made from its parent's. */
struct plan_pruning {
    enum field_criterion criterion;
    enum field_scope scope;
    double rate_conv, rate_fc, rate_output; /* 0 = never; kinds the network lacks are 0; global: one rate, the largest */
    int32_t rounds;  /* counts of so many rounds at once, >= 1 */
    double fraction; /* NaN = by rates */
    int64_t at;      /* PRUNE_AT_END, or the iteration whose weights the criterion sees */
};

/* Where training starts. */
enum plan_start {
    START_INIT,         /* own initial values (level 0, reinit) */
    START_REWIND,       /* the lineage's W_k under the mask (k = 0: init) */
    START_PARENT_FINAL, /* learning-rate rewinding and fine-tuning */
};

/* A training run.
 *
 * Controls differ from their ticket in one thing and share all others with it (level, parent, pruning, k, and the
 * iterations k..T on the schedule): reinit in the weights it starts from, its own initial values placed at iteration k,
 * whatever rewind.what is; random-mask in the places of the mask; fork in the order, augmentation and dropout streams;
 * same in nothing but what its `set` changes (with nothing changed it is the ticket itself).
 * At level 0, reinit is another dense run (0..T from its own initial values, no parent), so is same (which needs a
 * `set` there), and fork goes on from the dense run's W_k under other streams (k..T, its parent is the dense run). None
 * has a pruning: every weight is kept. */
struct plan_task {
    struct hash128 key;
    int32_t parent; /* row, -1 = none; always smaller than the task's own */
    int32_t root;   /* row of the lineage's level-0 task; itself at level 0 */
    int32_t level;  /* where first asked for; no part of the key (a fraction may be level 1 here and level 2 there) */
    int32_t network, dataset, training, pruning; /* indices; pruning -1 at level 0 */
    struct net_density kept; /* by its mask, overall in the global scope: for estimates */
    enum control_kind control; /* a `same` that is also some experiment's ticket is CONTROL_NONE */
    int32_t draw; /* 1.. for controls, else 0 (same: 0, all draws of it are one task) */
    enum plan_start start;
    int64_t start_iteration; /* k */
    bool fixed_rate;         /* rewind.what: none, where the rate of T-1 is not that of k..T-1 anyway */
    struct init_spec init;   /* how its own initial values are drawn, else the lineage's */
    bool diverts_init;       /* reinit: initial values from (seed_init, draw) */
    int64_t seed_init;       /* of its own initial values or random mask, else the lineage's */
    int64_t seed_order;
    int64_t seed_augment, seed_dropout; /* -1 = not consumed */

    /* What the store is to keep: slots this task uses (-1 absent), and which of them it writes. Initial values have a
     * slot for each (network, init, seed_init, draw): every task of such a lineage refers to it and every START_INIT task
     * writes it, the same bytes. rewind_slot: the root's row, for the root if it captures and for tasks that start at
     * K > 0 (K = 0 is init). Tasks with children keep their final weights. */
    int64_t mask_slot, init_slot, rewind_slot, at_slot, early_stop_slot, final_slot;
    bool writes_mask, writes_init, writes_early_stop, writes_final;
    int64_t rewind_set, at_set; /* bit i: this task captures the network's rewinds[i] / ats[i] */
    bool test_curve;
    int64_t curve_offset;
    int32_t curve_count;
    double cost; /* operations of training and evaluating, at the density expected */
    double end_cost; /* those of them that come after the last iteration: the scores of the whole */
};

/* What a reader plots: an experiment's points come by level, the ticket first, then its controls and their draws. */
struct plan_point {
    int32_t experiment, level, control_index; /* -1 = the ticket itself */
    enum control_kind control;
    int32_t draw, task, dense_task;
};

struct plan {
    const struct grid *grid; /* not owned */
    struct plan_network *networks;
    struct plan_dataset *datasets;
    struct plan_training *trainings;
    struct plan_pruning *prunings;
    struct plan_task *tasks; /* parents before children */
    struct plan_point *points;
    int32_t network_count, dataset_count, training_count, pruning_count, task_count, point_count;
    int64_t curve_rows;
    int64_t unshared_tasks; /* training runs if each experiment had its own dense run, tickets and controls: one a point */
    double cost, unshared_cost;
    char hash[HASH_HEX_SIZE]; /* of everything above that the store's layout depends on */
};

/* Some of a grid's experiments: part `number` (from 1) of `count`. The parts of a grid share no task, are about equally
 * dear, and are the same wherever they are made. */
struct plan_part {
    int32_t number, count; /* {0, 0} = the whole grid */
};

struct plan_options {
    const char *data_folder; /* --data; NULL = SWEEPSTAKE_DATA, may be NULL too */
    struct plan_part part;
};

/* Resolves, checks and expands. Datasets from files are decoded (for their content hash); generators are not. Of a part, the
 * grid loses the experiments that are not in it. Usage error when the grid does not fall into so many. */
struct plan *plan_create(struct grid *grid, const struct plan_options *options, struct error *err);
void plan_destroy(struct plan *plan); /* accepts NULL */

/* The iteration at which a task would end if what comes after its last one were more of them. */
double plan_end_iteration(const struct plan *plan, const struct plan_task *task);

/* The canonical text that is hashed into a task's key (frozen format; epoch PLAN_KEY_EPOCH). Contains the parent's key. */
void plan_key_text(const struct plan *plan, int32_t task, struct text *text);

/* Memory in bytes that a worker needs of its own for the largest task, when layers compute so: program, network,
 * buffers. */
int64_t plan_memory_bytes(const struct plan *plan, enum net_kernels kernels);

/* What `workers` of a node need beside that for the examples they share: at most that many contents at a time, each
 * once. */
int plan_data_bytes(const struct plan *plan, int64_t workers, int64_t *bytes, struct error *err);

#endif
