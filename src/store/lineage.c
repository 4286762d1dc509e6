/* What tasks of a lineage owe each other, read from what they left. A mask is within its parent's
 * (a random mask is not: it is drawn anew); a masked weight is exactly 0.0f in what was trained;
 * what a ticket starts from is its root's. A checksum that holds says nothing of that: it covers
 * one task. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "examine.h"

struct blocks {
    uint8_t *mask, *parent; /* 1 = kept */
    float *weights, *others;
};

struct relation {
    struct examination *examination;
    const struct store_network *network;
    struct blocks *blocks;
    int64_t task;
    int32_t index; /* of the network */
};

static int64_t value_of(const struct relation *relation, int64_t task, const char *column)
{
    return task_value(&relation->examination->tasks, task, column);
}

/* Whether what it stored can be believed. */
static bool is_sound(const struct relation *relation, int64_t task)
{
    return relation->examination->findings[task].fault == STORE_SOUND &&
           has_payload(&relation->examination->rows[task]) &&
           value_of(relation, task, "network") == relation->index;
}

static int32_t when_named(const struct store_network *network, const char *name)
{
    for (int32_t i = 0; i < network->when_count; i++)
        if (strcmp(network->whens[i].name, name) == 0)
            return i;
    return -1;
}

/* "fc1.weight [17]" */
static void name_element(const struct store_network *network, int64_t element, char *to,
                         size_t size)
{
    snprintf(to, size, "element %lld", (long long)element);
    for (int32_t p = 0; p < network->parameter_count; p++) {
        const struct store_parameter *parameter = &network->parameters[p];
        if (element >= parameter->offset && element < parameter->offset + parameter->count)
            snprintf(to, size, "%s[%lld]", parameter->name,
                     (long long)(element - parameter->offset));
    }
}

/* --- masks --- */

static bool nests(const struct relation *relation)
{
    char control[16];
    const struct store_table *tasks = &relation->examination->tasks;
    store_table_text(tasks, relation->task, store_table_column(tasks, "control"), control,
                     sizeof control);
    return strcmp(control, "random-mask") != 0;
}

static int check_mask(const struct relation *relation, struct error *err)
{
    const struct blocks *blocks = relation->blocks;
    int64_t parent = value_of(relation, relation->task, "parent");
    int64_t slot = parent < 0 ? -1 : value_of(relation, parent, "mask_slot");
    if (slot < 0 || !is_sound(relation, parent) || !nests(relation))
        return 0;
    if (store_read_mask(relation->examination->store, relation->index, slot, blocks->parent, err) !=
        0)
        return -1;
    for (int64_t i = 0; i < relation->network->block_size; i++) {
        char element[STORE_NAME_SIZE + 32];
        if (blocks->mask[i] <= blocks->parent[i])
            continue;
        name_element(relation->network, i, element, sizeof element);
        examine_blame(relation->examination, relation->task, STORE_FAULT_LINEAGE,
                      "its mask keeps %s, which its parent's (task %lld) does not", element,
                      (long long)parent);
        return 0;
    }
    return 0;
}

/* --- weights --- */

/* The bits of 0.0f: -0.0f is not it. */
static bool is_zero(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == 0;
}

static int check_trained(const struct relation *relation, const char *name, const char *column,
                         struct error *err)
{
    const struct blocks *blocks = relation->blocks;
    int64_t slot = value_of(relation, relation->task, column);
    int32_t when = when_named(relation->network, name);
    if (slot < 0 || when < 0)
        return 0;
    if (store_read_weights(relation->examination->store, relation->index, when, slot,
                           blocks->weights, err) != 0)
        return -1;
    for (int64_t i = 0; i < relation->network->block_size; i++) {
        char element[STORE_NAME_SIZE + 32];
        if (blocks->mask[i] != 0 || is_zero(blocks->weights[i]))
            continue;
        name_element(relation->network, i, element, sizeof element);
        examine_blame(relation->examination, relation->task, STORE_FAULT_LINEAGE,
                      "%s of its %s weights is %g, but masked", element, name,
                      (double)blocks->weights[i]);
        return 0;
    }
    return 0;
}

/* Weights that a run left: a diverged one leaves none, one without a finite validation loss has no
 * early stop. */
static int check_masked(const struct relation *relation, struct error *err)
{
    const struct store_result *row = &relation->examination->rows[relation->task];
    if (row->status != STORE_DONE)
        return 0;
    if (check_trained(relation, "final", "final_slot", err) != 0)
        return -1;
    return row->early_stop_iteration < 0
               ? 0
               : check_trained(relation, "early-stop", "early_stop_slot", err);
}

/* --- starts --- */

static int compare_start(const struct relation *relation, int32_t when, int64_t own, int64_t roots,
                         struct error *err)
{
    const struct blocks *blocks = relation->blocks;
    struct store *store = relation->examination->store;
    if (own < 0 || roots < 0 || own == roots || when < 0)
        return 0; /* one place is equal to itself */
    if (store_read_weights(store, relation->index, when, own, blocks->weights, err) != 0 ||
        store_read_weights(store, relation->index, when, roots, blocks->others, err) != 0)
        return -1;
    if (memcmp(blocks->weights, blocks->others,
               (size_t)relation->network->block_size * sizeof(float)) != 0)
        examine_blame(relation->examination, relation->task, STORE_FAULT_LINEAGE,
                      "its %s weights are not those of its root, task %lld",
                      relation->network->whens[when].name,
                      (long long)value_of(relation, relation->task, "root"));
    return 0;
}

static int check_start(const struct relation *relation, struct error *err)
{
    char start[16], name[32];
    const struct store_table *tasks = &relation->examination->tasks;
    int64_t task = relation->task, root = value_of(relation, task, "root");
    int64_t k = value_of(relation, task, "start_iteration");
    store_table_text(tasks, task, store_table_column(tasks, "start"), start, sizeof start);
    if (strcmp(start, "rewind") != 0 || !is_sound(relation, root))
        return 0;
    snprintf(name, sizeof name, "rewind-%lld", (long long)k);
    if (compare_start(relation, when_named(relation->network, "init"),
                      value_of(relation, task, "init_slot"), value_of(relation, root, "init_slot"),
                      err) != 0)
        return -1;
    return compare_start(relation, when_named(relation->network, name),
                         value_of(relation, task, "rewind_slot"),
                         value_of(relation, root, "rewind_slot"), err);
}

/* --- all --- */

static int check_task(const struct relation *relation, struct error *err)
{
    int64_t slot = value_of(relation, relation->task, "mask_slot");
    if (check_start(relation, err) != 0)
        return -1;
    if (slot < 0)
        return 0;
    if (store_read_mask(relation->examination->store, relation->index, slot, relation->blocks->mask,
                        err) != 0)
        return -1;
    return check_mask(relation, err) != 0 || check_masked(relation, err) != 0 ? -1 : 0;
}

static int check_tasks(struct examination *examination, struct blocks *blocks, struct error *err)
{
    struct store *store = examination->store;
    for (int64_t i = 0; i < store->task_count; i++) {
        struct relation relation = {.examination = examination, .blocks = blocks, .task = i};
        relation.index = (int32_t)task_value(&examination->tasks, i, "network");
        if (relation.index < 0 || relation.index >= store->network_count || !is_sound(&relation, i))
            continue;
        relation.network = &store->networks[relation.index];
        if (check_task(&relation, err) != 0)
            return -1;
    }
    return 0;
}

int lineage_examine(struct examination *examination, struct error *err)
{
    const struct store *store = examination->store;
    size_t largest = 1;
    for (int32_t i = 0; i < store->network_count; i++)
        if ((size_t)store->networks[i].block_size > largest)
            largest = (size_t)store->networks[i].block_size;
    struct blocks blocks = {
        .mask = mem_zeroed(largest, 1, err),
        .parent = mem_zeroed(largest, 1, err),
        .weights = mem_zeroed(largest, sizeof(float), err),
        .others = mem_zeroed(largest, sizeof(float), err),
    };
    int failed = blocks.mask == NULL || blocks.parent == NULL || blocks.weights == NULL ||
                 blocks.others == NULL || check_tasks(examination, &blocks, err) != 0;
    free(blocks.mask);
    free(blocks.parent);
    free(blocks.weights);
    free(blocks.others);
    return failed ? -1 : 0;
}
