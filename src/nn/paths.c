/* The table of densities at which layers change from dense products to their surviving weights.
 *
 * Measured: where the steps of a layer (forward, backward, optimiser) take equally long both ways.
 * Whoever changes a number changes bits of results: raise the generation in work/kernel_mode.c. */
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
enum family { FC, CONV_FEW, CONV_SMALL_IMAGES, CONV_LARGE_IMAGES, CONV_OTHER, FAMILIES };

static const struct {
    const char *isa;
    double thresholds[FAMILIES];
} table[] = {
    {"avx512",
     {[FC] = 0.65,
      [CONV_FEW] = 0.1,
      [CONV_SMALL_IMAGES] = 0.3,
      [CONV_LARGE_IMAGES] = 0.2,
      [CONV_OTHER] = 0.2}},
    {"avx2",
     {[FC] = 0.55,
      [CONV_FEW] = 0.1,
      [CONV_SMALL_IMAGES] = 0.3,
      [CONV_LARGE_IMAGES] = 0.2,
      [CONV_OTHER] = 0.2}},
    {"portable",
     {[FC] = 0.65,
      [CONV_FEW] = 0.1,
      [CONV_SMALL_IMAGES] = 0.3,
      [CONV_LARGE_IMAGES] = 0.2,
      [CONV_OTHER] = 0.2}},
};

static enum family family_of(const struct layer_spec *layer, struct shape input)
{
    if (layer->kind == LAYER_FC)
        return FC;
    if (layer->kernel != 3 || layer->stride != 1)
        return CONV_OTHER;
    if (input.channels <= 3)
        return CONV_FEW;
    return input.height * input.width <= 16 ? CONV_SMALL_IMAGES : CONV_LARGE_IMAGES;
}

double path_threshold(enum net_kernels mode, const char *isa, const struct layer *layer)
{
    if (!layer->operation->sparse_form || mode == NET_KERNELS_DENSE)
        return 0;
    if (mode == NET_KERNELS_SPARSE)
        return 1;
    size_t row = 0;
    while (row + 1 < sizeof table / sizeof *table && strcmp(table[row].isa, isa) != 0)
        row++;
    return table[row].thresholds[family_of(layer->spec, layer->input_shape)];
}

double path_cost(const struct layer_spec *layer, struct shape input, double density)
{
    const double threshold = table[0].thresholds[family_of(layer, input)];
    return density < threshold ? density / threshold : 1;
}
