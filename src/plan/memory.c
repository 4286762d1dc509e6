/* What a worker needs for the largest of a plan's tasks, and the workers of a node together for
 * their data. Estimates, to be told to the user and held against the machine; no result depends on
 * them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "builder.h"

/* The network of tasks that are alike in it. A place for each remainder of a hash: networks are
 * laid out on paper once for most tasks, and again where two kinds of task contend for a place. */
struct likeness {
    int32_t network;
    int64_t batch;
    struct net_density kept;
};

struct recent {
    struct likeness key;
    int64_t bytes;      /* that it takes; 0 = free */
    int64_t block_size; /* floats of its parameters */
};
#define RECENT 1024

static bool is_alike(const struct likeness *a, const struct likeness *b)
{
    return a->network == b->network && a->batch == b->batch && a->kept.conv == b->kept.conv &&
           a->kept.fc == b->kept.fc && a->kept.output == b->kept.output;
}

static size_t place_of(const struct likeness *key)
{
    struct hash128 hash = index_key(&key->kept, sizeof key->kept, key->network, key->batch);
    return (hash.bytes[0] | (size_t)hash.bytes[1] << 8) % RECENT;
}

static const struct recent *network_of(const struct plan *plan, const struct plan_task *task,
                                       enum net_kernels kernels, struct recent *recents)
{
    const struct net_spec *spec = &plan->networks[task->network].spec;
    const struct likeness key = {task->network, plan->trainings[task->training].batch, task->kept};
    struct recent *recent = &recents[place_of(&key)];
    if (recent->bytes == 0 || !is_alike(&recent->key, &key))
        *recent = (struct recent){
            key,
            net_memory_bytes(spec, (struct net_options){.train_batch = (int32_t)key.batch}) +
                net_mask_bytes(spec, kernels, key.kept),
            net_spec_block_size(spec)};
    return recent;
}

/* Beside the network a worker holds the weights of the start, of the early stop, of captures and of
 * the end, and a ticket's mask (while that is made from its parent's, fewer weights are there); the
 * curve, six numbers a point; and what its three processes and their libraries take beside. */
static int64_t task_memory(const struct plan *plan, const struct plan_task *task,
                           const struct recent *network)
{
    const int64_t curve_row = 48, program = 23 << 20;
    const int64_t blocks = 3 + __builtin_popcountll((uint64_t)task->rewind_set) +
                           __builtin_popcountll((uint64_t)task->at_set);
    const int64_t masks = task->pruning >= 0 ? 1 : 0;
    return network->bytes + network->block_size * (blocks * (int64_t)sizeof(float) + masks) +
           dataset_own_bytes(&plan->datasets[task->dataset].info) + task->curve_count * curve_row +
           program;
}

int64_t plan_memory_bytes(const struct plan *plan, enum net_kernels kernels)
{
    struct recent recents[RECENT] = {0};
    int64_t most = 0;
    for (int32_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *task = &plan->tasks[i];
        const int64_t bytes = task_memory(plan, task, network_of(plan, task, kernels, recents));
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* --- what workers share --- */

struct examples {
    struct hash128 content;
    int64_t bytes;
};

/* The largest first; equal contents, which have equal sizes, stand together. */
static int compare_examples(const void *one, const void *other)
{
    const struct examples *a = one, *b = other;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return memcmp(&a->content, &b->content, sizeof a->content);
}

static bool is_same_content(const struct examples *a, const struct examples *b)
{
    return memcmp(&a->content, &b->content, sizeof a->content) == 0;
}

int plan_data_bytes(const struct plan *plan, int64_t workers, int64_t *bytes, struct error *err)
{
    size_t count = (size_t)plan->dataset_count;
    struct examples *examples = mem_zeroed(count, sizeof *examples, err);
    *bytes = 0;
    if (examples == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        examples[i] = (struct examples){plan->datasets[i].content,
                                        dataset_example_bytes(&plan->datasets[i].info)};
    qsort(examples, count, sizeof *examples, compare_examples);
    for (size_t i = 0; i < count && workers > 0; i++) {
        if (i > 0 && is_same_content(&examples[i - 1], &examples[i]))
            continue;
        *bytes += examples[i].bytes;
        workers--;
    }
    free(examples);
    return 0;
}
