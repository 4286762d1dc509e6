/* A network computed plainly, in double precision, batch outermost, for the tests to compare with:
 * its loss, and difference quotients of that. */
#ifndef SWEEPSTAKE_TESTS_NN_PLAIN_H
#define SWEEPSTAKE_TESTS_NN_PLAIN_H

#include <stdio.h>

#include "nn_support.h"

struct plain {
    struct net_spec spec;
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    int parameter_count;
    struct net_batch batch;
    double *block;
    int64_t iteration;
    struct rng_stream dropout;
    bool evaluating; /* without dropout, batch norm by running statistics */
    /* What the last pass met: batch statistics of batch norms, in the places of running ones. */
    double *statistics;
};

/* Activations [example][channel][height][width]. */
struct tensor {
    struct shape shape;
    double *values;
};

static inline int64_t features_of(struct shape shape)
{
    return (int64_t)shape.channels * shape.height * shape.width;
}

static inline struct tensor new_tensor(const struct plain *p, struct shape shape)
{
    const size_t count = (size_t)(features_of(shape) * p->batch.examples);
    return (struct tensor){shape, calloc(count, sizeof(double))};
}

static inline struct tensor copy_of(const struct plain *p, struct tensor from)
{
    struct tensor copy = new_tensor(p, from.shape);
    const size_t count = (size_t)(features_of(from.shape) * p->batch.examples);
    memcpy(copy.values, from.values, count * sizeof(double));
    return copy;
}

/* The offset of "<kind><number>.<tensor>", or -1. */
static inline int64_t offset_of(const struct plain *p, const char *kind, int number,
                                const char *tensor)
{
    char name[NET_NAME_SIZE];
    snprintf(name, sizeof name, "%s%d.%s", kind, number, tensor);
    for (int i = 0; i < p->parameter_count; i++)
        if (strcmp(p->parameters[i].name, name) == 0)
            return p->parameters[i].offset;
    return -1;
}

/* Factor of (unit, column) of dropout layer `number` (from 1), as layer_dropout.c documents it. */
static inline double dropout_factor(struct rng_stream stream, int64_t iteration, int number,
                                    int64_t unit, int32_t column, double drop)
{
    uint32_t bits[4];
    rng_block(stream, (uint64_t)iteration * 256 + (uint64_t)number - 1, bits);
    stream.seed = (uint64_t)bits[1] << 32 | bits[0];
    rng_block(stream, (uint64_t)unit << 32 | (uint64_t)(column / 8), bits);
    const uint32_t word = bits[column % 8 / 2];
    const uint32_t half = column % 2 ? word >> 16 : word & 0xffff;
    return half >= (uint32_t)lrint(drop * 65536) ? 1 / (1 - drop) : 0;
}

static inline void plain_fc(const struct plain *p, int number, struct tensor x, struct tensor y)
{
    const int64_t inputs = features_of(x.shape), outputs = features_of(y.shape);
    const double *w = p->block + offset_of(p, "fc", number, "weight");
    const double *b = p->block + offset_of(p, "fc", number, "bias");
    for (int64_t e = 0; e < p->batch.examples; e++)
        for (int64_t o = 0; o < outputs; o++) {
            double sum = b[o];
            for (int64_t i = 0; i < inputs; i++)
                sum += w[o * inputs + i] * x.values[e * inputs + i];
            y.values[e * outputs + o] = sum;
        }
}

/* One output pixel of one example. */
static inline double window_sum(const struct layer_spec *layer, const double *w, struct shape from,
                                const double *image, int32_t row, int32_t column)
{
    double sum = 0;
    for (int32_t c = 0; c < from.channels; c++)
        for (int32_t i = 0; i < layer->kernel; i++)
            for (int32_t j = 0; j < layer->kernel; j++) {
                const int32_t y = row * layer->stride + i - layer->padding;
                const int32_t x = column * layer->stride + j - layer->padding;
                if (y >= 0 && y < from.height && x >= 0 && x < from.width)
                    sum += w[(c * layer->kernel + i) * layer->kernel + j] *
                           image[(c * from.height + y) * from.width + x];
            }
    return sum;
}

static inline void plain_conv(const struct plain *p, const struct layer_spec *layer,
                              const char *kind, int number, struct tensor x, struct tensor y)
{
    const int64_t depth = (int64_t)x.shape.channels * layer->kernel * layer->kernel;
    const double *w = p->block + offset_of(p, kind, number, "weight");
    const int64_t bias = offset_of(p, kind, number, "bias");
    double *out = y.values;
    for (int64_t e = 0; e < p->batch.examples; e++)
        for (int32_t o = 0; o < y.shape.channels; o++)
            for (int32_t r = 0; r < y.shape.height; r++)
                for (int32_t c = 0; c < y.shape.width; c++)
                    *out++ = (bias >= 0 ? p->block[bias + o] : 0) +
                             window_sum(layer, w + o * depth, x.shape,
                                        x.values + e * features_of(x.shape), r, c);
}

static inline void plain_pool(const struct plain *p, const struct layer_spec *layer,
                              struct tensor x, struct tensor y)
{
    double *out = y.values;
    for (int64_t image = 0; image < (int64_t)p->batch.examples * y.shape.channels; image++)
        for (int32_t r = 0; r < y.shape.height; r++)
            for (int32_t c = 0; c < y.shape.width; c++) {
                *out = -INFINITY;
                for (int32_t i = 0; i < layer->kernel; i++)
                    for (int32_t j = 0; j < layer->kernel; j++)
                        *out =
                            fmax(*out, x.values[(image * x.shape.height + r * layer->stride + i) *
                                                    x.shape.width +
                                                c * layer->stride + j]);
                out++;
            }
}

static inline void plain_average(const struct plain *p, struct tensor x, struct tensor y)
{
    const int64_t pixels = (int64_t)x.shape.height * x.shape.width;
    for (int64_t image = 0; image < (int64_t)p->batch.examples * y.shape.channels; image++)
        for (int64_t i = 0; i < pixels; i++)
            y.values[image] += x.values[image * pixels + i] / (double)pixels;
}

static inline void plain_norm(const struct plain *p, const char *kind, int number, struct tensor x)
{
    const int64_t pixels = (int64_t)x.shape.height * x.shape.width, channels = x.shape.channels;
    const int64_t means = offset_of(p, kind, number, "running_mean");
    const int64_t variances = offset_of(p, kind, number, "running_var");
    const double count = (double)(pixels * p->batch.examples);
    for (int64_t c = 0; c < channels; c++) {
        double mean = 0, variance = 0;
        for (int pass = 0; pass < 2; pass++)
            for (int64_t e = 0; e < p->batch.examples; e++)
                for (int64_t i = 0; i < pixels; i++) {
                    const double v = x.values[(e * channels + c) * pixels + i];
                    mean += pass == 0 ? v / count : 0;
                    variance += pass == 1 ? (v - mean) * (v - mean) / count : 0;
                }
        p->statistics[means + c] = mean;
        p->statistics[variances + c] = variance * count / (count - 1);
        if (p->evaluating) {
            mean = p->block[means + c];
            variance = p->block[variances + c];
        }
        const double scale =
            p->block[offset_of(p, kind, number, "weight") + c] / sqrt(variance + 1e-5);
        for (int64_t e = 0; e < p->batch.examples; e++)
            for (int64_t i = 0; i < pixels; i++) {
                double *v = &x.values[(e * channels + c) * pixels + i];
                *v = (*v - mean) * scale + p->block[offset_of(p, kind, number, "bias") + c];
            }
    }
}

static inline void plain_dropout(const struct plain *p, double drop, int number, struct tensor x)
{
    const int64_t units = features_of(x.shape);
    for (int32_t e = 0; !p->evaluating && e < p->batch.examples; e++)
        for (int64_t u = 0; u < units; u++)
            x.values[e * units + u] *= dropout_factor(p->dropout, p->iteration, number, u, e, drop);
}

static inline struct shape shape_behind(const struct layer_spec *layer, struct shape x)
{
    const bool windows = layer->kind == LAYER_CONV || layer->kind == LAYER_MAX_POOL;
    if (layer->kind == LAYER_FC)
        return (struct shape){layer->outputs, 1, 1};
    if (layer->kind == LAYER_AVERAGE_POOL)
        return (struct shape){x.channels, 1, 1};
    if (!windows)
        return x;
    return (struct shape){layer->kind == LAYER_CONV ? layer->outputs : x.channels,
                          (x.height + 2 * layer->padding - layer->kernel) / layer->stride + 1,
                          (x.width + 2 * layer->padding - layer->kernel) / layer->stride + 1};
}

/* A walk through the layers. `entry` is the open residual block's input, `body` its body's end once
 * a shortcut came. */
struct plain_walk {
    struct tensor x, entry, body;
    int numbers[LAYER_KINDS][2];
    bool in_shortcut;
};

static inline void plain_mark(const struct plain *p, enum layer_kind kind, struct plain_walk *walk)
{
    if (kind == LAYER_RESIDUAL) {
        walk->entry = copy_of(p, walk->x);
    } else if (kind == LAYER_SHORTCUT) {
        walk->body = walk->x;
        walk->x = walk->entry;
        walk->in_shortcut = true;
    } else {
        const struct tensor other = walk->in_shortcut ? walk->body : walk->entry;
        for (int64_t i = 0; i < features_of(walk->x.shape) * p->batch.examples; i++)
            walk->x.values[i] += other.values[i];
        free(other.values);
        walk->in_shortcut = false;
    }
}

static inline void plain_layer(const struct plain *p, const struct layer_spec *layer,
                               struct plain_walk *walk)
{
    const bool apart = walk->in_shortcut;
    const int number = ++walk->numbers[layer->kind][apart && layer->kind != LAYER_DROPOUT];
    struct tensor x = walk->x, y = new_tensor(p, shape_behind(layer, x.shape));
    walk->x = y;
    if (layer->kind == LAYER_FC)
        plain_fc(p, number, x, y);
    else if (layer->kind == LAYER_CONV)
        plain_conv(p, layer, apart ? "shortcut" : "conv", number, x, y);
    else if (layer->kind == LAYER_MAX_POOL)
        plain_pool(p, layer, x, y);
    else if (layer->kind == LAYER_AVERAGE_POOL)
        plain_average(p, x, y);
    else
        memcpy(y.values, x.values,
               (size_t)(features_of(x.shape) * p->batch.examples) * sizeof(double));
    free(x.values);
    if (layer->kind == LAYER_BATCH_NORM)
        plain_norm(p, apart ? "shortcut_bn" : "bn", number, y);
    if (layer->kind == LAYER_DROPOUT)
        plain_dropout(p, layer->drop, number, y);
    for (int64_t i = 0; layer->kind == LAYER_RELU && i < features_of(y.shape) * p->batch.examples;
         i++)
        y.values[i] = fmax(y.values[i], 0);
}

static inline double plain_loss(const struct plain *p)
{
    struct plain_walk walk = {.x = new_tensor(p, p->spec.input)};
    const int64_t features = features_of(p->spec.input), classes = p->spec.classes;
    double sum = 0;
    for (int64_t e = 0; e < p->batch.examples; e++)
        for (int64_t f = 0; f < features; f++)
            walk.x.values[e * features + f] = (double)p->batch.inputs[f * p->batch.columns + e];
    for (int32_t l = 0; l < p->spec.layer_count; l++) {
        const enum layer_kind kind = p->spec.layers[l].kind;
        if (kind == LAYER_RESIDUAL || kind == LAYER_SHORTCUT || kind == LAYER_ADD)
            plain_mark(p, kind, &walk);
        else
            plain_layer(p, &p->spec.layers[l], &walk);
    }
    for (int64_t e = 0; e < p->batch.examples; e++) {
        const double *z = walk.x.values + e * classes;
        double exps = 0;
        for (int64_t c = 0; c < classes; c++)
            exps += exp(z[c]);
        sum += log(exps) - z[p->batch.labels[e]];
    }
    free(walk.x.values);
    return sum / p->batch.examples;
}

static inline double difference_quotient(const struct plain *p, int64_t element)
{
    const double h = 1e-6, value = p->block[element];
    p->block[element] = value + h;
    const double above = plain_loss(p);
    p->block[element] = value - h;
    const double below = plain_loss(p);
    p->block[element] = value;
    return (above - below) / (2 * h);
}

/* Takes over the network's parameters. */
static inline void plain_init(struct plain *p, struct network *net, const struct net_spec *spec,
                              struct net_batch batch)
{
    const int64_t size = net_block_size(net);
    *p = (struct plain){.spec = *spec,
                        .batch = batch,
                        .block = calloc((size_t)size, sizeof(double)),
                        .iteration = 12345,
                        .dropout = {.seed = 99, .purpose = RNG_DROPOUT},
                        .statistics = calloc((size_t)size, sizeof(double))};
    p->parameter_count = net_spec_parameters(spec, p->parameters, NULL);
    const float *weights = weights_of(net);
    for (int64_t i = 0; i < size; i++)
        p->block[i] = (double)weights[i];
}

static inline void plain_finish(struct plain *p)
{
    free(p->block);
    free(p->statistics);
}

/* What check_gradients compares: up to `most` gradients of each parameter, to within `tolerance`
 * and as much of their size; weights and offsets are normal numbers times `scale`. */
struct gradient_check {
    int32_t examples;
    float scale;
    int64_t most;
    double tolerance;
};

static inline void draw_parameters(struct network *net, float scale)
{
    int count;
    const struct parameter_spec *parameters = net_parameters(net, &count);
    float *block = floats(net_block_size(net));
    for (int i = 0; i < count; i++) {
        float *values = block + parameters[i].offset;
        const float base = parameters[i].starts_at_one ? 1 : 0;
        fill_normal(values, parameters[i].count, (uint64_t)i + 50);
        for (int64_t e = 0; e < parameters[i].count; e++)
            values[e] = base + scale * (base > 0 ? fabsf(values[e]) : values[e]);
    }
    net_write_weights(net, block);
    free(block);
}

static inline void check_gradients(const struct net_spec *spec, struct gradient_check check)
{
    struct example_batch data;
    fill_batch(&data, spec, check.examples, padded_columns(check.examples), 0,
               (uint64_t)check.examples);
    struct network *net = create(spec, check.examples, 16);
    draw_parameters(net, check.scale);
    struct plain p;
    plain_init(&p, net, spec, data.batch);
    const double loss = net_gradient(net, &data.batch, p.iteration, p.dropout);
    assert_near(loss, plain_loss(&p), check.tolerance * (1 + loss));
    const float *gradients = gradients_of(net);
    for (int i = 0; i < p.parameter_count; i++) {
        const struct parameter_spec *parameter = &p.parameters[i];
        const int64_t apart = (parameter->count + check.most - 1) / check.most;
        for (int64_t e = parameter->offset; e < parameter->offset + parameter->count; e += apart) {
            const double gradient = (double)gradients[e];
            const double expected =
                parameter->role == PARAMETER_STATISTIC ? 0 : difference_quotient(&p, e);
            if (!(fabs(gradient - expected) <= check.tolerance * (1 + fabs(expected))))
                fail_msg("%s, element %lld, %d examples, %s: %.9g, not %.9g", parameter->name,
                         (long long)(e - parameter->offset), (int)check.examples, kernels_isa(),
                         gradient, expected);
        }
    }
    plain_finish(&p);
    free(data.inputs);
    net_destroy(net);
}

#endif
