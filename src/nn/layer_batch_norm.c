/* Batch norm (Ioffe & Szegedy 2015), per channel over the examples and the pixels: by the batch's
 * mean and variance while training, by their running averages in evaluation. */
#include <math.h>

#include "crew.h"
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

/* A pass over all channels, of which threads take some each. */
struct channels {
    const struct layer *layer;
    const struct pass *pass;
    struct norm norm;
    const float *x, *dy;
    float *to; /* y forward, dx backward; NULL: not wanted */
};

static int64_t channel_floats(const struct channels *channels)
{
    return channels->norm.pixels * channels->norm.columns;
}

static void run_channels(crew_work *work, const struct channels *channels)
{
    const int64_t floats = channels->layer->input_shape.channels * channel_floats(channels);
    crew_run(work, channels, floats >= CREW_FLOATS);
}

static void normalize_channels(const void *of, struct share share)
{
    const struct channels *all = of;
    const struct piece piece = share_piece(share, all->layer->input_shape.channels, 1);
    const struct pass *pass = all->pass;
    for (int32_t c = (int32_t)piece.begin; c < piece.end; c++) {
        const float *x = all->x + c * channel_floats(all);
        const struct affine affine = pass->training
                                         ? training_affine(all->layer, pass, &all->norm, c, x)
                                         : running_affine(all->layer, c);
        pass->kernels->normalize(&all->norm, &affine, x, all->to + c * channel_floats(all));
    }
}

static void batch_norm_forward(const struct layer *layer, const struct pass *pass, const float *x,
                               float *y)
{
    run_channels(normalize_channels,
                 &(struct channels){
                     .layer = layer, .pass = pass, .norm = norm_of(layer, pass), .x = x, .to = y});
}

static void channel_gradient(const struct channels *all, int32_t channel)
{
    const struct layer *layer = all->layer;
    const struct kernels *kernels = all->pass->kernels;
    const int64_t place = channel * channel_floats(all);
    const float *kept = layer->state + 2 * (int64_t)channel;
    const struct affine affine = affine_of(layer, channel, kept[0], kept[1]);
    struct norm_sums sums;
    kernels->norm_gradient_sums(&all->norm, &affine, all->x + place, all->dy + place, &sums);
    layer->gradients[WEIGHT][channel] = sums.dy_x;
    layer->gradients[BIAS][channel] = sums.dy;
    if (all->to)
        kernels->norm_gradient(&all->norm, &affine, &sums, all->x + place, all->dy + place,
                               all->to + place);
}

static void channel_gradients(const void *of, struct share share)
{
    const struct channels *all = of;
    const struct piece piece = share_piece(share, all->layer->input_shape.channels, 1);
    for (int64_t c = piece.begin; c < piece.end; c++)
        channel_gradient(all, (int32_t)c);
}

static void batch_norm_backward(const struct layer *layer, const struct pass *pass, const float *x,
                                const float *dy, float *dx)
{
    run_channels(channel_gradients, &(struct channels){.layer = layer,
                                                       .pass = pass,
                                                       .norm = norm_of(layer, pass),
                                                       .x = x,
                                                       .dy = dy,
                                                       .to = dx});
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
