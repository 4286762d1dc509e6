/* The table of densities at which layers change from dense products to their surviving weights.
 *
 * Measured (tests/bench/run kernels): where a layer's passes together take equally long both ways.
 * Whoever changes a threshold changes bits: raise the generation in work/kernel_mode.c. */
#include "paths.h"

#include <string.h>

static const char *const names[NET_KERNELS] = {"auto", "dense", "sparse"};

const char *net_kernels_name(enum net_kernels kernels)
{
    return names[kernels];
}

int net_kernels_named(const char *name, enum net_kernels *kernels)
{
    for (int i = 0; i < NET_KERNELS; i++)
        if (strcmp(name, names[i]) == 0) {
            *kernels = (enum net_kernels)i;
            return 0;
        }
    return -1;
}

/* Layers whose steps compare alike. */
enum family {
    FC,
    CONV_FIRST, /* 3x3, of images: no gradient of the argument */
    CONV_NARROW,
    CONV_WIDE,
    CONV_OTHER, /* not 3x3 with stride 1 */
    FAMILIES
};

#define FIRST_CHANNELS 3
#define NARROW_CHANNELS 16

static const struct {
    const char *isa;
    double least_selected; /* density; no bits depend on it */
    double thresholds[FAMILIES];
} table[] = {
    {"avx512",
     0.03,
     {[FC] = 0.6, [CONV_FIRST] = 0.5, [CONV_NARROW] = 0.3, [CONV_WIDE] = 0.21, [CONV_OTHER] = 0.2}},
    {"avx2",
     0.015,
     {[FC] = 0.55,
      [CONV_FIRST] = 0.45,
      [CONV_NARROW] = 0.3,
      [CONV_WIDE] = 0.2,
      [CONV_OTHER] = 0.15}},
    {"portable",
     0.1,
     {[FC] = 0.65,
      [CONV_FIRST] = 0.1,
      [CONV_NARROW] = 0.2,
      [CONV_WIDE] = 0.17,
      [CONV_OTHER] = 0.15}},
};

static enum family family_of(const struct layer_spec *layer, struct shape input)
{
    if (layer->kind == LAYER_FC)
        return FC;
    if (layer->kernel != 3 || layer->stride != 1)
        return CONV_OTHER;
    if (input.channels <= FIRST_CHANNELS)
        return CONV_FIRST;
    return input.channels <= NARROW_CHANNELS ? CONV_NARROW : CONV_WIDE;
}

static size_t row_of(const char *isa)
{
    size_t row = 0;
    while (row + 1 < sizeof table / sizeof *table && strcmp(table[row].isa, isa) != 0)
        row++;
    return row;
}

double path_threshold(enum net_kernels mode, const char *isa, const struct layer *layer)
{
    if (!layer->operation->sparse_form || mode == NET_KERNELS_DENSE)
        return 0;
    if (mode == NET_KERNELS_SPARSE)
        return 1;
    return table[row_of(isa)].thresholds[family_of(layer->spec, layer->input_shape)];
}

bool path_selects(const char *isa, const struct layer *layer, double density)
{
    return layer->skips_zeros && density >= table[row_of(isa)].least_selected;
}

double path_cost(const struct layer_spec *layer, struct shape input, double density)
{
    const double threshold = table[0].thresholds[family_of(layer, input)];
    return density < threshold ? density / threshold : 1;
}
