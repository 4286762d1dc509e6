/* What follows from a network's layers alone: parameters and their places in the block, the
 * canonical text, the label, and operation counts. Everything walks the layers in order and asks
 * each layer's row in the table of operations; shapes are checked on the way.
 *
 * The canonical text is hashed into task keys and the labels name folders of stores: both are
 * frozen. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "operation.h"

#define BLOCK_ALIGNMENT 16 /* floats between the beginnings of views */

int parameter_list_add(struct parameter_list *list, const struct parameter_spec *parameter,
                       struct error *err)
{
    if (list->count == NET_MAX_PARAMETERS)
        return error_set(err, ERROR_USAGE, "the network has more than %d parameter tensors",
                         NET_MAX_PARAMETERS);
    struct parameter_spec *added = &list->parameters[list->count];
    *added = *parameter;
    added->count = 1;
    for (int32_t i = 0; i < added->rank; i++)
        added->count *= added->dims[i];
    added->offset = list->block_size;
    list->block_size += (added->count + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
    list->count++;
    return 0;
}

static int check_spec(const struct net_spec *spec, struct error *err)
{
    const struct shape in = spec->input;
    if (in.channels < 1 || in.height < 1 || in.width < 1)
        return error_set(err, ERROR_USAGE,
                         "the input shape %" PRId32 "x%" PRId32 "x%" PRId32 " has an empty side",
                         in.channels, in.height, in.width);
    if (spec->layer_count < 1 || spec->layer_count > NET_MAX_LAYERS)
        return error_set(err, ERROR_USAGE, "a network has 1 to %d layers, not %" PRId32,
                         NET_MAX_LAYERS, spec->layer_count);
    return 0;
}

static int list_layers(const struct net_spec *spec, struct parameter_list *list, struct error *err)
{
    int numbers[LAYER_KINDS] = {0};
    struct shape shape = spec->input;
    for (int32_t i = 0; i < spec->layer_count; i++) {
        const struct layer_spec *layer = &spec->layers[i];
        const struct operation *operation = operation_of(layer->kind);
        struct shape output;
        if (layer_output(layer, shape, &output, err) != 0 ||
            (operation->parameters &&
             operation->parameters(layer, shape, ++numbers[layer->kind], list, err) != 0))
            return error_prefix(err, "layer %" PRId32 " (%s)", i + 1, operation->name);
        shape = output;
    }
    if (shape_features(shape) != spec->classes)
        return error_set(err, ERROR_USAGE,
                         "the last layer has %" PRId64 " outputs for %" PRId32 " classes",
                         shape_features(shape), spec->classes);
    return 0;
}

int net_spec_parameters(const struct net_spec *spec,
                        struct parameter_spec parameters[NET_MAX_PARAMETERS], struct error *err)
{
    struct parameter_list list = {.parameters = parameters};
    if (check_spec(spec, err) != 0 || list_layers(spec, &list, err) != 0)
        return -1;
    return list.count;
}

int64_t net_spec_block_size(const struct net_spec *spec)
{
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    struct parameter_list list = {.parameters = parameters};
    if (check_spec(spec, NULL) != 0 || list_layers(spec, &list, NULL) != 0)
        return 0;
    return list.block_size;
}

static void add_shape(const struct net_spec *spec, struct text *text)
{
    text_add(text, "%" PRId32 "x%" PRId32 "x%" PRId32, spec->input.channels, spec->input.height,
             spec->input.width);
}

void net_spec_text(const struct net_spec *spec, struct text *text)
{
    text_add(text, "input ");
    add_shape(spec, text);
    text_add(text, "\n");
    for (int32_t i = 0; i < spec->layer_count; i++) {
        const struct operation *operation = operation_of(spec->layers[i].kind);
        text_add(text, "%s", operation->name);
        if (operation->text)
            operation->text(&spec->layers[i], text);
        text_add(text, "\n");
    }
}

/* Adds "lenet-A-B...", the widths of the hidden layers. Returns whether that tells the layers:
 * hidden fc + relu pairs and an output layer, nothing else. */
static bool add_layers_name(const struct net_spec *spec, struct text *name)
{
    bool told = spec->layer_count % 2 == 1;
    text_add(name, "lenet");
    for (int32_t i = 0; i < spec->layer_count; i++) {
        const struct layer_spec *layer = &spec->layers[i];
        told = told && layer->kind == (i % 2 == 0 ? LAYER_FC : LAYER_RELU);
        if (layer->kind == LAYER_FC && i + 1 < spec->layer_count)
            text_add(name, "-%" PRId32, layer->outputs);
    }
    return told;
}

void net_spec_label(const struct net_spec *spec, char label[NET_NAME_SIZE])
{
    struct text name = {0}, layers = {0};
    bool told = add_layers_name(spec, &name);
    text_add(&name, ".");
    add_shape(spec, &name);
    text_add(&name, ".%" PRId32, spec->classes);
    if (!text_copy(label, NET_NAME_SIZE, name.bytes ? name.bytes : "") || !told) {
        enum { HASH_DIGITS = 12 };
        char hex[HASH_HEX_SIZE];
        net_spec_text(spec, &layers);
        hash128_hex(hash128_of(layers.bytes, layers.length), hex);
        size_t kept = strlen(label), most = NET_NAME_SIZE - HASH_DIGITS - 2;
        kept = kept < most ? kept : most;
        snprintf(label + kept, NET_NAME_SIZE - kept, ".%.*s", HASH_DIGITS, hex);
    }
    text_finish(&name);
    text_finish(&layers);
}

/* Multiply-adds for one example: of the forward pass, and of the step (the first layer's input has
 * no gradient). All layers that count have prunable weights only. */
struct work {
    double forward, step;
};

static struct work count_work(const struct net_spec *spec)
{
    struct work work = {0};
    struct shape shape = spec->input;
    for (int32_t i = 0; i < spec->layer_count; i++) {
        const struct layer_spec *layer = &spec->layers[i];
        const struct operation *operation = operation_of(layer->kind);
        double forward = operation->multiply_adds ? operation->multiply_adds(layer, shape) : 0;
        work.forward += forward;
        work.step += forward * (i == 0 ? 2 : 3);
        if (layer_output(layer, shape, &shape, NULL) != 0)
            break;
    }
    return work;
}

double net_spec_step_operations(const struct net_spec *spec, int64_t batch, double density)
{
    return 2 * density * (double)batch * count_work(spec).step;
}

double net_spec_evaluation_operations(const struct net_spec *spec, int64_t examples, double density)
{
    return 2 * density * (double)examples * count_work(spec).forward;
}
