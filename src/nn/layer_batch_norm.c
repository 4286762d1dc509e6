/* Batch norm (Ioffe & Szegedy 2015), per channel over the examples and the pixels: by the batch's
 * mean and variance while training, by their running averages in evaluation. */
#include <math.h>

#include "operation.h"

static int batch_norm_parameters(const struct layer_spec *layer, const struct trace *trace,
                                 struct parameter_list *list, struct error *err)
{
    (void)layer;
    const char *prefix = trace->in_shortcut ? "shortcut_bn" : "bn";
    struct parameter_spec parameter = {
        .role = PARAMETER_NORM, .starts_at_one = true, .rank = 1, .dims = {trace->input.channels}};
    if (parameter_list_add(list, &parameter, prefix, trace->number, "weight", err) != 0)
        return -1;
    parameter.starts_at_one = false;
    return parameter_list_add(list, &parameter, prefix, trace->number, "bias", err);
}

static int batch_norm_statistics(const struct layer_spec *layer, const struct trace *trace,
                                 struct parameter_list *list, struct error *err)
{
    (void)layer;
    const char *prefix = trace->in_shortcut ? "shortcut_bn" : "bn";
    struct parameter_spec parameter = {
        .role = PARAMETER_STATISTIC, .rank = 1, .dims = {trace->input.channels}};
    if (parameter_list_add(list, &parameter, prefix, trace->number, "running_mean", err) != 0)
        return -1;
    parameter.starts_at_one = true;
    return parameter_list_add(list, &parameter, prefix, trace->number, "running_var", err);
}

enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VARIANCE };

#define EPSILON 1e-5f
#define MOMENTUM 0.1f

/* A batch's mean and inverse deviation of each channel, for backward. */
static int64_t batch_norm_state_size(const struct layer *layer, int64_t columns)
{
    (void)columns;
    return 2 * (int64_t)layer->input_shape.channels;
}

static struct norm norm_of(const struct layer *layer, const struct pass *pass)
{
    const struct shape shape = layer->input_shape;
    return (struct norm){.pixels = (int64_t)shape.height * shape.width,
                         .examples = pass->examples,
                         .columns = pass->columns};
}

static struct affine affine_of(const struct layer *layer, int32_t channel, float mean,
                               float inverse)
{
    const float scale = layer->parameters[WEIGHT][channel] * inverse;
    return (struct affine){.mean = mean,
                           .inverse = inverse,
                           .scale = scale,
                           .shift = layer->parameters[BIAS][channel] - mean * scale,
                           .rectify = layer->rectify};
}

/* The running variance is of the unbiased kind, as PyTorch's; that of one value is kept. */
static void update_statistics(const struct layer *layer, int32_t channel,
                              const struct moments *moments, int64_t count)
{
    float *mean = &layer->parameters[RUNNING_MEAN][channel];
    float *variance = &layer->parameters[RUNNING_VARIANCE][channel];
    *mean += MOMENTUM * (moments->mean - *mean);
    if (count > 1) {
        const float unbiased = moments->variance * ((float)count / (float)(count - 1));
        *variance += MOMENTUM * (unbiased - *variance);
    }
}

static struct affine training_affine(const struct layer *layer, const struct pass *pass,
                                     const struct norm *norm, int32_t channel, const float *x)
{
    struct moments moments;
    pass->kernels->moments(norm, x, &moments);
    if (pass->updates_statistics)
        update_statistics(layer, channel, &moments, norm->pixels * norm->examples);
    float *kept = layer->state + 2 * (int64_t)channel;
    kept[0] = moments.mean;
    kept[1] = 1 / sqrtf(moments.variance + EPSILON);
    return affine_of(layer, channel, kept[0], kept[1]);
}

static struct affine running_affine(const struct layer *layer, int32_t channel)
{
    return affine_of(layer, channel, layer->parameters[RUNNING_MEAN][channel],
                     1 / sqrtf(layer->parameters[RUNNING_VARIANCE][channel] + EPSILON));
}

static void batch_norm_forward(const struct layer *layer, const struct pass *pass, const float *x,
                               float *y)
{
    const struct norm norm = norm_of(layer, pass);
    const int64_t count = norm.pixels * norm.columns;
    for (int32_t c = 0; c < layer->input_shape.channels; c++, x += count, y += count) {
        const struct affine affine =
            pass->training ? training_affine(layer, pass, &norm, c, x) : running_affine(layer, c);
        pass->kernels->normalize(&norm, &affine, x, y);
    }
}

static void batch_norm_backward(const struct layer *layer, const struct pass *pass, const float *x,
                                const float *dy, float *dx)
{
    const struct norm norm = norm_of(layer, pass);
    const int64_t count = norm.pixels * norm.columns;
    for (int32_t c = 0; c < layer->input_shape.channels; c++, x += count, dy += count) {
        const float *kept = layer->state + 2 * (int64_t)c;
        const struct affine affine = affine_of(layer, c, kept[0], kept[1]);
        struct norm_sums sums;
        pass->kernels->norm_gradient_sums(&norm, &affine, x, dy, &sums);
        layer->gradients[WEIGHT][c] = sums.dy_x;
        layer->gradients[BIAS][c] = sums.dy;
        if (dx)
            pass->kernels->norm_gradient(&norm, &affine, &sums, x, dy, dx + c * count);
    }
}

const struct operation operation_batch_norm = {
    .name = "batch-norm",
    .parameters = batch_norm_parameters,
    .statistics = batch_norm_statistics,
    .gradient_in_place = true,
    .absorbs_relu = true,
    .rectifies_gradient = true,
    .state_size = batch_norm_state_size,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
};
