/* Batches through a network: forward, backward, evaluation.
 *
 * Padding columns may hold anything: every column is computed apart from the others, the loss gives
 * them no gradient, and sums over the batch stop at the last example. */
#include <assert.h>

#include "float_mode.h"
#include "state.h"

/* Returns the logits. */
static const float *forward(const struct network *net, const struct pass *pass, const float *inputs)
{
    const float *x = inputs;
    for (int32_t i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        layer->operation->forward(layer, pass, x, layer->output);
        x = layer->output;
    }
    return x;
}

/* From the gradient of the logits in net->backward[0]. */
static void backward(const struct network *net, const struct pass *pass, const float *inputs)
{
    int current = 0;
    for (int32_t i = net->layer_count - 1; i >= 0; i--) {
        const struct layer *layer = &net->layers[i];
        const float *x = i > 0 ? net->layers[i - 1].output : inputs;
        const int next = layer->operation->in_place ? current : 1 - current;
        layer->operation->backward(layer, pass, x, layer->output, net->backward[current],
                                   i > 0 ? net->backward[next] : NULL);
        current = next;
    }
}

static struct pass start_pass(const struct network *net, const struct net_batch *batch)
{
    assert(batch->examples >= 1 && batch->examples <= batch->columns);
    assert(batch->columns % NET_LANES == 0);
    return (struct pass){.kernels = net->kernels,
                         .examples = batch->examples,
                         .columns = batch->columns,
                         .scratch = net->scratch};
}

/* Adds the losses to `score`; `gradient` may be NULL. */
static void add_losses(const struct network *net, const struct net_batch *batch,
                       const float *logits, float *gradient, struct net_score *score)
{
    struct softmax_loss loss = {.logits = logits,
                                .gradient = gradient,
                                .labels = batch->labels,
                                .classes = net->spec.classes,
                                .examples = batch->examples,
                                .columns = batch->columns,
                                .loss_sum = score->loss_sum,
                                .correct = score->correct};
    net->kernels->softmax_loss(&loss);
    score->loss_sum = loss.loss_sum;
    score->correct = loss.correct;
    score->examples += batch->examples;
}

/* Forward and backward; gradients of masked weights are not yet cleared. */
static double compute_gradients(struct network *net, const struct net_batch *batch,
                                int64_t iteration, struct rng_stream dropout)
{
    assert(batch->columns <= net->train_columns);
    struct pass pass = start_pass(net, batch);
    pass.training = true;
    pass.iteration = iteration;
    pass.dropout = dropout;
    const float *logits = forward(net, &pass, batch->inputs);
    struct net_score score = {0};
    add_losses(net, batch, logits, net->backward[0], &score);
    backward(net, &pass, batch->inputs);
    return score.loss_sum / batch->examples;
}

double net_train_step(struct network *net, const struct net_batch *batch, double rate,
                      int64_t iteration, struct rng_stream dropout)
{
    const unsigned mode = float_mode_enter();
    const double loss = compute_gradients(net, batch, iteration, dropout);
    optimizer_apply(net, rate);
    float_mode_leave(mode);
    return loss;
}

double net_gradient(struct network *net, const struct net_batch *batch, int64_t iteration,
                    struct rng_stream dropout)
{
    const unsigned mode = float_mode_enter();
    const double loss = compute_gradients(net, batch, iteration, dropout);
    if (net->masked)
        net->kernels->clear_masked(net->gradients, net->mask, net->block_size);
    float_mode_leave(mode);
    return loss;
}

void net_evaluate(struct network *net, const struct net_batch *batch, struct net_score *score)
{
    const unsigned mode = float_mode_enter();
    assert(batch->columns <= net->train_columns || batch->columns <= net->evaluate_columns);
    const struct pass pass = start_pass(net, batch);
    const float *logits = forward(net, &pass, batch->inputs);
    add_losses(net, batch, logits, NULL, score);
    float_mode_leave(mode);
}
