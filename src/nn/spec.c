/* What follows from a network's layers alone: parameters and their places in the block, the
 * canonical text, and operation counts. Everything asks each layer's row in the table of
 * operations.
 *
 * The canonical text is hashed into task keys: it is frozen. */
#include <inttypes.h>
#include <stdio.h>

#include "operation.h"
#include "paths.h"

#define BLOCK_ALIGNMENT 16 /* floats between the beginnings of views */

int parameter_list_add(struct parameter_list *list, const struct parameter_spec *parameter,
                       const char *prefix, int number, const char *tensor, struct error *err)
{
    if (list->count == NET_MAX_PARAMETERS)
        return error_set(err, ERROR_USAGE, "the network has more than %d parameter tensors",
                         NET_MAX_PARAMETERS);
    struct parameter_spec *added = &list->parameters[list->count];
    *added = *parameter;
    snprintf(added->name, sizeof added->name, "%s%d.%s", prefix, number, tensor);
    added->count = 1;
    for (int32_t i = 0; i < added->rank; i++)
        added->count *= added->dims[i];
    added->offset = list->block_size;
    list->block_size += (added->count + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
    list->layers[list->count] = list->layer;
    list->count++;
    return 0;
}

static int list_parameters(struct parameter_list *list, const struct net_spec *spec,
                           const struct trace *traces, bool trained, struct error *err)
{
    for (int32_t i = 0; i < spec->layer_count; i++) {
        const struct layer_spec *layer = &spec->layers[i];
        const struct operation *operation = operation_of(layer->kind);
        list->layer = i;
        if (trained ? operation->parameters && operation->parameters(layer, &traces[i], list, err)
                    : operation->statistics && operation->statistics(layer, &traces[i], list, err))
            return trace_error(spec, i, err);
    }
    return 0;
}

/* What is trained comes first, so that it is one range of the block. */
int parameter_list_fill(struct parameter_list *list, const struct net_spec *spec,
                        const struct trace *traces, struct error *err)
{
    if (list_parameters(list, spec, traces, true, err) != 0)
        return -1;
    return list_parameters(list, spec, traces, false, err);
}

int net_spec_parameters(const struct net_spec *spec,
                        struct parameter_spec parameters[NET_MAX_PARAMETERS], struct error *err)
{
    struct trace traces[NET_MAX_LAYERS];
    struct parameter_list list = {.parameters = parameters};
    if (net_trace(spec, traces, err) != 0 || parameter_list_fill(&list, spec, traces, err) != 0)
        return -1;
    return list.count;
}

/* Floats up to the end of the block, or of what is trained in it. */
static int64_t floats_of(const struct net_spec *spec, bool all)
{
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    struct trace traces[NET_MAX_LAYERS];
    struct parameter_list list = {.parameters = parameters};
    if (net_trace(spec, traces, NULL) != 0 ||
        list_parameters(&list, spec, traces, true, NULL) != 0 ||
        (all && list_parameters(&list, spec, traces, false, NULL) != 0))
        return 0;
    return list.block_size;
}

int64_t net_spec_block_size(const struct net_spec *spec)
{
    return floats_of(spec, true);
}

int64_t net_spec_trained_size(const struct net_spec *spec)
{
    return floats_of(spec, false);
}

void net_spec_text(const struct net_spec *spec, struct text *text)
{
    text_add(text, "input %" PRId32 "x%" PRId32 "x%" PRId32 "\n", spec->input.channels,
             spec->input.height, spec->input.width);
    for (int32_t i = 0; i < spec->layer_count; i++) {
        const struct operation *operation = operation_of(spec->layers[i].kind);
        text_add(text, "%s", operation->name);
        if (operation->text)
            operation->text(&spec->layers[i], text);
        text_add(text, "\n");
    }
}

/* Multiply-adds for one example: of the forward pass, and of the step (what reads the network's
 * input gives no gradient back). */
struct work {
    double forward, step;
};

static struct work count_work(const struct net_spec *spec, double density)
{
    struct trace traces[NET_MAX_LAYERS];
    struct work work = {0};
    if (net_trace(spec, traces, NULL) != 0)
        return work;
    for (int32_t i = 0; i < spec->layer_count; i++) {
        const struct layer_spec *layer = &spec->layers[i];
        const struct operation *operation = operation_of(layer->kind);
        if (!operation->multiply_adds)
            continue;
        double forward = operation->multiply_adds(layer, &traces[i]);
        if (!traces[i].in_shortcut) /* shortcuts are never pruned */
            forward *= path_cost(layer, traces[i].input, density);
        work.forward += forward;
        work.step += forward * (traces[i].source == TRACE_INPUT ? 2 : 3);
    }
    return work;
}

double net_spec_step_operations(const struct net_spec *spec, int64_t batch, double density)
{
    return 2 * (double)batch * count_work(spec, density).step;
}

double net_spec_evaluation_operations(const struct net_spec *spec, int64_t examples, double density)
{
    return 2 * (double)examples * count_work(spec, density).forward;
}
