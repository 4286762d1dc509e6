/* A plan while it is made. The order is always the same: every experiment is resolved (resolve.c,
 * training.c, ladder.c), then its tasks and points are added (dag.c, keyed by key.c); when all are
 * there, slots (slots.c) and costs (cost.c) follow from the whole.
 *
 * What many experiments have in common is resolved once: maps from the bytes of the fields that
 * matter to the index of what they gave. */
#ifndef PLAN_BUILDER_H
#define PLAN_BUILDER_H

#include "plan/plan.h"
#include "shelf.h"

/* What the experiments that share a task want of it, beyond what its key says. */
struct wants {
    bool init, early_stop, final; /* weights to be kept */
    double density;               /* share of prunable weights it is expected to train */
};

/* A level of a ladder: how its mask is made, and how much is then left. */
struct rung {
    int32_t pruning;
    double density;
    struct net_density kept; /* of the kinds apart; where all are pruned together, of all of these */
};

struct builder {
    struct plan *plan;
    const struct grid *grid;
    const char *data_folder; /* may be NULL */

    struct shelf networks, datasets, trainings, prunings;
    struct index_map network_by_fields, dataset_by_request, dataset_by_data, training_by_fields;

    struct index_map ladder_by_fields; /* to the rung of level 0; one a level follows */
    struct rung *rungs;
    int32_t rung_count;
    size_t rung_capacity;

    struct index_map task_by_key;
    struct wants *wants; /* [plan->task_count] */
    size_t task_capacity, wants_capacity, point_capacity;
    struct text key_text; /* reused from task to task */
};

/* An experiment, or what a control with `set` makes of one, as indices into the plan. */
struct resolved {
    const struct experiment *experiment;
    int32_t network, dataset, training;
    int32_t levels; /* tickets; 0 = only the dense run */
    int32_t ladder; /* index of the rung of level 0 */
    int64_t rewind; /* k */
};

/* --- resolve.c --- */

int resolve_experiment(struct builder *builder, const struct experiment *experiment,
                       struct resolved *resolved, struct error *err);
/* As the control `set`s it; the ladder and k are the ticket's. `changed` holds the fields and must
 * live as long as `resolved`. */
int resolve_control(struct builder *builder, const struct resolved *ticket,
                    const struct control *control, struct experiment *changed,
                    struct resolved *resolved, struct error *err);

/* --- training.c --- */

/* The index of the plan_training of these fields on this dataset, or -1. */
int32_t resolve_training(struct builder *builder, const struct experiment *experiment,
                         int32_t dataset, struct error *err);
/* Iterations a length of training has on this dataset. Usage error at `field` when too many. */
int resolve_steps(struct builder *builder, const struct experiment *experiment, int32_t dataset,
                  struct steps steps, const char *field, int64_t *iterations, struct error *err);

/* --- ladder.c --- */

/* Sets resolved->levels and ->ladder from the fields of `prune`. */
int resolve_ladder(struct builder *builder, struct resolved *resolved, struct error *err);

/* --- dag.c --- */

int dag_add_experiment(struct builder *builder, int32_t experiment, struct error *err);

/* --- slots.c --- */

/* Has `task` keep the weights of an iteration: rewind-K of a root, at-N of any. The bits are in the
 * order of first use until slots_assign sorts them. Usage error at the experiment's field when the
 * network would keep too many. */
int slots_want_rewind(struct builder *builder, const struct experiment *experiment, int32_t task,
                      int64_t iteration, struct error *err);
int slots_want_at(struct builder *builder, const struct experiment *experiment, int32_t task,
                  int64_t iteration, struct error *err);
int slots_assign(struct builder *builder, struct error *err);

/* --- cost.c --- */

/* Costs of all tasks and of the plan. */
void cost_assign(struct builder *builder);
/* Number of evaluations of a training that starts at `start`. */
int64_t cost_evaluations(const struct plan_training *training, int64_t start);

#endif
