/* From the fields of an experiment to the plan's networks and datasets.
 *
 * A dataset is described (and its content hashed, which decodes files) once for each distinct
 * request; two requests that give the same examples and split are one dataset of the plan. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "builder.h"
#include "key.h"
#include "own_network.h"

/* --- datasets --- */

static struct dataset_request request_of(const struct builder *builder,
                                         const struct experiment *experiment)
{
    static const enum data_preprocessing preprocessings[] = {
        [FIELD_PREPROCESSING_UNIT] = DATA_UNIT,
        [FIELD_PREPROCESSING_STANDARDIZE] = DATA_STANDARDIZE,
    };
    static const enum data_augment augments[] = {
        [FIELD_AUGMENT_NONE] = DATA_AUGMENT_NONE,
        [FIELD_AUGMENT_FLIP_CROP] = DATA_AUGMENT_FLIP_CROP,
    };
    struct dataset_request request = {
        .train = experiment->fields.dataset.train,
        .test = experiment->fields.dataset.test,
        .validation = experiment->fields.dataset.validation,
        .seed = experiment->fields.dataset.seed,
        .preprocessing = preprocessings[experiment->fields.dataset.preprocessing],
        .augment = augments[experiment->fields.dataset.augment],
    };
    const char *folder = experiment->fields.dataset.folder;
    if (folder[0] == '\0' && builder->data_folder != NULL)
        folder = builder->data_folder;
    text_copy(request.name, sizeof request.name, experiment->fields.dataset.name);
    text_copy(request.folder, sizeof request.folder, folder);
    if (request.validation > 0)
        request.split_seed = experiment->fields.dataset.split_seed;
    return request;
}

/* The field a request fails for: the one without which the dataset could be described. Where it can
 * be as it is, what the files hold is at fault. */
static const char *blame_request(const struct dataset_request *request)
{
    struct dataset_request without[3] = {*request, *request, *request};
    static const char *const fields[3] = {"dataset.validation", "dataset.test", "dataset.train"};
    without[0].validation = 0;
    without[1].test = -1;
    without[2].train = -1;
    struct dataset_info info;
    if (dataset_describe(request, &info, NULL) == 0)
        return "dataset.name";
    for (int i = 0; i < 3; i++)
        if (dataset_describe(&without[i], &info, NULL) == 0)
            return fields[i];
    return "dataset.name";
}

/* The data room's sentence begins with the field where one is at fault; the mark names it too. */
static int refuse_dataset(const struct builder *builder, const struct experiment *experiment,
                          const struct dataset_request *request, struct error *err)
{
    if (err->class != ERROR_USAGE)
        return -1;
    const char *field = blame_request(request), *cause = err->text;
    size_t length = strlen(field);
    if (strncmp(cause, field, length) == 0 && cause[length] == ' ')
        cause += length + 1;
    return grid_error_at(err, builder->grid, experiment, field_find(field), "%s", cause);
}

/* The hash of the examples before the split, computed once for all splits and ways to see them. */
static int find_content(struct builder *builder, const struct dataset_request *request,
                        struct hash128 *key, struct hash128 *content, struct error *err)
{
    struct dataset_request unsplit = *request;
    unsplit.validation = unsplit.split_seed = 0;
    unsplit.preprocessing = DATA_UNIT;
    unsplit.augment = DATA_AUGMENT_NONE;
    *key = hash128_of(&unsplit, sizeof unsplit);
    int32_t known = index_map_find(&builder->dataset_by_data, *key);
    if (known < 0)
        return dataset_content(&unsplit, content, err);
    *content = builder->plan->datasets[known].content;
    return 0;
}

static int32_t add_dataset(struct builder *builder, const struct experiment *experiment,
                           const struct dataset_request *request, struct error *err)
{
    struct plan_dataset dataset = {.request = *request};
    struct hash128 data_key;
    if (dataset_describe(request, &dataset.info, err) != 0 ||
        find_content(builder, request, &data_key, &dataset.content, err) != 0)
        return refuse_dataset(builder, experiment, request, err);
    struct text text = {0};
    key_add_dataset(&dataset, &text);
    int32_t index = shelf_put(&builder->datasets, &text, (void **)&builder->plan->datasets,
                              &builder->plan->dataset_count, &dataset, sizeof dataset, err);
    if (index >= 0 && index_map_find(&builder->dataset_by_data, data_key) < 0 &&
        index_map_add(&builder->dataset_by_data, data_key, index, err) != 0)
        return -1;
    return index;
}

static int32_t resolve_dataset(struct builder *builder, const struct experiment *experiment,
                               struct error *err)
{
    struct dataset_request request = request_of(builder, experiment);
    struct hash128 key = hash128_of(&request, sizeof request);
    int32_t index = index_map_find(&builder->dataset_by_request, key);
    if (index >= 0)
        return index;
    index = add_dataset(builder, experiment, &request, err);
    if (index < 0 || index_map_add(&builder->dataset_by_request, key, index, err) != 0)
        return -1;
    return index;
}

/* --- networks --- */

/* Of a network that the grid defines: a mistake is in its definition. */
static int make_own(const struct builder *builder, const struct experiment *experiment,
                    const struct grid_network *own, const struct dataset_info *info,
                    struct net_spec *spec, struct error *err)
{
    struct shape input = {info->channels, info->height, info->width};
    struct mark at;
    struct error cause = {0};
    if (experiment->fields.train.dropout > 0)
        return grid_error_at(err, builder->grid, experiment, field_find("train.dropout"),
                             "is for the built-in networks; '%s' is the grid's own: give it layers "
                             "{dropout: %g} where units are dropped",
                             own->name, experiment->fields.train.dropout);
    if (own_network_spec(own, input, info->classes, spec, &at, &cause) == 0)
        return 0;
    return grid_network_error(err, builder->grid, own, at,
                              "on examples of %" PRId32 "x%" PRId32 "x%" PRId32 " ('%s'): %s",
                              input.channels, input.height, input.width,
                              experiment->fields.dataset.name, cause.text);
}

static int make_named(const struct builder *builder, const struct experiment *experiment,
                      const struct dataset_info *info, struct net_spec *spec, struct error *err)
{
    struct shape input = {info->channels, info->height, info->width};
    struct error cause = {0};
    if (net_spec_named(experiment->fields.architecture, input, info->classes,
                       experiment->fields.train.dropout, spec, &cause) == 0)
        return 0;
    return grid_error_at(
        err, builder->grid, experiment, field_find("architecture"), "%s%s", cause.text,
        builder->grid->network_count > 0 ? "; or a network that the grid defines under networks"
                                         : "");
}

static int32_t add_network(struct builder *builder, const struct experiment *experiment,
                           const struct dataset_info *info, struct error *err)
{
    struct plan_network network = {0};
    const struct grid_network *own =
        grid_network_find(builder->grid, experiment->fields.architecture);
    int status = own != NULL ? make_own(builder, experiment, own, info, &network.spec, err)
                             : make_named(builder, experiment, info, &network.spec, err);
    if (status != 0)
        return -1;
    net_spec_label(&network.spec, network.label);
    struct text text = {0};
    key_add_network(&network, &text);
    return shelf_put(&builder->networks, &text, (void **)&builder->plan->networks,
                     &builder->plan->network_count, &network, sizeof network, err);
}

static int32_t resolve_network(struct builder *builder, const struct experiment *experiment,
                               int32_t dataset, struct error *err)
{
    const struct dataset_info *info = &builder->plan->datasets[dataset].info;
    struct {
        char architecture[GRID_NAME_SIZE];
        double dropout;
        int32_t shape[4];
    } from = {.dropout = experiment->fields.train.dropout,
              .shape = {info->channels, info->height, info->width, info->classes}};
    memcpy(from.architecture, experiment->fields.architecture, sizeof from.architecture);
    struct hash128 key = hash128_of(&from, sizeof from);
    int32_t index = index_map_find(&builder->network_by_fields, key);
    if (index >= 0)
        return index;
    index = add_network(builder, experiment, info, err);
    if (index < 0 || index_map_add(&builder->network_by_fields, key, index, err) != 0)
        return -1;
    return index;
}

/* --- experiments --- */

static int resolve_parts(struct builder *builder, const struct experiment *experiment,
                         struct resolved *resolved, struct error *err)
{
    *resolved = (struct resolved){.experiment = experiment, .network = -1, .training = -1};
    resolved->dataset = resolve_dataset(builder, experiment, err);
    if (resolved->dataset >= 0)
        resolved->network = resolve_network(builder, experiment, resolved->dataset, err);
    if (resolved->network >= 0)
        resolved->training = resolve_training(builder, experiment, resolved->dataset, err);
    return resolved->training < 0 ? -1 : 0;
}

static int check_rewind(const struct builder *builder, const struct resolved *resolved,
                        const char *field, struct error *err)
{
    int64_t iterations = builder->plan->trainings[resolved->training].iterations;
    if (resolved->rewind < iterations)
        return 0;
    return grid_error_at(err, builder->grid, resolved->experiment, field_find(field),
                         "tickets train from iteration %" PRId64 " to %" PRId64
                         ": rewind.to must be below train.iterations",
                         resolved->rewind, iterations);
}

int resolve_experiment(struct builder *builder, const struct experiment *experiment,
                       struct resolved *resolved, struct error *err)
{
    if (resolve_parts(builder, experiment, resolved, err) != 0 ||
        resolve_steps(builder, experiment, resolved->dataset, experiment->fields.rewind.to,
                      "rewind.to", &resolved->rewind, err) != 0 ||
        check_rewind(builder, resolved, "rewind.to", err) != 0)
        return -1;
    return resolve_ladder(builder, resolved, err);
}

/* A control trains its ticket's network: the field that gives it another is at fault. */
static int refuse_network(const struct builder *builder, const struct control *control,
                          const struct resolved *ticket, const struct resolved *changed,
                          struct error *err)
{
    const struct plan_network *networks = builder->plan->networks;
    bool same_dropout =
        ticket->experiment->fields.train.dropout == changed->experiment->fields.train.dropout;
    const char *field = same_dropout ? "dataset.name" : "train.dropout";
    return grid_error_at(err, builder->grid, changed->experiment, field_find(field),
                         "control %s would train another network (%s) than its ticket (%s); `set` "
                         "may only change what leaves the layers as they are",
                         control_kind_name(control->kind), networks[changed->network].label,
                         networks[ticket->network].label);
}

int resolve_control(struct builder *builder, const struct resolved *ticket,
                    const struct control *control, struct experiment *changed,
                    struct resolved *resolved, struct error *err)
{
    if (control->set_count == 0) {
        *resolved = *ticket;
        return 0;
    }
    experiment_for_control(ticket->experiment, control, changed);
    if (resolve_parts(builder, changed, resolved, err) != 0)
        return -1;
    resolved->levels = ticket->levels;
    resolved->ladder = ticket->ladder;
    resolved->rewind = ticket->rewind;
    if (resolved->network != ticket->network)
        return refuse_network(builder, control, ticket, resolved, err);
    return check_rewind(builder, resolved, "train.iterations", err);
}
