/* The training loop. Per iteration: what is due at it (captures, a curve point), then its step. The
 * loop may be left before any iteration; all that goes on changing is in struct train_state and in
 * the network (state.h), the rest of struct run is fixed or follows from them. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "state.h"

struct run {
    const struct train_spec *spec;
    const struct dataset *dataset;
    const struct train_hooks *hooks;
    struct network *net;
    struct batch_order *order;
    struct evaluator *evaluator;
    uint8_t *labels; /* [batch] */
    float *block;    /* for a state on its way; the last parameters */
    struct train_state state;
    int64_t pulses; /* batches evaluated since the last step */
};

static bool ascending(const int64_t *values, int32_t count)
{
    for (int32_t i = 1; i < count; i++)
        if (values[i] < values[i - 1])
            return false;
    return true;
}

static int check_spec(const struct train_spec *spec, struct error *err)
{
    if (spec->start < 0 || spec->start > spec->iterations)
        return error_set(err, ERROR_INTERNAL, "training from iteration %" PRId64 " to %" PRId64,
                         spec->start, spec->iterations);
    if (spec->evaluate_batch < 1)
        return error_set(err, ERROR_INTERNAL, "training evaluated in batches of %" PRId32,
                         spec->evaluate_batch);
    if (spec->evaluate_every < 1)
        return error_set(err, ERROR_INTERNAL, "training evaluated every %" PRId64 " iterations",
                         spec->evaluate_every);
    if (spec->at_count < 0 || spec->at_count > TRAIN_MAX_AT || spec->capture_count < 0 ||
        spec->capture_count > TRAIN_MAX_CAPTURES || !ascending(spec->at, spec->at_count) ||
        !ascending(spec->captures, spec->capture_count) ||
        (spec->at_count > 0 && spec->at[spec->at_count - 1] > spec->iterations))
        return error_set(
            err, ERROR_INTERNAL,
            "training with lists of iterations that are too long, do not ascend or go on "
            "after its end");
    return 0;
}

static void run_finish(struct run *run)
{
    batch_order_destroy(run->order);
    evaluator_destroy(run->evaluator);
    free(run->labels);
    free(run->block);
    train_state_finish(&run->state);
}

static struct train_saving saving_of(struct run *run)
{
    return (struct train_saving){.state = &run->state, .net = run->net, .block = run->block};
}

static void pulse(void *user)
{
    struct run *run = user;
    double part = (double)++run->pulses;
    run->hooks->evaluating(run->hooks->user, (double)run->state.iteration + part / (part + 1));
}

/* On failure the run is to be finished all the same. */
static int run_init(struct run *run, struct error *err)
{
    const struct train_spec *spec = run->spec;
    if (train_state_init(&run->state, spec, net_block_size(run->net), err) != 0)
        return -1;
    run->order = batch_order_create(run->dataset, spec->batch, spec->order, err);
    run->evaluator =
        run->order ? evaluator_create(run->net, run->dataset, spec->evaluate_batch, err) : NULL;
    if (run->evaluator && run->hooks->evaluating)
        evaluator_set_pulse(run->evaluator, pulse, run);
    run->labels = run->evaluator ? mem_zeroed((size_t)spec->batch, 1, err) : NULL;
    run->block =
        run->labels ? mem_aligned((size_t)net_block_size(run->net), sizeof *run->block, err) : NULL;
    if (!run->block || net_set_optimizer(run->net, &spec->optimizer, err) != 0)
        return -1;
    struct train_saving into = saving_of(run);
    return run->hooks->resume ? train_resume(&into, spec, run->hooks->resume, err) : 0;
}

/* --- what is due at an iteration --- */

static int take_captures(struct run *run, struct error *err)
{
    if (!run->hooks->capture)
        return 0;
    const struct train_spec *spec = run->spec;
    for (int32_t i = 0; i < spec->capture_count; i++)
        if (spec->captures[i] == run->state.iteration &&
            run->hooks->capture(run->hooks->user, i, run->net, err) != 0)
            return -1;
    return 0;
}

static void fill_point(struct run *run, struct train_point *point)
{
    struct train_state *state = &run->state;
    if (state->loss_count > 0)
        point->train_loss = state->loss_sum / (double)state->loss_count;
    struct train_score score = evaluator_score(run->evaluator, PART_VALIDATION);
    point->validation_loss = score.loss;
    point->validation_accuracy = score.accuracy;
    if (run->spec->test_curve) {
        score = evaluator_score(run->evaluator, PART_TEST);
        point->test_loss = score.loss;
        point->test_accuracy = score.accuracy;
    }
    state->loss_sum = 0;
    state->loss_count = 0;
    state->points++;
}

static void evaluate_if_due(struct run *run)
{
    struct train_state *state = &run->state;
    struct train_point *next = &state->curve[state->points];
    if (state->points == state->curve_count || next->iteration != state->iteration)
        return;
    fill_point(run, next);
    if (early_stop_consider(state))
        net_read_weights(run->net, state->early_stop_weights);
    score_point(state, run->spec, run->evaluator);
}

/* --- steps --- */

static double rate_at(const struct train_spec *spec, int64_t iteration)
{
    return isnan(spec->fixed_rate) ? schedule_rate(&spec->schedule, iteration) : spec->fixed_rate;
}

static void step(struct run *run)
{
    const struct train_spec *spec = run->spec;
    struct train_state *state = &run->state;
    int32_t examples = (int32_t)spec->batch;
    struct net_batch batch = {.inputs = net_train_input(run->net),
                              .labels = run->labels,
                              .examples = examples,
                              .columns = (examples + NET_LANES - 1) / NET_LANES * NET_LANES};
    batch_order_assemble(run->order, state->iteration, spec->augment, batch.columns,
                         net_train_input(run->net), run->labels);
    double loss = net_train_step(run->net, &batch, rate_at(spec, state->iteration),
                                 state->iteration, spec->dropout);
    state->diverged = !isfinite(loss);
    state->loss_sum += loss;
    state->loss_count++;
    state->iteration++;
    run->pulses = 0;
}

/* Does what the caller wishes before the next step. */
static int heed(struct run *run, enum train_wish *wish, struct error *err)
{
    const struct train_hooks *hooks = run->hooks;
    struct train_saving saving = saving_of(run);
    *wish = hooks->progress ? hooks->progress(hooks->user, run->state.iteration) : TRAIN_GO_ON;
    if (*wish == TRAIN_GO_ON || !hooks->save)
        return 0;
    return hooks->save(hooks->user, run->state.iteration, &saving, err);
}

static int run_iterations(struct run *run, enum train_outcome *outcome, struct error *err)
{
    while (!run->state.diverged) {
        enum train_wish wish;
        if (heed(run, &wish, err) != 0)
            return -1;
        if (wish == TRAIN_STOP) {
            *outcome = TRAIN_INTERRUPTED;
            return 0;
        }
        if (take_captures(run, err) != 0)
            return -1;
        evaluate_if_due(run);
        if (run->state.iteration == run->spec->iterations)
            break;
        step(run);
    }
    *outcome = run->state.diverged ? TRAIN_DIVERGED : TRAIN_FINISHED;
    net_read_weights(run->net, run->block);
    score_early_stop(&run->state, run->spec, run->evaluator, run->net, run->block);
    return 0;
}

/* Hands what the run holds over to the result. */
static void take_result(struct run *run, enum train_outcome outcome, struct train_result *result)
{
    struct train_state *state = &run->state;
    *result = (struct train_result){.outcome = outcome,
                                    .curve_count = state->curve_count,
                                    .curve = state->curve,
                                    .early_stop_iteration = -1};
    for (int part = 0; part <= PART_TEST; part++)
        for (int when = 0; when < TRAIN_WHENS; when++)
            result->scores[part][when] = state->scores[part][when];
    state->curve = NULL;
    if (outcome == TRAIN_FINISHED) {
        result->weights = run->block;
        run->block = NULL;
    }
    if (state->early_stop < 0)
        return;
    result->early_stop_iteration = result->curve[state->early_stop].iteration;
    result->early_stop_weights = state->early_stop_weights;
    state->early_stop_weights = NULL;
}

int train_run(const struct train_spec *spec, struct network *net, const struct dataset *dataset,
              const struct train_hooks *hooks, struct train_result *result, struct error *err)
{
    const struct train_hooks none = {0};
    struct run run = {.spec = spec, .net = net, .dataset = dataset, .hooks = hooks ? hooks : &none};
    *result = (struct train_result){.early_stop_iteration = -1};
    if (check_spec(spec, err) != 0)
        return -1;
    enum train_outcome outcome;
    int status = run_init(&run, err);
    if (status == 0)
        status = run_iterations(&run, &outcome, err);
    if (status == 0)
        take_result(&run, outcome, result);
    run_finish(&run);
    return status;
}

void train_result_finish(struct train_result *result)
{
    free(result->curve);
    free(result->early_stop_weights);
    free(result->weights);
    *result = (struct train_result){.early_stop_iteration = -1};
}
