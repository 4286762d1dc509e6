/* One point of a grid: every field resolved (recipe, blocks, axes, zip applied), each with the mark
 * of the value that set it, so that checks made later (plan) can point at the line. Plain data. */
#ifndef SWEEPSTAKE_GRID_EXPERIMENT_H
#define SWEEPSTAKE_GRID_EXPERIMENT_H

#include <stdbool.h>
#include <stdint.h>

#define GRID_NAME_SIZE 64
#define GRID_PATH_SIZE 256
#define GRID_MAX_AT 16        /* train.evaluate.at, schedule drops */
#define GRID_MAX_FRACTIONS 64 /* prune.fractions */
#define GRID_MAX_LEVELS 64    /* control levels; also the most rounds */
#define GRID_MAX_CONTROLS 16
#define GRID_MAX_SET 8
#define GRID_SET_SIZE 128

/* Where a value stands in the grid file; line 0 = a default or a recipe. Counted from 1. */
struct mark {
    uint32_t line, column; /* columns count characters, not bytes */
};

/* A length of training: iterations, or epochs ("160ep"), which plan turns into iterations. */
struct steps {
    int64_t count;
    bool in_epochs;
};

struct steps_list {
    int32_t count;
    struct steps items[GRID_MAX_AT];
};

struct real_list {
    int32_t count;
    double items[GRID_MAX_FRACTIONS];
};

enum field_augment { FIELD_AUGMENT_NONE, FIELD_AUGMENT_FLIP_CROP };
enum field_preprocessing { FIELD_PREPROCESSING_UNIT, FIELD_PREPROCESSING_STANDARDIZE };
enum field_init {
    FIELD_INIT_GLOROT_NORMAL,
    FIELD_INIT_GLOROT_TRUNCATED,
    FIELD_INIT_KAIMING_NORMAL,
    FIELD_INIT_KAIMING_UNIFORM,
    FIELD_INIT_NORMAL
};
enum field_optimizer { FIELD_OPTIMIZER_SGD, FIELD_OPTIMIZER_ADAM };
enum field_decay { FIELD_DECAY_CONSTANT, FIELD_DECAY_STEP, FIELD_DECAY_COSINE };
enum field_test { FIELD_TEST_SUMMARY, FIELD_TEST_EVERY };
/* Others are known by name and refused as not there yet. */
enum field_criterion { FIELD_CRITERION_MAGNITUDE };
enum field_scope { FIELD_SCOPE_LAYER, FIELD_SCOPE_GLOBAL };
enum field_prune_schedule { FIELD_ITERATIVE, FIELD_ONE_SHOT };
enum field_rewind { FIELD_REWIND_WEIGHTS, FIELD_REWIND_LEARNING_RATE, FIELD_REWIND_NONE };

enum snapshot {
    SNAPSHOT_INIT = 1,
    SNAPSHOT_REWIND = 2,
    SNAPSHOT_EARLY_STOP = 4,
    SNAPSHOT_FINAL = 8
};

enum control_kind { CONTROL_NONE, CONTROL_REINIT, CONTROL_RANDOM_MASK, CONTROL_SAME, CONTROL_FORK };

/* prune.at: which iteration's weights the criterion sees. */
#define PRUNE_AT_END (-1)

/* Fields in the order of the table in src/grid/fields.c. field_count() of them. */
struct experiment_fields {
    char recipe[GRID_NAME_SIZE];
    char architecture[GRID_NAME_SIZE]; /* built in, or the grid's own */
    struct {
        char name[GRID_NAME_SIZE];
        char folder[GRID_PATH_SIZE]; /* empty = --data, SWEEPSTAKE_DATA */
        int64_t validation;          /* examples */
        int64_t train, test;         /* -1 = all */
        int64_t split_seed;
        int64_t seed; /* generators */
        enum field_preprocessing preprocessing;
        enum field_augment augment;
    } dataset;
    struct {
        enum field_init name;
        double sigma; /* of FIELD_INIT_NORMAL; 0 = none given */
    } init;
    struct {
        struct steps iterations;
        int64_t batch;
        struct {
            enum field_optimizer name;
            double learning_rate, momentum;
            bool nesterov;
            double weight_decay, beta1, beta2, epsilon;
        } optimizer;
        struct steps warmup;
        struct {
            enum field_decay name;
            struct steps_list drops; /* where the rate is multiplied by factor */
            double factor;
        } schedule;
        double dropout; /* probability of dropping a hidden unit */
        struct {
            struct steps every;
            struct steps_list at;
            enum field_test test;
        } evaluate;
    } train;
    struct {
        enum field_criterion criterion;
        enum field_scope scope;
        enum field_prune_schedule schedule;
        struct {
            double conv, fc, output; /* output: resolved ("half" = half of fc); 0 = never pruned */
        } rate;
        int64_t rounds; /* with fractions: their number */
        /* One-shot: total fraction of prunable weights pruned at level 1, 2, ...; rising. */
        struct real_list fractions;
        int64_t at; /* PRUNE_AT_END, or an iteration (init = 0) */
    } prune;
    struct {
        struct steps to;
        enum field_rewind what;
    } rewind;
    struct {
        int64_t init, order, augment, dropout; /* `seed` sets all four; the longer path wins */
    } seed;
};

#define GRID_FIELD_MAX 64

/* What each ticket is compared with. */
struct control {
    enum control_kind kind;
    struct mark mark;
    int32_t draws;
    int32_t level_count; /* -1 = every level >= 1 */
    int32_t levels[GRID_MAX_LEVELS];
    int32_t set_count; /* fields changed for this control alone */
    struct control_set {
        int32_t field; /* of dataset, train or seed */
        struct mark mark;
        char value[GRID_SET_SIZE]; /* the scalar as written; checked when read */
    } set[GRID_MAX_SET];
};

/* Every byte of `fields` that is no value (padding, the end of texts and lists) is zero:
 * experiments with equal fields are equal under memcmp. */
struct experiment {
    struct experiment_fields fields;
    struct mark marks[GRID_FIELD_MAX]; /* by field number */
    /* [control_count]; the grid's, shared by the experiments of a block. */
    const struct control *controls;
    int32_t control_count;
    unsigned snapshots; /* of enum snapshot */
};

/* `to` = the experiment as the control's training sees it (`set` applied; it has no controls). */
void experiment_for_control(const struct experiment *experiment, const struct control *control,
                            struct experiment *to);

const char *control_kind_name(enum control_kind kind); /* "ticket" for CONTROL_NONE */

#endif
