/* Labels: short names of networks for the store's folders. They are frozen. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "architectures.h"
#include "base/hash.h"
#include "nn/spec.h"

/* Adds "lenet-A-B...", the widths of the hidden layers. Returns whether that tells the layers:
 * hidden fc + relu pairs and an output layer, nothing else. */
static bool add_widths(const struct net_spec *spec, struct text *name)
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

static bool has_only_fc_layers(const struct net_spec *spec)
{
    for (int32_t i = 0; i < spec->layer_count; i++)
        if (spec->layers[i].kind != LAYER_FC && spec->layers[i].kind != LAYER_RELU &&
            spec->layers[i].kind != LAYER_DROPOUT)
            return false;
    return true;
}

static struct net_spec without_dropout(const struct net_spec *spec)
{
    struct net_spec plain = *spec;
    plain.layer_count = 0;
    for (int32_t i = 0; i < spec->layer_count; i++)
        if (spec->layers[i].kind != LAYER_DROPOUT)
            plain.layers[plain.layer_count++] = spec->layers[i];
    return plain;
}

static bool same_layers(const struct net_spec *a, const struct net_spec *b)
{
    struct text texts[2] = {0};
    net_spec_text(a, &texts[0]);
    net_spec_text(b, &texts[1]);
    const bool same =
        !texts[0].failed && !texts[1].failed && strcmp(texts[0].bytes, texts[1].bytes) == 0;
    text_finish(&texts[0]);
    text_finish(&texts[1]);
    return same;
}

/* Adds the name of the architecture that has these layers, dropout apart, or "own". Returns whether
 * that tells the layers. */
static bool add_architecture(const struct net_spec *spec, struct text *name)
{
    const struct net_spec plain = without_dropout(spec);
    for (int i = 0; architecture_name(i); i++) {
        struct net_spec named;
        if (net_spec_named(architecture_name(i), spec->input, spec->classes, 0, &named, NULL) ==
                0 &&
            same_layers(&plain, &named)) {
            text_add(name, "%s", architecture_name(i));
            return plain.layer_count == spec->layer_count;
        }
    }
    text_add(name, "own");
    return false;
}

void net_spec_label(const struct net_spec *spec, char label[NET_NAME_SIZE])
{
    struct text name = {0}, layers = {0};
    const struct shape in = spec->input;
    const bool told =
        has_only_fc_layers(spec) ? add_widths(spec, &name) : add_architecture(spec, &name);
    text_add(&name, ".%" PRId32 "x%" PRId32 "x%" PRId32 ".%" PRId32, in.channels, in.height,
             in.width, spec->classes);
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
