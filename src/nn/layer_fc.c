/* Fully connected: Y = W X + b on [feature][batch], W [outputs][inputs]. */
#include <inttypes.h>
#include <stdio.h>

#include "operation.h"

static int fc_output(const struct layer_spec *layer, struct shape input, struct shape *output,
                     struct error *err)
{
    (void)input;
    if (layer->outputs < 1)
        return error_set(err, ERROR_USAGE, "%" PRId32 " units; at least 1 is needed",
                         layer->outputs);
    *output = (struct shape){layer->outputs, 1, 1};
    return 0;
}

static int fc_parameters(const struct layer_spec *layer, struct shape input, int number,
                         struct parameter_list *list, struct error *err)
{
    struct parameter_spec weight = {
        .role = layer->is_output ? PARAMETER_OUTPUT : PARAMETER_FC,
        .is_weight = true,
        .is_prunable = true,
        .rank = 2,
        .dims = {layer->outputs, shape_features(input)},
        .fan_in = shape_features(input),
        .fan_out = layer->outputs,
    };
    struct parameter_spec bias = {.role = PARAMETER_BIAS,
                                  .rank = 1,
                                  .dims = {layer->outputs},
                                  .fan_in = weight.fan_in,
                                  .fan_out = weight.fan_out};
    snprintf(weight.name, sizeof weight.name, "fc%d.weight", number);
    snprintf(bias.name, sizeof bias.name, "fc%d.bias", number);
    if (parameter_list_add(list, &weight, err) != 0)
        return -1;
    return parameter_list_add(list, &bias, err);
}

static void fc_text(const struct layer_spec *layer, struct text *text)
{
    text_add(text, " %" PRId32, layer->outputs);
}

static double fc_multiply_adds(const struct layer_spec *layer, struct shape input)
{
    return (double)shape_features(input) * layer->outputs;
}

const struct operation operation_fc = {
    .name = "fc",
    .output = fc_output,
    .parameters = fc_parameters,
    .text = fc_text,
    .multiply_adds = fc_multiply_adds,
};
