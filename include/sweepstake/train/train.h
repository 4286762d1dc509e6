/* One training run: iterations k..T, evaluation, early stop, captures.
 *
 * Everything is a function of the absolute iteration: a run that starts at k sees the batches,
 * dropout masks and rates of iterations k..T-1. What happens at an iteration (evaluation, capture)
 * sees the weights before that iteration's step; at T, those after the last. The caller owns
 * network and dataset; hooks take captures, learn of progress, and ask to save or to stop. A run that
 * is resumed from a saved state ends in the same bits as one that was never interrupted. */
#ifndef SWEEPSTAKE_TRAIN_TRAIN_H
#define SWEEPSTAKE_TRAIN_TRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "nn/network.h"

#define TRAIN_MAX_AT 16
#define TRAIN_MAX_CAPTURES 64
#define TRAIN_MARKS 4 /* the first `at` iterations have scores of their own in the results */

struct train_spec {
    struct optimizer_spec optimizer;
    struct schedule_spec schedule;
    double fixed_rate; /* NaN = the schedule; else this rate throughout (rewind.what: none) */
    int64_t batch;
    /* Examples evaluated at once, a multiple of NET_LANES and no more than the network was made
     * for. Part of what fixes rounding, so it is net_evaluate_batch's for every run. */
    int32_t evaluate_batch;
    int64_t start, iterations; /* k and T, 0 <= k <= T */
    int64_t evaluate_every;    /* >= 1 */
    int32_t at_count;
    int64_t at[TRAIN_MAX_AT]; /* ascending, each <= T; those below k do not happen */
    bool test_curve;
    struct rng_stream order, augment, dropout; /* augment: where the dataset asks for it */
    int32_t capture_count;
    int64_t captures[TRAIN_MAX_CAPTURES]; /* ascending; those below k or after T do not happen */
};

/* Losses are means of cross-entropy over examples; accuracies are from 0 to 1; NaN = not there. */
struct train_point {
    int64_t iteration;
    double train_loss; /* mean batch loss since the point before; NaN at the start */
    double validation_loss, validation_accuracy;
    double test_loss, test_accuracy; /* NaN unless test_curve */
};

struct train_score {
    double loss, accuracy;
};

/* When the three parts are scored. */
enum train_when {
    TRAIN_AT_EARLY_STOP,
    TRAIN_AT_END,
    TRAIN_AT_MARK, /* + i: at[i], i < TRAIN_MARKS */
    TRAIN_WHENS = TRAIN_AT_MARK + TRAIN_MARKS,
};

enum train_outcome {
    TRAIN_FINISHED,
    TRAIN_DIVERGED,    /* the loss of a training batch was not finite */
    TRAIN_INTERRUPTED, /* the progress hook asked for it: saved, the result is incomplete */
};

struct train_result {
    enum train_outcome outcome;
    int32_t curve_count;       /* train_curve_length(spec) */
    struct train_point *curve; /* of these iterations; NaN from divergence or interruption on */
    /* The earliest minimum of validation loss, the start and T included; NaN is none. -1 = none. */
    int64_t early_stop_iteration;
    float *early_stop_weights; /* the parameter block then; NULL = none */
    float *weights;            /* the parameter block after T; NULL unless finished */
    struct train_score scores[PART_TEST + 1][TRAIN_WHENS]; /* [part][when] */
};

/* Where the state of a run goes to, or comes from: bytes in order, pieces of the same sizes both ways.
 * The piece may be taken from `bytes` or put there. */
struct train_stream {
    void *user;
    int (*pass)(void *user, void *bytes, size_t size, struct error *err);
};

/* A run between two iterations, for train_save. */
struct train_saving;

/* What a run is to do before its next step. */
enum train_wish {
    TRAIN_GO_ON,
    TRAIN_SAVE, /* save and go on */
    TRAIN_STOP, /* save and end as TRAIN_INTERRUPTED */
};

struct train_hooks {
    void *user;
    /* Before every step and before the end's evaluation: `iteration` is the next one. Should take
     * no longer than microseconds. May be NULL. */
    enum train_wish (*progress)(void *user, int64_t iteration);
    /* A sign of life while the network is evaluated, which may take long: `iteration` and a growing
     * part of the next. May be NULL. */
    void (*evaluating)(void *user, double iteration);
    /* The run as it stands before `iteration`, to be kept by train_save. NULL = nothing is saved. */
    int (*save)(void *user, int64_t iteration, struct train_saving *saving, struct error *err);
    /* What train_save wrote for a run of the same spec, network and mask: it goes on from there.
     * NULL = it begins. */
    const struct train_stream *resume;
    /* The network at iteration captures[which], to read its weights. Not called for iterations from
     * divergence on. May be NULL. */
    int (*capture)(void *user, int32_t which, const struct network *net, struct error *err);
};

/* How many of k..T are evaluated: the start, multiples of `every`, `at`, and T. */
int64_t train_curve_length(const struct train_spec *spec);

/* Passes on the whole state: at most what train_state_bytes says. */
int train_save(struct train_saving *saving, const struct train_stream *to, struct error *err);
/* Bytes of the largest state of a run whose curve has so many points. */
int64_t train_state_bytes(const struct optimizer_spec *optimizer, int64_t curve_length,
                          int64_t block_size);

/* Trains `net`, whose weights and mask the caller has set; the optimiser is set here, its moments
 * and step count at zero. Afterwards `net` holds the last weights (unspecified after divergence).
 * The result is to be finished after success; on error it holds nothing. `hooks` may be NULL. */
int train_run(const struct train_spec *spec, struct network *net, const struct dataset *dataset,
              const struct train_hooks *hooks, struct train_result *result, struct error *err);
void train_result_finish(struct train_result *result); /* may be called twice */

/* Mean loss and accuracy of the network's current weights on a whole part, `batch` examples at once
 * (see evaluate_batch); NaN for an empty one. */
int train_evaluate(struct network *net, const struct dataset *dataset, enum dataset_part part,
                   int32_t batch, struct train_score *score, struct error *err);

#endif
