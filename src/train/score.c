/* Scores on all three parts, at the few moments that have them: early stop, T, the first marks.
 * What the curve or another of these moments holds already is not evaluated again. */
#include <string.h>

#include "state.h"

static int64_t iteration_of(const struct train_spec *spec, int when)
{
    if (when == TRAIN_AT_END)
        return spec->iterations;
    int mark = when - TRAIN_AT_MARK;
    return mark >= 0 && mark < spec->at_count ? spec->at[mark] : -1;
}

/* The first moment from `when` on that is at `iteration`; TRAIN_WHENS = none. */
static int find_when(const struct train_spec *spec, int when, int64_t iteration)
{
    while (when < TRAIN_WHENS && iteration_of(spec, when) != iteration)
        when++;
    return when;
}

static void evaluate_at(struct train_state *state, int when, const struct train_point *point,
                        bool test_known, struct evaluator *evaluator)
{
    state->scores[PART_TRAIN][when] = evaluator_score(evaluator, PART_TRAIN);
    state->scores[PART_VALIDATION][when] =
        (struct train_score){point->validation_loss, point->validation_accuracy};
    state->scores[PART_TEST][when] =
        test_known ? (struct train_score){point->test_loss, point->test_accuracy}
                   : evaluator_score(evaluator, PART_TEST);
}

static void copy_scores(struct train_state *state, int from, int to)
{
    for (int part = 0; part <= PART_TEST; part++)
        state->scores[part][to] = state->scores[part][from];
}

void score_point(struct train_state *state, const struct train_spec *spec,
                 struct evaluator *evaluator)
{
    const struct train_point *point = &state->curve[state->points - 1];
    int first = find_when(spec, TRAIN_AT_END, point->iteration);
    if (first == TRAIN_WHENS)
        return;
    evaluate_at(state, first, point, spec->test_curve, evaluator);
    for (int when = find_when(spec, first + 1, point->iteration); when < TRAIN_WHENS;
         when = find_when(spec, when + 1, point->iteration))
        copy_scores(state, first, when);
}

void score_early_stop(struct train_state *state, const struct train_spec *spec,
                      struct evaluator *evaluator, struct network *net, const float *last)
{
    if (state->early_stop < 0)
        return;
    const struct train_point *point = &state->curve[state->early_stop];
    int same = find_when(spec, TRAIN_AT_END, point->iteration);
    if (same < TRAIN_WHENS) {
        copy_scores(state, same, TRAIN_AT_EARLY_STOP);
        return;
    }
    net_write_weights(net, state->early_stop_weights);
    evaluate_at(state, TRAIN_AT_EARLY_STOP, point, spec->test_curve, evaluator);
    net_write_weights(net, last);
}
