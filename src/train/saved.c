/* The state of a run as bytes. Both directions take one way through the same pieces, in this order:
 * counters and scores; the curve's points so far; weights, and each of the optimiser's moments; the
 * weights kept at early stop, if there is one. What is not saved follows from the spec. */
#include <stdlib.h>

#include "state.h"

/* Plain bytes, no padding. */
struct counters {
    int64_t iteration, steps_taken, loss_count;
    double loss_sum;
    int32_t points, curve_count, early_stop, moments;
    struct train_score scores[PART_TEST + 1][TRAIN_WHENS];
};

enum direction { SAVING, RESUMING };

struct passage {
    struct train_saving *run;
    const struct train_stream *stream;
    enum direction direction;
    struct error *err;
};

static int pass(const struct passage *passage, void *bytes, size_t size)
{
    return passage->stream->pass(passage->stream->user, bytes, size, passage->err);
}

static void fill_counters(const struct train_saving *run, struct counters *counters)
{
    const struct train_state *state = run->state;
    *counters = (struct counters){
        .iteration = state->iteration,
        .steps_taken = net_steps_taken(run->net),
        .loss_count = state->loss_count,
        .loss_sum = state->loss_sum,
        .points = state->points,
        .curve_count = state->curve_count,
        .early_stop = state->early_stop,
        .moments = net_moment_blocks(run->net),
    };
    for (int part = 0; part <= PART_TEST; part++)
        for (int when = 0; when < TRAIN_WHENS; when++)
            counters->scores[part][when] = state->scores[part][when];
}

static void take_counters(const struct counters *counters, struct train_saving *run)
{
    struct train_state *state = run->state;
    net_set_steps_taken(run->net, counters->steps_taken);
    state->iteration = counters->iteration;
    state->loss_count = counters->loss_count;
    state->loss_sum = counters->loss_sum;
    state->points = counters->points;
    state->early_stop = counters->early_stop;
    for (int part = 0; part <= PART_TEST; part++)
        for (int when = 0; when < TRAIN_WHENS; when++)
            state->scores[part][when] = counters->scores[part][when];
}

static bool fit(const struct counters *counters, const struct train_saving *run,
                const struct train_spec *spec)
{
    return counters->iteration >= spec->start && counters->iteration <= spec->iterations &&
           counters->curve_count == run->state->curve_count && counters->points >= 0 &&
           counters->points <= counters->curve_count && counters->early_stop >= -1 &&
           counters->early_stop < counters->points &&
           counters->moments == net_moment_blocks(run->net);
}

static int pass_weights(const struct passage *passage)
{
    struct train_saving *run = passage->run;
    const size_t bytes = (size_t)net_block_size(run->net) * sizeof *run->block;
    if (passage->direction == SAVING)
        net_read_weights(run->net, run->block);
    if (pass(passage, run->block, bytes) != 0)
        return -1;
    if (passage->direction == RESUMING)
        net_write_weights(run->net, run->block);
    return 0;
}

static int pass_moments(const struct passage *passage, int which)
{
    struct train_saving *run = passage->run;
    const size_t bytes = (size_t)net_block_size(run->net) * sizeof *run->block;
    if (passage->direction == SAVING)
        net_read_moments(run->net, which, run->block);
    if (pass(passage, run->block, bytes) != 0)
        return -1;
    if (passage->direction == RESUMING)
        net_write_moments(run->net, which, run->block);
    return 0;
}

/* What follows the counters, by which its size is known. */
static int pass_rest(const struct passage *passage)
{
    struct train_saving *run = passage->run;
    struct train_state *state = run->state;
    const size_t block_bytes = (size_t)net_block_size(run->net) * sizeof *run->block;
    if (pass(passage, state->curve, (size_t)state->points * sizeof *state->curve) != 0 ||
        pass_weights(passage) != 0)
        return -1;
    for (int i = 0; i < net_moment_blocks(run->net); i++)
        if (pass_moments(passage, i) != 0)
            return -1;
    return state->early_stop < 0 ? 0 : pass(passage, state->early_stop_weights, block_bytes);
}

int train_save(struct train_saving *saving, const struct train_stream *to, struct error *err)
{
    const struct passage passage = {saving, to, SAVING, err};
    struct counters counters;
    fill_counters(saving, &counters);
    if (pass(&passage, &counters, sizeof counters) != 0)
        return -1;
    return pass_rest(&passage);
}

int train_resume(struct train_saving *into, const struct train_spec *spec,
                 const struct train_stream *from, struct error *err)
{
    const struct passage passage = {into, from, RESUMING, err};
    struct counters counters;
    if (pass(&passage, &counters, sizeof counters) != 0)
        return -1;
    if (!fit(&counters, into, spec))
        return error_set(err, ERROR_INTERNAL, "the saved state is that of another run");
    take_counters(&counters, into);
    return pass_rest(&passage);
}

int64_t train_state_bytes(const struct optimizer_spec *optimizer, int64_t curve_length,
                          int64_t block_size)
{
    const int64_t blocks = 2 + optimizer_moment_blocks(optimizer); /* weights, early stop */
    return (int64_t)sizeof(struct counters) + curve_length * (int64_t)sizeof(struct train_point) +
           blocks * block_size * (int64_t)sizeof(float);
}
