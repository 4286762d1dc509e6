/* Batches through a network: forward, backward, evaluation.
 *
 * Every column is computed apart from the others, and the loss gives padding columns no gradient:
 * sums over the batch stop at the last example, or meet zeros there. */
#include <assert.h>
#include <string.h>

#include "float_mode.h"
#include "state.h"

/* What `layer` stands for: a layer's output, or the network's inputs. */
static const float *output_of(const struct network *net, int32_t layer, const float *inputs)
{
    return layer == TRACE_INPUT ? inputs : net->layers[layer].output;
}

/* Returns the logits. */
static const float *forward(const struct network *net, struct pass *pass, const float *inputs)
{
    for (int32_t i = 0; i < net->layer_count; i++) {
        const struct layer *layer = &net->layers[i];
        pass->other = output_of(net, layer->other, inputs);
        (layer->survivors ? layer->operation->sparse_forward : layer->operation->forward)(
            layer, pass, output_of(net, layer->source, inputs), layer->output);
    }
    return net->layers[net->layer_count - 1].output;
}

/* Adds the parts of the gradient of the layer's output; clears what its relu has cut off. */
static void settle(const struct layer *layer, const struct pass *pass)
{
    const bool rectify = layer->rectify && !layer->operation->rectifies_gradient;
    if (layer->settles)
        pass->kernels->add_gradients(layer->incoming[0], layer->incoming[1],
                                     rectify ? layer->output : NULL, layer->gradient,
                                     layer->outputs * pass->columns);
}

/* From the gradient of the logits. */
static void backward(const struct network *net, const struct pass *pass, const float *inputs)
{
    for (int32_t i = net->layer_count - 1; i >= 0; i--) {
        const struct layer *layer = &net->layers[i];
        settle(layer, pass);
        if (layer->operation->backward)
            (layer->survivors ? layer->operation->sparse_backward : layer->operation->backward)(
                layer, pass, output_of(net, layer->source, inputs), layer->gradient,
                layer->input_gradient);
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
                                int64_t iteration, struct rng_stream dropout,
                                bool updates_statistics)
{
    assert(batch->columns <= net->train_columns);
    struct pass pass = start_pass(net, batch);
    pass.training = true;
    pass.updates_statistics = updates_statistics;
    pass.iteration = iteration;
    pass.dropout = dropout;
    const float *logits = forward(net, &pass, batch->inputs);
    struct net_score score = {0};
    add_losses(net, batch, logits, net->layers[net->layer_count - 1].incoming[0], &score);
    backward(net, &pass, batch->inputs);
    return score.loss_sum / batch->examples;
}

double net_train_step(struct network *net, const struct net_batch *batch, double rate,
                      int64_t iteration, struct rng_stream dropout)
{
    const unsigned mode = float_mode_enter();
    const double loss = compute_gradients(net, batch, iteration, dropout, true);
    optimizer_apply(net, rate);
    float_mode_leave(mode);
    return loss;
}

double net_gradient(struct network *net, const struct net_batch *batch, int64_t iteration,
                    struct rng_stream dropout)
{
    const unsigned mode = float_mode_enter();
    const double loss = compute_gradients(net, batch, iteration, dropout, false);
    for (int i = 0; i < net->range_count; i++) {
        const struct range *range = &net->ranges[i];
        if (range->mask)
            net->kernels->clear_masked(net->gradients + range->begin, range->mask, range->count);
    }
    float_mode_leave(mode);
    return loss;
}

void net_evaluate(struct network *net, const struct net_batch *batch, struct net_score *score)
{
    const unsigned mode = float_mode_enter();
    assert(batch->columns <= net->train_columns || batch->columns <= net->evaluate_columns);
    struct pass pass = start_pass(net, batch);
    const float *logits = forward(net, &pass, batch->inputs);
    add_losses(net, batch, logits, NULL, score);
    float_mode_leave(mode);
}
