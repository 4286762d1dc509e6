/* From store to store: payloads are carried over by the names of sets of weights, slot by slot,
 * and compared the same way. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "datasets.h"
#include "h5.h"
#include "handle.h"

/* One side: a store, and where in it a task's payload is. */
struct side {
    struct store *store;
    const struct store_payload *payload;
};

static const struct store_network *network_of(const struct side *side)
{
    return &side->store->networks[side->payload->network];
}

/* --- walking through what both sides name --- */

/* A parameter's row on both sides. */
struct pair {
    hid_t a, b, type;
    int64_t slot_a, slot_b;
    size_t bytes;
};

/* What is done with each pair; `scratch` holds two of the largest. */
struct walk {
    struct side a, b;
    char *scratch;
    size_t room;
    int (*pass)(struct walk *walk, const struct pair *pair, struct error *err);
    bool same;
};

static int copy_pair(struct walk *walk, const struct pair *pair, struct error *err)
{
    if (h5_read_rows(pair->a, pair->type, pair->slot_a, 1, walk->scratch, err) != 0)
        return store_named(walk->a.store, -1, err);
    int status = h5_write_rows(pair->b, pair->type, pair->slot_b, 1, walk->scratch, err);
    return store_named(walk->b.store, status, err);
}

static int compare_pair(struct walk *walk, const struct pair *pair, struct error *err)
{
    char *other = walk->scratch + walk->room;
    if (h5_read_rows(pair->a, pair->type, pair->slot_a, 1, walk->scratch, err) != 0)
        return store_named(walk->a.store, -1, err);
    int status = h5_read_rows(pair->b, pair->type, pair->slot_b, 1, other, err);
    walk->same = walk->same && memcmp(walk->scratch, other, pair->bytes) == 0;
    return store_named(walk->b.store, status, err);
}

static int walk_mask(struct walk *walk, struct error *err)
{
    const struct store_network *network = network_of(&walk->a);
    const struct network_handles *a = &walk->a.store->handles[walk->a.payload->network];
    const struct network_handles *b = &walk->b.store->handles[walk->b.payload->network];
    int status = 0;
    for (int32_t p = 0; p < network->parameter_count && status == 0; p++) {
        const struct store_parameter *parameter = &network->parameters[p];
        struct pair pair = {.a = a->masks[p],
                            .b = b->masks[p],
                            .type = H5T_NATIVE_UINT8,
                            .slot_a = walk->a.payload->mask_slot,
                            .slot_b = walk->b.payload->mask_slot,
                            .bytes = (size_t)datasets_mask_bytes(parameter)};
        if (parameter->prunable)
            status = walk->pass(walk, &pair, err);
    }
    return status;
}

/* The i-th set of weights of one side and the j-th of the other. */
static int walk_set(struct walk *walk, int32_t i, int32_t j, struct error *err)
{
    const struct store_network *network = network_of(&walk->a);
    const struct store_payload *a = walk->a.payload, *b = walk->b.payload;
    int status = 0;
    for (int32_t p = 0; p < network->parameter_count && status == 0; p++) {
        struct pair pair = {.a = weights_handle(walk->a.store, a->network, a->weights[i].when, p),
                            .b = weights_handle(walk->b.store, b->network, b->weights[j].when, p),
                            .type = H5T_NATIVE_FLOAT,
                            .slot_a = a->weights[i].slot,
                            .slot_b = b->weights[j].slot,
                            .bytes = (size_t)network->parameters[p].count * sizeof(float)};
        status = walk->pass(walk, &pair, err);
    }
    return status;
}

static const char *set_name(const struct side *side, int32_t i)
{
    return network_of(side)->whens[side->payload->weights[i].when].name;
}

static int walk_weights(struct walk *walk, struct error *err)
{
    for (int32_t i = 0; i < walk->a.payload->weights_count; i++)
        for (int32_t j = 0; j < walk->b.payload->weights_count; j++)
            if (strcmp(set_name(&walk->a, i), set_name(&walk->b, j)) == 0 &&
                walk_set(walk, i, j, err) != 0)
                return -1;
    return 0;
}

static bool same_parameters(const struct store_network *a, const struct store_network *b)
{
    bool same = a->parameter_count == b->parameter_count && a->block_size == b->block_size;
    for (int32_t p = 0; p < a->parameter_count && same; p++)
        same = strcmp(a->parameters[p].name, b->parameters[p].name) == 0 &&
               a->parameters[p].count == b->parameters[p].count &&
               a->parameters[p].prunable == b->parameters[p].prunable;
    return same;
}

static int open_walk(struct walk *walk, struct error *err)
{
    const struct store_network *network = network_of(&walk->a);
    if (!same_parameters(network, network_of(&walk->b)))
        return error_set(err, ERROR_USAGE, "%s and %s: the networks named %s differ",
                         walk->a.store->path, walk->b.store->path, network->name);
    size_t curve = (size_t)walk->a.payload->curve_count * sizeof(struct store_curve_point);
    walk->room = (size_t)network->block_size * sizeof(float);
    if (walk->room < curve)
        walk->room = curve;
    walk->scratch = mem_zeroed(walk->room, 2, err);
    walk->same = true;
    return walk->scratch == NULL ? -1 : 0;
}

static int walk_parts(struct walk *walk, struct error *err)
{
    if (walk->a.payload->mask_slot >= 0 && walk->b.payload->mask_slot >= 0 &&
        walk_mask(walk, err) != 0)
        return -1;
    return walk_weights(walk, err);
}

/* --- curves --- */

static bool have_curves(const struct walk *walk)
{
    return walk->a.payload->curve_count > 0 &&
           walk->a.payload->curve_count == walk->b.payload->curve_count;
}

static int read_curve(const struct side *side, void *to, struct error *err)
{
    return store_read_curve(side->store, side->payload->curve_offset, side->payload->curve_count,
                            to, err);
}

static int copy_curve(struct walk *walk, struct error *err)
{
    const struct store_payload *to = walk->b.payload;
    struct store *store = walk->b.store;
    if (read_curve(&walk->a, walk->scratch, err) != 0)
        return -1;
    int status = h5_write_rows(store->tables[TABLE_CURVES], store->curve_type, to->curve_offset,
                               to->curve_count, walk->scratch, err);
    return store_named(store, status, err);
}

static bool same_bits(double a, double b)
{
    a = one_nan(a);
    b = one_nan(b);
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool agree(double a, double b)
{
    return isnan(a) || isnan(b) || same_bits(a, b);
}

static bool same_point(const struct store_curve_point *a, const struct store_curve_point *b)
{
    return a->iteration == b->iteration && same_bits(a->train_loss, b->train_loss) &&
           same_bits(a->validation_loss, b->validation_loss) &&
           same_bits(a->validation_accuracy, b->validation_accuracy) &&
           agree(a->test_loss, b->test_loss) && agree(a->test_accuracy, b->test_accuracy);
}

static int compare_curves(struct walk *walk, struct error *err)
{
    const struct store_curve_point *a = (void *)walk->scratch;
    const struct store_curve_point *b = (void *)(walk->scratch + walk->room);
    if (read_curve(&walk->a, walk->scratch, err) != 0 ||
        read_curve(&walk->b, walk->scratch + walk->room, err) != 0)
        return -1;
    for (int32_t i = 0; i < walk->a.payload->curve_count && walk->same; i++)
        walk->same = same_point(&a[i], &b[i]);
    return 0;
}

/* --- the two uses --- */

int store_copy_payload(struct store *from, const struct store_payload *what, struct store *to,
                       const struct store_payload *where, bool curve, struct error *err)
{
    struct walk walk = {.a = {from, what}, .b = {to, where}, .pass = copy_pair};
    if (store_writable(to, err) != 0)
        return store_named(to, -1, err);
    int failed = open_walk(&walk, err) != 0 || walk_parts(&walk, err) != 0 ||
                 (curve && have_curves(&walk) && copy_curve(&walk, err) != 0);
    free(walk.scratch);
    return failed ? -1 : 0;
}

int store_same_payload(struct store *a, const struct store_payload *what, struct store *b,
                       const struct store_payload *where, bool *same, struct error *err)
{
    struct walk walk = {.a = {a, what}, .b = {b, where}, .pass = compare_pair};
    int failed = open_walk(&walk, err) != 0 || walk_parts(&walk, err) != 0 ||
                 (have_curves(&walk) && compare_curves(&walk, err) != 0);
    free(walk.scratch);
    *same = walk.same;
    return failed ? -1 : 0;
}

bool store_results_agree(const struct store_result *a, const struct store_result *b)
{
    if (a->weights_remaining < 0 || b->weights_remaining < 0)
        return true;
    bool same = a->sparse_layers == b->sparse_layers &&
                a->weights_remaining == b->weights_remaining &&
                same_bits(a->percent_remaining, b->percent_remaining) &&
                a->early_stop_iteration == b->early_stop_iteration;
    for (int part = 0; part < 3; part++)
        for (int i = 0; i < STORE_SCORES; i++)
            same = same && agree(a->scores[part][i].loss, b->scores[part][i].loss) &&
                   agree(a->scores[part][i].accuracy, b->scores[part][i].accuracy);
    return same;
}

int store_write_results(struct store *store, const struct store_result *results,
                     const uint8_t *attempts, struct error *err)
{
    if (store_writable(store, err) != 0 ||
        h5_write_rows(store->tables[TABLE_RESULTS], store->result_type, 0, store->task_count,
                      results, err) != 0 ||
        h5_write_rows(store->attempts, H5T_NATIVE_UINT8, 0, store->task_count, attempts, err) != 0)
        return store_named(store, -1, err);
    return 0;
}
