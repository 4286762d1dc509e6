/* The curve: which iterations are evaluated, and the state that is made for them. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "state.h"

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t curve_next(const struct train_spec *spec, int64_t iteration)
{
    int64_t left = spec->iterations - iteration, every = spec->evaluate_every;
    int64_t next = iteration + smaller(left, every - iteration % every);
    for (int32_t i = 0; i < spec->at_count; i++)
        if (spec->at[i] > iteration)
            next = smaller(next, spec->at[i]);
    return next;
}

int64_t train_curve_length(const struct train_spec *spec)
{
    int64_t length = 1;
    for (int64_t at = spec->start; at < spec->iterations; at = curve_next(spec, at))
        length++;
    return length;
}

static struct train_point *curve_create(const struct train_spec *spec, int32_t count,
                                        struct error *err)
{
    struct train_point *curve = mem_zeroed((size_t)count, sizeof *curve, err);
    int64_t iteration = spec->start;
    for (int32_t i = 0; curve && i < count; i++, iteration = curve_next(spec, iteration))
        curve[i] = (struct train_point){iteration, NAN, NAN, NAN, NAN, NAN};
    return curve;
}

static void clear_scores(struct train_state *state)
{
    for (int part = 0; part <= PART_TEST; part++)
        for (int when = 0; when < TRAIN_WHENS; when++)
            state->scores[part][when] = (struct train_score){NAN, NAN};
}

int train_state_init(struct train_state *state, const struct train_spec *spec, int64_t block_size,
                     struct error *err)
{
    int64_t points = train_curve_length(spec);
    *state = (struct train_state){.iteration = spec->start, .early_stop = -1};
    if (points > INT32_MAX)
        return error_set(err, ERROR_USAGE, "%" PRId64 " evaluations are more than a curve can hold",
                         points);
    state->curve_count = (int32_t)points;
    clear_scores(state);
    state->curve = curve_create(spec, state->curve_count, err);
    state->early_stop_weights =
        mem_aligned((size_t)block_size, sizeof *state->early_stop_weights, err);
    if (state->curve && state->early_stop_weights)
        return 0;
    train_state_finish(state);
    return -1;
}

void train_state_finish(struct train_state *state)
{
    free(state->curve);
    free(state->early_stop_weights);
    *state = (struct train_state){.early_stop = -1};
}
