/* Where a network's buffers lie: one after the other in one allocation; with no memory given they
 * are only counted, so that what is told and what is taken cannot disagree.
 *
 * Outputs are kept from forward to backward, each in a buffer of its own or over that of the layer
 * it reads. Gradients of outputs live only for a few layers: backward is played through in advance,
 * and gradients take and release slots, so that few buffers serve all layers. Where two layers read
 * an output its gradient has two parts; where an addition passes its gradient on to two layers they
 * share one slot. */
#include <assert.h>

#include "state.h"

#define MAX_SLOTS 8 /* blocks do not nest: fewer are in use at any time */
#define NO_SLOT (-1)

/* Where the gradient of a layer's output stands: up to two parts. */
struct parts {
    int first, second;
};

struct slots {
    int users[MAX_SLOTS]; /* gradients that still are to be read from it */
    int64_t size[MAX_SLOTS];
    struct parts parts[NET_MAX_LAYERS];
};

static int take_slot(struct slots *slots, int64_t size)
{
    int slot = 0;
    while (slot < MAX_SLOTS && slots->users[slot] > 0)
        slot++;
    assert(slot < MAX_SLOTS);
    slots->users[slot] = 1;
    if (slots->size[slot] < size)
        slots->size[slot] = size;
    return slot;
}

static void deliver(struct slots *slots, int32_t layer, int slot)
{
    struct parts *parts = &slots->parts[layer];
    if (parts->first == NO_SLOT)
        parts->first = slot;
    else
        parts->second = slot;
}

/* Before the layer's own backward its gradient is settled: parts are added, and what its relu has
 * cut off is cleared. Returns the slot of the result. */
static int settle_slot(struct slots *slots, struct layer *layer, struct parts parts)
{
    const bool has_two = parts.second != NO_SLOT;
    layer->slots.first = parts.first;
    layer->slots.second = parts.second;
    layer->settles = has_two || (layer->rectify && !layer->operation->rectifies_gradient);
    int result = parts.first;
    if (layer->settles && slots->users[parts.first] > 1) {
        result = has_two && slots->users[parts.second] == 1 ? parts.second
                                                            : take_slot(slots, layer->outputs);
        slots->users[parts.first]--;
    }
    if (has_two && result != parts.second)
        slots->users[parts.second]--;
    return result;
}

/* Hands the settled gradient on as it is. */
static void pass_slot(struct slots *slots, const struct layer *layer, int slot)
{
    slots->users[slot]--;
    const int32_t readers[] = {layer->source, layer->other};
    for (int i = 0; i < 2; i++)
        if (readers[i] != TRACE_INPUT) {
            slots->users[slot]++;
            deliver(slots, readers[i], slot);
        }
}

static void play_layer(struct slots *slots, struct layer *layer, struct parts parts)
{
    const int slot = layer->slots.settled = settle_slot(slots, layer, parts);
    layer->slots.input = NO_SLOT;
    if (!layer->operation->backward) {
        pass_slot(slots, layer, slot);
        return;
    }
    if (layer->source != TRACE_INPUT) {
        const bool over = layer->operation->gradient_in_place && slots->users[slot] == 1;
        layer->slots.input = over ? slot : take_slot(slots, layer->inputs);
        slots->users[slot] -= over ? 0 : 1;
        deliver(slots, layer->source, layer->slots.input);
    } else {
        slots->users[slot]--;
    }
}

/* Plays backward through: which slots each layer reads and writes, and how large they are. */
static void assign_slots(struct network *net, struct slots *slots)
{
    *slots = (struct slots){0};
    for (int32_t i = 0; i < net->layer_count; i++)
        slots->parts[i] = (struct parts){NO_SLOT, NO_SLOT};
    const int32_t last = net->layer_count - 1;
    deliver(slots, last, take_slot(slots, net->layers[last].outputs));
    for (int32_t i = last; i >= 0; i--)
        play_layer(slots, &net->layers[i], slots->parts[i]);
}

/* Hands out consecutive aligned pieces of `memory`, or only counts them while it is NULL. */
struct placement {
    float *memory;
    int64_t used;
};

static float *place_floats(struct placement *placement, int64_t floats)
{
    const int64_t aligned = (floats + NET_LANES - 1) / NET_LANES * NET_LANES;
    float *piece = placement->memory ? placement->memory + placement->used : NULL;
    placement->used += aligned;
    return piece;
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void place_gradients(struct network *net, struct placement *placement)
{
    struct slots slots;
    float *memory[MAX_SLOTS];
    assign_slots(net, &slots);
    for (int i = 0; i < MAX_SLOTS; i++)
        memory[i] = place_floats(placement, slots.size[i] * net->train_columns);
    for (int32_t i = 0; i < net->layer_count; i++) {
        struct layer *layer = &net->layers[i];
        layer->incoming[0] = memory[layer->slots.first];
        layer->incoming[1] = layer->slots.second == NO_SLOT ? NULL : memory[layer->slots.second];
        layer->gradient = memory[layer->slots.settled];
        layer->input_gradient = layer->slots.input == NO_SLOT ? NULL : memory[layer->slots.input];
    }
}

static void place_activations(struct network *net, struct placement *placement)
{
    const int64_t columns = greatest(net->train_columns, net->evaluate_columns);
    int64_t scratch = 0;
    for (int32_t i = 0; i < net->layer_count; i++) {
        struct layer *layer = &net->layers[i];
        const struct operation *operation = layer->operation;
        layer->output = layer->in_place ? net->layers[layer->source].output
                                        : place_floats(placement, layer->outputs * columns);
        if (operation->state_size)
            layer->state =
                place_floats(placement, operation->state_size(layer, net->train_columns));
        if (operation->scratch_size)
            scratch = greatest(scratch, operation->scratch_size(layer, columns));
    }
    const int64_t inputs = shape_features(net->spec.input);
    net->train_input = place_floats(placement, inputs * net->train_columns);
    net->evaluate_input = place_floats(placement, inputs * net->evaluate_columns);
    net->scratch = place_floats(placement, scratch);
}

/* Gives the layers their views of the parameters. */
static void view_parameters(struct network *net)
{
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    struct parameter_list list = {.parameters = parameters};
    struct trace traces[NET_MAX_LAYERS];
    int next[NET_MAX_LAYERS] = {0};
    net_trace(&net->spec, traces, NULL);
    parameter_list_fill(&list, &net->spec, traces, NULL);
    for (int p = 0; p < list.count; p++) {
        int32_t i = 0;
        while (net->layers[i].spec != &net->spec.layers[list.layers[p]])
            i++;
        const int slot = next[i]++;
        net->layers[i].parameters[slot] = net->weights + parameters[p].offset;
        net->layers[i].gradients[slot] = net->gradients + parameters[p].offset;
    }
}

int64_t buffers_place(struct network *net, float *memory)
{
    struct placement placement = {.memory = memory};
    net->weights = place_floats(&placement, net->block_size);
    net->gradients = place_floats(&placement, net->block_size);
    for (int i = 0; i < MAX_MOMENTS; i++)
        net->moments[i] = place_floats(&placement, net->block_size);
    net->mask = (uint8_t *)place_floats(&placement, (net->block_size + 3) / 4);
    place_activations(net, &placement);
    place_gradients(net, &placement);
    if (memory)
        view_parameters(net);
    return placement.used;
}
