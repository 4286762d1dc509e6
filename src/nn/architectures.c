/* The paper's convolutional networks (Frankle & Carbin 2019, figure 2), as tables: stages of 3x3
 * convolutions of one width. All convolutions keep the size of their images, but for the first of
 * each later stage of a residual network, which halves it.
 *
 *   conv-N     N convolutions with biases, a pool behind each two, two hidden layers of 256
 *   vgg-19     16 convolutions with batch norm, pools between the stages, average pool
 *   resnet-18  1 + 3 stages of 3 blocks of 2 convolutions, batch norm, average pool (He et al.
 * 2015, section 4.2; shortcuts by 1x1 convolutions where the shape changes) */
#include "architectures.h"

#include <string.h>

struct stage {
    int convolutions;
    int32_t width;
};

#define MAX_STAGES 5
#define DENSE_WIDTH 256 /* of the two hidden layers of conv-N */
#define BLOCK_CONVOLUTIONS 2

struct architecture {
    const char *name, *other_name;
    int (*add_layers)(const struct architecture *architecture, struct net_spec *spec,
                      double dropout, struct error *err);
    struct stage stages[MAX_STAGES]; /* up to one without convolutions */
};

static int add(struct net_spec *spec, enum layer_kind kind, struct error *err)
{
    return net_spec_add(spec, (struct layer_spec){.kind = kind}, err);
}

static int add_pool(struct net_spec *spec, struct error *err)
{
    return net_spec_add(spec, (struct layer_spec){.kind = LAYER_MAX_POOL, .kernel = 2, .stride = 2},
                        err);
}

static int add_convolution(struct net_spec *spec, int32_t width, int32_t stride, bool has_bias,
                           struct error *err)
{
    return net_spec_add(spec,
                        (struct layer_spec){.kind = LAYER_CONV,
                                            .outputs = width,
                                            .has_bias = has_bias,
                                            .kernel = 3,
                                            .stride = stride,
                                            .padding = 1},
                        err);
}

static int add_normed_convolution(struct net_spec *spec, int32_t width, int32_t stride,
                                  struct error *err)
{
    if (add_convolution(spec, width, stride, false, err) != 0)
        return -1;
    return add(spec, LAYER_BATCH_NORM, err);
}

int add_hidden_layer(struct net_spec *spec, int32_t width, double dropout, struct error *err)
{
    if (net_spec_add(spec, (struct layer_spec){.kind = LAYER_FC, .outputs = width}, err) != 0 ||
        add(spec, LAYER_RELU, err) != 0)
        return -1;
    if (dropout > 0)
        return net_spec_add(spec, (struct layer_spec){.kind = LAYER_DROPOUT, .drop = dropout}, err);
    return 0;
}

static int add_conv_layers(const struct architecture *architecture, struct net_spec *spec,
                           double dropout, struct error *err)
{
    for (const struct stage *stage = architecture->stages; stage->convolutions > 0; stage++) {
        for (int i = 0; i < stage->convolutions; i++)
            if (add_convolution(spec, stage->width, 1, true, err) != 0 ||
                add(spec, LAYER_RELU, err) != 0)
                return -1;
        if (add_pool(spec, err) != 0)
            return -1;
    }
    if (add_hidden_layer(spec, DENSE_WIDTH, dropout, err) != 0)
        return -1;
    return add_hidden_layer(spec, DENSE_WIDTH, dropout, err);
}

static int refuse_dropout(const struct architecture *architecture, double dropout,
                          struct error *err)
{
    if (dropout > 0)
        return error_set(err, ERROR_USAGE,
                         "network '%s' has no hidden fully connected layers to drop units of; its "
                         "dropout is 0, not %g",
                         architecture->name, dropout);
    return 0;
}

static int add_vgg_layers(const struct architecture *architecture, struct net_spec *spec,
                          double dropout, struct error *err)
{
    if (refuse_dropout(architecture, dropout, err) != 0)
        return -1;
    for (int s = 0; s < MAX_STAGES && architecture->stages[s].convolutions > 0; s++) {
        if (s > 0 && add_pool(spec, err) != 0)
            return -1;
        for (int i = 0; i < architecture->stages[s].convolutions; i++)
            if (add_normed_convolution(spec, architecture->stages[s].width, 1, err) != 0 ||
                add(spec, LAYER_RELU, err) != 0)
                return -1;
    }
    return add(spec, LAYER_AVERAGE_POOL, err);
}

static int add_block(struct net_spec *spec, int32_t width, int32_t stride, struct error *err)
{
    if (add(spec, LAYER_RESIDUAL, err) != 0 ||
        add_normed_convolution(spec, width, stride, err) != 0 || add(spec, LAYER_RELU, err) != 0 ||
        add_normed_convolution(spec, width, 1, err) != 0 || net_spec_close_residual(spec, err) != 0)
        return -1;
    return add(spec, LAYER_RELU, err);
}

static int add_residual_layers(const struct architecture *architecture, struct net_spec *spec,
                               double dropout, struct error *err)
{
    if (refuse_dropout(architecture, dropout, err) != 0 ||
        add_normed_convolution(spec, architecture->stages[0].width, 1, err) != 0 ||
        add(spec, LAYER_RELU, err) != 0)
        return -1;
    for (int s = 0; s < MAX_STAGES && architecture->stages[s].convolutions > 0; s++) {
        const struct stage *stage = &architecture->stages[s];
        for (int block = 0; block < stage->convolutions / BLOCK_CONVOLUTIONS; block++)
            if (add_block(spec, stage->width, s > 0 && block == 0 ? 2 : 1, err) != 0)
                return -1;
    }
    return add(spec, LAYER_AVERAGE_POOL, err);
}

static const struct architecture architectures[] = {
    {"conv-2", NULL, add_conv_layers, {{2, 64}}},
    {"conv-4", NULL, add_conv_layers, {{2, 64}, {2, 128}}},
    {"conv-6", NULL, add_conv_layers, {{2, 64}, {2, 128}, {2, 256}}},
    {"resnet-18", "resnet-20", add_residual_layers, {{6, 16}, {6, 32}, {6, 64}}},
    {"vgg-19", NULL, add_vgg_layers, {{2, 64}, {2, 128}, {4, 256}, {4, 512}, {4, 512}}},
};

#define COUNT ((int)(sizeof architectures / sizeof *architectures))

const char *architecture_name(int index)
{
    return index < COUNT ? architectures[index].name : NULL;
}

int architecture_find(const char *name)
{
    for (int i = 0; i < COUNT; i++)
        if (strcmp(architectures[i].name, name) == 0 ||
            (architectures[i].other_name && strcmp(architectures[i].other_name, name) == 0))
            return i;
    return -1;
}

int architecture_add_layers(int index, struct net_spec *spec, double dropout, struct error *err)
{
    return architectures[index].add_layers(&architectures[index], spec, dropout, err);
}
