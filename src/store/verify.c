/* What a task wrote, by the store's own /tasks, and whether it is still there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "examine.h"

/* --- the payload of a task --- */

static int damaged(int64_t task, const char *what, struct error *err)
{
    return error_set(err, ERROR_USAGE, "damaged: /tasks row %lld: %s", (long long)task, what);
}

static int add_when(const struct store_network *network, int32_t when, int64_t slot,
                    struct store_payload *payload)
{
    if (slot >= network->whens[when].slots)
        return -1;
    payload->weights[payload->weights_count].when = when;
    payload->weights[payload->weights_count].slot = slot;
    payload->weights_count++;
    return 0;
}

/* A family of sets (rewind-K, at-N): bit i of `set` stands for its i-th member. */
struct family {
    const char *prefix;
    int64_t set, slot;
    int32_t members; /* met so far */
};

static int add_member(const struct store_network *network, int32_t when, struct family *family,
                      struct store_payload *payload)
{
    if (strncmp(network->whens[when].name, family->prefix, strlen(family->prefix)) != 0)
        return 0;
    int32_t bit = family->members++;
    if (bit > 62 || (family->set >> bit & 1) == 0 || family->slot < 0)
        return 0;
    return add_when(network, when, family->slot, payload);
}

static int add_single(const struct store_table *tasks, int64_t task,
                      const struct store_network *network, int32_t when,
                      struct store_payload *payload)
{
    static const struct {
        const char *when, *writes, *slot;
    } singles[] = {{"init", "writes_init", "init_slot"},
                   {"early-stop", "writes_early_stop", "early_stop_slot"},
                   {"final", "writes_final", "final_slot"}};
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++) {
        if (strcmp(network->whens[when].name, singles[i].when) != 0 ||
            task_value(tasks, task, singles[i].writes) != 1)
            continue;
        int64_t slot = task_value(tasks, task, singles[i].slot);
        if (slot >= 0 && add_when(network, when, slot, payload) != 0)
            return -1;
    }
    return 0;
}

static int add_weights(const struct store_table *tasks, int64_t task,
                       const struct store_network *network, struct store_payload *payload)
{
    struct family rewinds = {"rewind-", task_value(tasks, task, "rewind_set"),
                             task_value(tasks, task, "rewind_slot"), 0};
    struct family ats = {"at-", task_value(tasks, task, "at_set"),
                         task_value(tasks, task, "at_slot"), 0};
    for (int32_t when = 0; when < network->when_count; when++)
        if (add_single(tasks, task, network, when, payload) != 0 ||
            add_member(network, when, &rewinds, payload) != 0 ||
            add_member(network, when, &ats, payload) != 0)
            return -1;
    return 0;
}

int store_task_payload(struct store *store, const struct store_table *tasks, int64_t task,
                       struct store_payload *payload, struct error *err)
{
    *payload = (struct store_payload){.mask_slot = -1};
    int64_t network = task_value(tasks, task, "network");
    if (network < 0 || network >= store->network_count)
        return damaged(task, "no such network", err);
    const struct store_network *of = &store->networks[network];
    payload->network = (int32_t)network;
    if (task_value(tasks, task, "writes_mask") == 1)
        payload->mask_slot = task_value(tasks, task, "mask_slot");
    if (payload->mask_slot >= of->mask_slots || add_weights(tasks, task, of, payload) != 0)
        return damaged(task, "a slot that does not exist", err);
    int64_t offset = task_value(tasks, task, "curve_offset"),
            count = task_value(tasks, task, "curve_count");
    if (count > INT32_MAX || (count > 0 && (offset < 0 || offset > store->curve_rows - count)))
        return damaged(task, "a curve outside /curves", err);
    payload->curve_offset = offset;
    payload->curve_count = count > 0 ? (int32_t)count : 0;
    return 0;
}

/* --- verification --- */

int verify_holds(struct store *store, const struct store_table *tasks, int64_t task,
                 const struct store_result *row, struct error *err)
{
    uint64_t digest = 0;
    struct store_payload payload;
    if (row->status < STORE_PENDING || row->status > STORE_UNREACHABLE)
        return 0;
    if (row->status == STORE_PENDING)
        return 1;
    if (has_payload(row)) {
        if (store_task_payload(store, tasks, task, &payload, NULL) != 0)
            return 0;
        if (store_read_digest(store, &payload, &digest, err) != 0)
            return -1;
    }
    return (uint64_t)row->checksum == store_result_checksum(digest, row);
}

static int64_t verify_rows(struct store *store, const struct store_table *tasks,
                           const struct store_result *rows, uint8_t *bad, struct error *err)
{
    int64_t found = 0;
    for (int64_t i = 0; i < store->task_count; i++) {
        int fine = verify_holds(store, tasks, i, &rows[i], err);
        if (fine < 0)
            return -1;
        bad[i] = !fine;
        found += bad[i];
    }
    return found;
}

int64_t store_verify(struct store *store, uint8_t *bad, struct error *err)
{
    struct store_table tasks;
    if (store_read_table(store, "tasks", &tasks, err) != 0)
        return -1;
    int64_t found = -1;
    struct store_result *rows = mem_zeroed((size_t)store->task_count, sizeof *rows, err);
    if (rows != NULL && store_read_results(store, 0, store->task_count, rows, err) == 0)
        found = verify_rows(store, &tasks, rows, bad, err);
    free(rows);
    store_table_finish(&tasks);
    return found;
}
