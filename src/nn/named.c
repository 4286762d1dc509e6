/* The networks that have a name: a family, and the widths of its hidden layers. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "nn/spec.h"

#define MAX_WIDTH (1 << 20)
#define MAX_CLASSES 256 /* labels are bytes */

static const struct family {
    const char *prefix;
    int least_widths;
} families[] = {{"lenet-", 2}, {"fc-", 1}};

static const struct family *find_family(const char *architecture)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strncmp(architecture, families[i].prefix, strlen(families[i].prefix)) == 0)
            return &families[i];
    return NULL;
}

static int unknown_network(const char *architecture, struct error *err)
{
    static const char *const known[] = {"lenet-300-100"};
    const char *near = text_nearest(architecture, known, 1);
    return error_set(err, ERROR_USAGE,
                     "unknown network '%s'%s%s%s; known are lenet-300-100, lenet-A-B[-C...] and "
                     "fc-A[-B...], where A, B, C are the widths of the hidden layers",
                     architecture, near ? " (did you mean " : "", near ? near : "",
                     near ? "?)" : "");
}

/* Reads a width without sign or leading zero at *at and steps over it and a '-' behind it. */
static int32_t read_width(const char **at)
{
    if (**at < '1' || **at > '9')
        return -1;
    char *end;
    unsigned long long width = strtoull(*at, &end, 10);
    if (width > MAX_WIDTH || (*end != '-' && *end != '\0') || (*end == '-' && end[1] == '\0'))
        return -1;
    *at = *end == '-' ? end + 1 : end;
    return (int32_t)width;
}

static void add_layer(struct net_spec *spec, struct layer_spec layer)
{
    spec->layers[spec->layer_count++] = layer;
}

static int add_hidden(struct net_spec *spec, int32_t width, double dropout, struct error *err)
{
    int32_t needed = dropout > 0 ? 3 : 2;
    if (spec->layer_count + needed + 1 > NET_MAX_LAYERS)
        return error_set(err, ERROR_USAGE, "more than %" PRId32 " hidden layers",
                         (NET_MAX_LAYERS - 1) / needed);
    add_layer(spec, (struct layer_spec){.kind = LAYER_FC, .outputs = width});
    add_layer(spec, (struct layer_spec){.kind = LAYER_RELU});
    if (dropout > 0)
        add_layer(spec, (struct layer_spec){.kind = LAYER_DROPOUT, .drop = dropout});
    return 0;
}

static int add_widths(const struct family *family, const char *architecture, double dropout,
                      struct net_spec *spec, struct error *err)
{
    int count = 0;
    for (const char *at = architecture + strlen(family->prefix); *at != '\0'; count++) {
        int32_t width = read_width(&at);
        if (width < 0)
            return error_set(err, ERROR_USAGE,
                             "network '%s': the widths are whole numbers from 1 to %d, with '-' "
                             "between them",
                             architecture, MAX_WIDTH);
        if (add_hidden(spec, width, dropout, err) != 0)
            return error_prefix(err, "network '%s'", architecture);
    }
    if (count < family->least_widths)
        return error_set(err, ERROR_USAGE, "network '%s': %s takes at least %d width%s",
                         architecture, family->prefix, family->least_widths,
                         family->least_widths == 1 ? "" : "s");
    return 0;
}

int net_spec_named(const char *architecture, struct shape input, int32_t classes, double dropout,
                   struct net_spec *spec, struct error *err)
{
    const struct family *family = find_family(architecture);
    if (!family)
        return unknown_network(architecture, err);
    if (classes < 2 || classes > MAX_CLASSES)
        return error_set(err, ERROR_USAGE, "network '%s': 2 to %d classes, not %" PRId32,
                         architecture, MAX_CLASSES, classes);
    if (!(dropout >= 0 && dropout < 1))
        return error_set(err, ERROR_USAGE, "dropout is at least 0 and below 1, not %g", dropout);
    memset(spec, 0, sizeof *spec);
    spec->input = input;
    spec->classes = classes;
    if (add_widths(family, architecture, dropout, spec, err) != 0)
        return -1;
    add_layer(spec, (struct layer_spec){.kind = LAYER_FC, .outputs = classes, .is_output = true});
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    return net_spec_parameters(spec, parameters, err) < 0 ? -1 : 0;
}
