/* Networks by name: an architecture of the table, or a family and the widths of its hidden layers.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "architectures.h"

#define MAX_WIDTH (1 << 20)
#define MAX_CLASSES 256 /* labels are bytes */
#define MAX_NAMES 16

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
    const char *known[MAX_NAMES] = {"lenet-300-100", "resnet-20"};
    size_t count = 2;
    struct text names = {0};
    for (int i = 0; architecture_name(i); i++) {
        known[count++] = architecture_name(i);
        text_add(&names, "%s, ", architecture_name(i));
    }
    const char *near = text_nearest(architecture, known, count);
    error_set(err, ERROR_USAGE,
              "unknown network '%s'%s%s%s; known are lenet-300-100, %slenet-A-B[-C...] and "
              "fc-A[-B...], where A, B, C are the widths of the hidden layers",
              architecture, near ? " (did you mean " : "", near ? near : "", near ? "?)" : "",
              names.bytes ? names.bytes : "");
    text_finish(&names);
    return -1;
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

static int add_width(struct net_spec *spec, int32_t width, double dropout, struct error *err)
{
    int32_t needed = dropout > 0 ? 3 : 2;
    if (spec->layer_count + needed + 1 > NET_MAX_LAYERS)
        return error_set(err, ERROR_USAGE, "more than %" PRId32 " hidden layers",
                         (NET_MAX_LAYERS - 1) / needed);
    return add_hidden_layer(spec, width, dropout, err);
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
        if (add_width(spec, width, dropout, err) != 0)
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
    const int index = architecture_find(architecture);
    if (!family && index < 0)
        return unknown_network(architecture, err);
    if (classes < 2 || classes > MAX_CLASSES)
        return error_set(err, ERROR_USAGE, "network '%s': 2 to %d classes, not %" PRId32,
                         architecture, MAX_CLASSES, classes);
    if (!(dropout >= 0 && dropout < 1))
        return error_set(err, ERROR_USAGE, "dropout is at least 0 and below 1, not %g", dropout);
    memset(spec, 0, sizeof *spec);
    spec->input = input;
    spec->classes = classes;
    const struct layer_spec output = {.kind = LAYER_FC, .outputs = classes, .is_output = true};
    if ((index >= 0 ? architecture_add_layers(index, spec, dropout, err)
                    : add_widths(family, architecture, dropout, spec, err)) != 0 ||
        net_spec_add(spec, output, err) != 0)
        return -1;
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    if (net_spec_parameters(spec, parameters, err) < 0)
        return error_prefix(err, "network '%s'", architecture);
    return 0;
}
