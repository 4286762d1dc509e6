/* From a spec to layers in memory: which layers compute, who reads whom, what is absorbed, and
 * which output lies over which. */
#include <string.h>

#include "state.h"

static bool computes(enum layer_kind kind)
{
    return operation_of(kind)->forward != NULL;
}

/* The layer of the spec that computes what `layer` stands for. */
static int32_t behind_marks(const struct net_spec *spec, const struct trace *traces, int32_t layer)
{
    while (layer != TRACE_INPUT && !computes(spec->layers[layer].kind))
        layer = traces[layer].source;
    return layer;
}

/* Resolves marks, and counts who reads each layer of the spec. */
static void resolve_sources(const struct net_spec *spec, struct trace *traces, int *readers)
{
    memset(readers, 0, NET_MAX_LAYERS * sizeof *readers);
    for (int32_t i = 0; i < spec->layer_count; i++) {
        if (!computes(spec->layers[i].kind))
            continue;
        traces[i].source = behind_marks(spec, traces, traces[i].source);
        if (traces[i].source != TRACE_INPUT)
            readers[traces[i].source]++;
        traces[i].other = behind_marks(spec, traces, traces[i].other);
        if (traces[i].other != TRACE_INPUT)
            readers[traces[i].other]++;
    }
}

/* A relu may stand before a max pool or behind it: there it has less to do. */
static void rectify_behind_pool(struct layer *pool, struct layer *source)
{
    if (pool->spec->kind == LAYER_MAX_POOL && source && source->readers == 1 && source->rectify &&
        source->spec->kind != LAYER_RELU) {
        source->rectify = false;
        pool->rectify = true;
    }
}

static void describe_layer(struct layer *layer, const struct layer_spec *spec,
                           const struct trace *trace)
{
    *layer = (struct layer){.operation = operation_of(spec->kind),
                            .spec = spec,
                            .input_shape = trace->input,
                            .output_shape = trace->output,
                            .inputs = shape_features(trace->input),
                            .outputs = shape_features(trace->output),
                            .number = trace->number,
                            .rectify = spec->kind == LAYER_RELU};
}

/* The output may lie over the source's: nobody else reads that, and its layer does not look at its
 * output again; but relu and dropout leave what a rectified output is looked at for, its zeros. */
static bool lies_over(const struct layer *layer, const struct layer *source)
{
    if (!layer->operation->in_place || !source || source->readers != 1)
        return false;
    if (layer->spec->kind != LAYER_ADD)
        return true;
    return !source->in_place && (!source->rectify || source->operation->rectifies_gradient);
}

/* Whether `source` computes the relu that `spec` is, from now on. */
static bool absorb_relu(const struct layer_spec *spec, int relu_readers, struct layer *source)
{
    if (spec->kind != LAYER_RELU || !source || !source->operation->absorbs_relu ||
        source->rectify || source->readers != 1)
        return false;
    source->rectify = true;
    source->readers = relu_readers;
    return true;
}

void layout_describe(struct network *net)
{
    const struct net_spec *spec = &net->spec;
    struct trace traces[NET_MAX_LAYERS];
    int32_t place[NET_MAX_LAYERS]; /* of the spec's layers among those that compute */
    int readers[NET_MAX_LAYERS];
    net_trace(spec, traces, NULL);
    resolve_sources(spec, traces, readers);
    for (int32_t i = 0; i < spec->layer_count; i++) {
        if (!computes(spec->layers[i].kind))
            continue;
        const int32_t from = traces[i].source, other = traces[i].other;
        struct layer *source = from == TRACE_INPUT ? NULL : &net->layers[place[from]];
        if (absorb_relu(&spec->layers[i], readers[i], source)) {
            place[i] = place[from];
            continue;
        }
        struct layer *layer = &net->layers[net->layer_count];
        describe_layer(layer, &spec->layers[i], &traces[i]);
        layer->readers = readers[i];
        layer->source = source ? place[from] : TRACE_INPUT;
        layer->other = other == TRACE_INPUT ? TRACE_INPUT : place[other];
        rectify_behind_pool(layer, source);
        layer->in_place = lies_over(layer, source);
        place[i] = net->layer_count++;
    }
}
