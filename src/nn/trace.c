/* Tracing: the layers in order, with the residual block that is open. `reading` is the layer that
 * the next one reads; in a block, `entry` is its LAYER_RESIDUAL and, once a LAYER_SHORTCUT came,
 * `body_end` is the last layer of its body. */
#include "trace.h"

#include <inttypes.h>

#include "operation.h"

#define NONE (-2)

struct walk {
    const struct net_spec *spec;
    struct trace *traces;
    int numbers[LAYER_KINDS][2]; /* outside of shortcuts, in shortcuts */
    int32_t reading, entry, body_end;
};

static struct shape shape_behind(const struct walk *walk, int32_t layer)
{
    return layer == TRACE_INPUT ? walk->spec->input : walk->traces[layer].output;
}

static int enter_block(struct walk *walk, int32_t i, struct error *err)
{
    if (walk->entry != NONE)
        return error_set(err, ERROR_USAGE, "residual blocks do not nest");
    walk->entry = i;
    return 0;
}

static int enter_shortcut(struct walk *walk, int32_t i, struct error *err)
{
    struct trace *trace = &walk->traces[i];
    if (walk->entry == NONE || walk->body_end != NONE)
        return error_set(err, ERROR_USAGE, "a shortcut stands once in a residual block");
    walk->body_end = trace->source;
    trace->source = walk->entry;
    trace->output = trace->input = shape_behind(walk, walk->entry);
    return 0;
}

static int leave_block(struct walk *walk, int32_t i, struct error *err)
{
    struct trace *trace = &walk->traces[i];
    if (walk->entry == NONE)
        return error_set(err, ERROR_USAGE, "no residual block is open");
    trace->other = walk->body_end == NONE ? walk->entry : trace->source;
    trace->source = walk->body_end == NONE ? trace->source : walk->body_end;
    if (trace->source == walk->entry)
        return error_set(err, ERROR_USAGE, "the residual block has no layers");
    const struct shape body = shape_behind(walk, trace->source);
    const struct shape shortcut = shape_behind(walk, trace->other);
    if (!shapes_equal(body, shortcut))
        return error_set(err, ERROR_USAGE,
                         "the body gives %" PRId32 "x%" PRId32 "x%" PRId32 ", the shortcut %" PRId32
                         "x%" PRId32 "x%" PRId32,
                         body.channels, body.height, body.width, shortcut.channels, shortcut.height,
                         shortcut.width);
    trace->input = trace->output = body;
    walk->entry = walk->body_end = NONE;
    return 0;
}

static int trace_layer(struct walk *walk, int32_t i, struct error *err)
{
    const struct layer_spec *layer = &walk->spec->layers[i];
    struct trace *trace = &walk->traces[i];
    *trace = (struct trace){.input = shape_behind(walk, walk->reading),
                            .in_shortcut = walk->body_end != NONE,
                            .source = walk->reading,
                            .other = TRACE_INPUT};
    const bool apart = trace->in_shortcut && operation_of(layer->kind)->parameters;
    trace->number = ++walk->numbers[layer->kind][apart];
    walk->reading = i;
    if (layer_output(layer, trace->input, &trace->output, err) != 0)
        return -1;
    if (layer->kind == LAYER_RESIDUAL)
        return enter_block(walk, i, err);
    if (layer->kind == LAYER_SHORTCUT)
        return enter_shortcut(walk, i, err);
    return layer->kind == LAYER_ADD ? leave_block(walk, i, err) : 0;
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

static bool is_mark(enum layer_kind kind)
{
    return kind == LAYER_RESIDUAL || kind == LAYER_SHORTCUT || kind == LAYER_ADD;
}

/* Layers up to `i`, marks and shortcuts not counted. */
static int32_t count_listed(const struct net_spec *spec, int32_t i)
{
    int32_t count = 0;
    bool in_shortcut = false;
    for (int32_t j = 0; j <= i; j++) {
        const enum layer_kind kind = spec->layers[j].kind;
        if (kind == LAYER_SHORTCUT || kind == LAYER_ADD)
            in_shortcut = kind == LAYER_SHORTCUT;
        count += !is_mark(kind) && !in_shortcut;
    }
    return count;
}

int trace_error(const struct net_spec *spec, int32_t i, struct error *err)
{
    const enum layer_kind kind = spec->layers[i].kind;
    const int32_t number = count_listed(spec, i);
    if (is_mark(kind))
        return error_prefix(err, "behind layer %" PRId32, number);
    return error_prefix(err, "layer %" PRId32 " (%s)", number, operation_of(kind)->name);
}

int trace_layers(const struct net_spec *spec, struct trace traces[NET_MAX_LAYERS],
                 struct error *err)
{
    struct walk walk = {
        .spec = spec, .traces = traces, .reading = TRACE_INPUT, .entry = NONE, .body_end = NONE};
    if (check_spec(spec, err) != 0)
        return -1;
    for (int32_t i = 0; i < spec->layer_count; i++)
        if (trace_layer(&walk, i, err) != 0)
            return trace_error(spec, i, err);
    return 0;
}

/* The index of the block left open, or NONE. */
static int32_t open_block(const struct net_spec *spec)
{
    int32_t open = NONE;
    for (int32_t i = 0; i < spec->layer_count; i++)
        if (spec->layers[i].kind == LAYER_RESIDUAL)
            open = i;
        else if (spec->layers[i].kind == LAYER_ADD)
            open = NONE;
    return open;
}

int net_trace(const struct net_spec *spec, struct trace traces[NET_MAX_LAYERS], struct error *err)
{
    if (trace_layers(spec, traces, err) != 0)
        return -1;
    const int32_t open = open_block(spec);
    if (open != NONE)
        return error_set(err, ERROR_USAGE,
                         "the residual block begun behind layer %" PRId32 " is not closed",
                         count_listed(spec, open));
    const int64_t outputs = shape_features(traces[spec->layer_count - 1].output);
    if (outputs != spec->classes)
        return error_set(err, ERROR_USAGE,
                         "the last layer has %" PRId64 " outputs for %" PRId32 " classes", outputs,
                         spec->classes);
    return 0;
}
