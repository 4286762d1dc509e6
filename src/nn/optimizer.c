/* Optimisers: their settings, moments and step count; the arithmetic is a kernel's. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "state.h"

static int check_sgd(const struct optimizer_spec *optimizer, struct error *err)
{
    if (!(optimizer->momentum >= 0 && optimizer->momentum < 1))
        return error_set(err, ERROR_USAGE, "momentum is at least 0 and below 1, not %g",
                         optimizer->momentum);
    if (optimizer->nesterov && optimizer->momentum == 0)
        return error_set(err, ERROR_USAGE, "Nesterov's method needs a momentum above 0");
    return 0;
}

static int check_adam(const struct optimizer_spec *optimizer, struct error *err)
{
    const double betas[] = {optimizer->beta1, optimizer->beta2};
    for (int i = 0; i < 2; i++)
        if (!(betas[i] >= 0 && betas[i] < 1))
            return error_set(err, ERROR_USAGE, "Adam's beta%d is at least 0 and below 1, not %g",
                             i + 1, betas[i]);
    if (!(optimizer->epsilon > 0))
        return error_set(err, ERROR_USAGE, "Adam's epsilon is above 0, not %g", optimizer->epsilon);
    return 0;
}

int optimizer_moment_blocks(const struct optimizer_spec *optimizer)
{
    return optimizer->kind == OPTIMIZER_ADAM ? 2 : optimizer->momentum > 0 ? 1 : 0;
}

int net_set_optimizer(struct network *net, const struct optimizer_spec *optimizer,
                      struct error *err)
{
    const bool adam = optimizer->kind == OPTIMIZER_ADAM;
    if (!(optimizer->weight_decay >= 0))
        return error_set(err, ERROR_USAGE, "weight decay is at least 0, not %g",
                         optimizer->weight_decay);
    if ((adam ? check_adam(optimizer, err) : check_sgd(optimizer, err)) != 0)
        return -1;
    net->optimizer = *optimizer;
    net->moment_blocks = optimizer_moment_blocks(optimizer);
    net->steps = 0;
    for (int i = 0; i < MAX_MOMENTS; i++)
        memset(net->moments[i], 0, (size_t)net->block_size * sizeof(float));
    return 0;
}

/* base^exponent by squaring: libm's last bit differs between versions, and these bits must not. */
static double power(double base, int64_t exponent)
{
    double result = 1;
    for (; exponent > 0; exponent /= 2, base *= base)
        if (exponent % 2 == 1)
            result *= base;
    return result;
}

static void apply_sgd(struct network *net, const struct range *range, double rate)
{
    const struct optimizer_spec *optimizer = &net->optimizer;
    net->kernels->sgd(&(struct sgd_update){
        .count = range->count,
        .weights = net->weights + range->begin,
        .gradients = net->gradients + range->begin,
        .velocity = net->moment_blocks > 0 ? net->moments[0] + range->begin : NULL,
        .mask = range->mask,
        .rate = (float)rate,
        .momentum = (float)optimizer->momentum,
        .weight_decay = (float)optimizer->weight_decay,
        .nesterov = optimizer->nesterov,
    });
}

static void apply_adam(struct network *net, const struct range *range, double rate)
{
    const struct optimizer_spec *optimizer = &net->optimizer;
    net->kernels->adam(&(struct adam_update){
        .count = range->count,
        .weights = net->weights + range->begin,
        .gradients = net->gradients + range->begin,
        .first = net->moments[0] + range->begin,
        .second = net->moments[1] + range->begin,
        .mask = range->mask,
        .beta1 = (float)optimizer->beta1,
        .beta2 = (float)optimizer->beta2,
        .epsilon = (float)optimizer->epsilon,
        .weight_decay = (float)optimizer->weight_decay,
        .step = (float)(rate / (1 - power(optimizer->beta1, net->steps))),
        .second_scale = (float)(1 / sqrt(1 - power(optimizer->beta2, net->steps))),
    });
}

void optimizer_apply(struct network *net, double rate)
{
    assert(net->moment_blocks >= 0);
    net->steps++;
    for (int i = 0; i < net->range_count; i++)
        if (net->optimizer.kind == OPTIMIZER_ADAM)
            apply_adam(net, &net->ranges[i], rate);
        else
            apply_sgd(net, &net->ranges[i], rate);
}

int net_moment_blocks(const struct network *net)
{
    return net->moment_blocks < 0 ? 0 : net->moment_blocks;
}

void net_read_moments(const struct network *net, int which, float *block)
{
    assert(which >= 0 && which < net_moment_blocks(net));
    network_read(net, net->moments[which], block);
}

void net_write_moments(struct network *net, int which, const float *block)
{
    assert(which >= 0 && which < net_moment_blocks(net));
    network_write(net, net->moments[which], block);
}

int64_t net_steps_taken(const struct network *net)
{
    return net->steps;
}

void net_set_steps_taken(struct network *net, int64_t steps)
{
    net->steps = steps;
}
