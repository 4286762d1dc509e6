/* Batch norm (Ioffe & Szegedy 2015), per channel over the examples and the pixels. */
#include "operation.h"

static int batch_norm_parameters(const struct layer_spec *layer, const struct trace *trace,
                                 struct parameter_list *list, struct error *err)
{
    (void)layer;
    const char *prefix = trace->in_shortcut ? "shortcut_bn" : "bn";
    struct parameter_spec parameter = {.role = PARAMETER_NORM,
                                       .starts_at_one = true,
                                       .rank = 1,
                                       .dims = {trace->input.channels}};
    if (parameter_list_add(list, &parameter, prefix, trace->number, "weight", err) != 0)
        return -1;
    parameter.starts_at_one = false;
    return parameter_list_add(list, &parameter, prefix, trace->number, "bias", err);
}

static int batch_norm_statistics(const struct layer_spec *layer, const struct trace *trace,
                                 struct parameter_list *list, struct error *err)
{
    (void)layer;
    const char *prefix = trace->in_shortcut ? "shortcut_bn" : "bn";
    struct parameter_spec parameter = {
        .role = PARAMETER_STATISTIC, .rank = 1, .dims = {trace->input.channels}};
    if (parameter_list_add(list, &parameter, prefix, trace->number, "running_mean", err) != 0)
        return -1;
    parameter.starts_at_one = true;
    return parameter_list_add(list, &parameter, prefix, trace->number, "running_var", err);
}

const struct operation operation_batch_norm = {
    .name = "batch-norm",
    .parameters = batch_norm_parameters,
    .statistics = batch_norm_statistics,
};
