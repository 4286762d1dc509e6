/* What the files of this room share: the state of a run, and the steps that act on it. */
#ifndef SWEEPSTAKE_SRC_TRAIN_STATE_H
#define SWEEPSTAKE_SRC_TRAIN_STATE_H

#include "train/train.h"

/* All that changes while a run goes on, except what the network holds (weights, moments, steps
 * taken). With both, a run continues from `iteration` as if it had never stopped: batches, dropout
 * and rates follow from the iteration, everything else from the spec. Between iterations nothing
 * of `iteration` itself has happened yet. */
struct train_state {
    int64_t iteration;         /* the next */
    bool diverged;             /* a loss was not finite: the run is over */
    double loss_sum;           /* of the batches since the last point */
    int64_t loss_count;        /* so many batches */
    int32_t points;            /* curve points filled */
    int32_t curve_count;       /* curve points in all */
    struct train_point *curve; /* iterations of all, values of those filled, others NaN */
    int32_t early_stop;        /* the point of least validation loss; -1 = none yet */
    float *early_stop_weights; /* the parameter block at that point */
    struct train_score scores[PART_TEST + 1][TRAIN_WHENS];
};

int train_state_init(struct train_state *state, const struct train_spec *spec, int64_t block_size,
                     struct error *err);
void train_state_finish(struct train_state *state);

/* --- saved.c --- */

/* A run's state and network; `block` is theirs to use. */
struct train_saving {
    struct train_state *state;
    struct network *net;
    float *block; /* [net_block_size] */
};

/* Takes the state of an earlier run of the same spec over, weights and moments into the network. An
 * internal error when it is that of another. */
int train_resume(struct train_saving *into, const struct train_spec *spec,
                 const struct train_stream *from, struct error *err);

/* --- curve.c --- */

/* The first evaluation after `iteration`; T follows T. */
int64_t curve_next(const struct train_spec *spec, int64_t iteration);

/* --- evaluate.c --- */

/* Evaluates parts of a dataset with a network's current weights. */
struct evaluator;
struct evaluator *evaluator_create(struct network *net, const struct dataset *dataset,
                                   int32_t batch, struct error *err);
/* `pulse` is called after each batch from then on. */
void evaluator_set_pulse(struct evaluator *evaluator, void (*pulse)(void *user), void *user);
void evaluator_destroy(struct evaluator *evaluator); /* accepts NULL */
struct train_score evaluator_score(struct evaluator *evaluator, enum dataset_part part);

/* --- early_stop.c --- */

/* Whether `loss` is below the least so far, `least` (NaN = none so far); NaN never is. */
bool early_stop_improves(double loss, double least);

/* Looks at the point filled last: whether it is the new minimum, whose weights are to be kept. */
bool early_stop_consider(struct train_state *state);

/* --- score.c --- */

/* At the point filled last: scores all parts where that iteration has scores of its own. */
void score_point(struct train_state *state, const struct train_spec *spec,
                 struct evaluator *evaluator);

/* At the end: the scores at early stop, on the weights kept, which are in the network for the time
 * of it; then it has its `last` ones again. */
void score_early_stop(struct train_state *state, const struct train_spec *spec,
                      struct evaluator *evaluator, struct network *net, const float *last);

#endif
