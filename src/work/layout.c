/* The store a plan needs: its networks with what is kept of them, and its tables. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "layout.h"
#include "work/work.h"

static const char *kind_name(enum parameter_role role)
{
    switch (role) {
    case PARAMETER_CONV:
        return "conv";
    case PARAMETER_FC:
        return "fc";
    case PARAMETER_OUTPUT:
        return "output";
    case PARAMETER_SHORTCUT:
        return "shortcut";
    case PARAMETER_NORM:
        return "norm";
    case PARAMETER_STATISTIC:
        return "statistic";
    case PARAMETER_BIAS:
        break;
    }
    return "bias";
}

static int lay_out_parameters(const struct plan_network *from, struct store_network *to,
                              struct error *err)
{
    struct parameter_spec parameters[NET_MAX_PARAMETERS];
    int count = net_spec_parameters(&from->spec, parameters, err);
    if (count < 0)
        return -1;
    to->parameter_count = count;
    for (int i = 0; i < count; i++) {
        struct store_parameter *parameter = &to->parameters[i];
        text_copy(parameter->name, sizeof parameter->name, parameters[i].name);
        text_copy(parameter->kind, sizeof parameter->kind, kind_name(parameters[i].role));
        parameter->rank = parameters[i].rank;
        memcpy(parameter->dims, parameters[i].dims, sizeof parameter->dims);
        parameter->count = parameters[i].count;
        parameter->offset = parameters[i].offset;
        parameter->prunable = parameters[i].is_prunable;
    }
    return 0;
}

/* Sets of weights nobody keeps are left out. */
static void add_when(struct store_network *network, const char *name, int64_t slots)
{
    if (slots == 0)
        return;
    struct store_when *when = &network->whens[network->when_count++];
    text_copy(when->name, sizeof when->name, name);
    when->slots = slots;
}

static void add_family(struct store_network *network, const char *prefix, const int64_t *iterations,
                       int32_t count, int64_t slots)
{
    char name[32];
    for (int32_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s-%" PRId64, prefix, iterations[i]);
        add_when(network, name, slots);
    }
}

static int lay_out_network(const struct plan_network *from, struct store_network *to,
                           struct error *err)
{
    text_copy(to->name, sizeof to->name, from->label);
    to->block_size = net_spec_block_size(&from->spec);
    to->mask_slots = from->mask_slots;
    add_when(to, "init", from->init_slots);
    add_family(to, "rewind", from->rewinds, from->rewind_count, from->rewind_slots);
    add_family(to, "at", from->ats, from->at_count, from->at_slots);
    add_when(to, "early-stop", from->early_stop_slots);
    add_when(to, "final", from->final_slots);
    return lay_out_parameters(from, to, err);
}

static int lay_out_networks(const struct plan *plan, struct store_layout *layout, struct error *err)
{
    layout->networks = mem_zeroed((size_t)plan->network_count, sizeof *layout->networks, err);
    if (layout->networks == NULL)
        return -1;
    layout->network_count = plan->network_count;
    for (int32_t i = 0; i < plan->network_count; i++) {
        if (lay_out_network(&plan->networks[i], &layout->networks[i], err) != 0)
            return -1;
    }
    return 0;
}

static int lay_out(const struct plan *plan, const struct store_identity *identity,
                   layout_filler *fill, struct store_layout *layout, struct error *err)
{
    *layout = (struct store_layout){
        .identity = *identity,
        .grid_text = plan->grid->text,
        .grid_length = plan->grid->text_length,
        .curve_rows = plan->curve_rows,
    };
    if (lay_out_networks(plan, layout, err) == 0 &&
        layout_experiments(plan, fill, &layout->experiments, err) == 0 &&
        layout_points(plan, fill, &layout->points, err) == 0 &&
        layout_tasks(plan, fill, &layout->tasks, err) == 0)
        return 0;
    work_layout_finish(layout);
    return -1;
}

int work_layout_create(const struct plan *plan, const struct store_identity *identity,
                       struct store_layout *layout, struct error *err)
{
    return lay_out(plan, identity, filler_make, layout, err);
}

int work_store_bytes(const struct plan *plan, int64_t *bytes, struct error *err)
{
    struct store_layout layout;
    struct store_identity identity = {0};
    if (lay_out(plan, &identity, filler_define, &layout, err) != 0)
        return -1;
    *bytes = store_layout_bytes(&layout);
    work_layout_finish(&layout);
    return *bytes >= 0 ? 0 : error_set(err, ERROR_INTERNAL, "the store's size is not known");
}

void work_layout_finish(struct store_layout *layout)
{
    store_table_finish(&layout->experiments);
    store_table_finish(&layout->points);
    store_table_finish(&layout->tasks);
    free(layout->networks);
    layout->networks = NULL;
    layout->network_count = 0;
}
