/* What a worker needs for the largest of a plan's tasks, and the workers of a node together for
 * their data. Estimates, to be told to the user and held against the machine; no result depends on
 * them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "builder.h"

/* What the network of tasks that are alike in it takes; laid out on paper once for all of them. */
struct sizes {
    int64_t bytes;
    int64_t block; /* floats of its parameters */
};

struct known_sizes {
    struct index_map by_likeness; /* network, batch and what is kept */
    struct sizes *sizes;
    size_t capacity;
};

static struct sizes measure_sizes(const struct plan *plan, const struct plan_task *task,
                                  enum net_kernels kernels)
{
    const struct net_spec *spec = &plan->networks[task->network].spec;
    const struct net_options options = {.train_batch =
                                            (int32_t)plan->trainings[task->training].batch};
    return (struct sizes){net_memory_bytes(spec, options) +
                              net_mask_bytes(spec, kernels, task->kept),
                          net_spec_block_size(spec)};
}

/* Without memory to remember them in they are measured again and again. */
static struct sizes sizes_of(const struct plan *plan, const struct plan_task *task,
                             enum net_kernels kernels, struct known_sizes *known)
{
    const struct hash128 key = index_key(&task->kept, sizeof task->kept, task->network,
                                         plan->trainings[task->training].batch);
    const int32_t found = index_map_find(&known->by_likeness, key);
    if (found >= 0)
        return known->sizes[found];
    const struct sizes sizes = measure_sizes(plan, task, kernels);
    const size_t count = known->by_likeness.count;
    if (mem_grow((void **)&known->sizes, &known->capacity, count + 1, sizeof sizes, NULL) == 0) {
        known->sizes[count] = sizes;
        index_map_add(&known->by_likeness, key, (int32_t)count, NULL);
    }
    return sizes;
}

/* Beside the network a worker holds the weights of the start, of the early stop, of captures and of
 * the end, and a ticket's mask (while that is made from its parent's, fewer weights are there); the
 * curve, six numbers a point; and what its three processes and their libraries take beside. */
static int64_t task_memory(const struct plan *plan, const struct plan_task *task,
                           struct sizes network)
{
    const int64_t curve_row = 48, program = 23 << 20;
    const int64_t blocks = 3 + __builtin_popcountll((uint64_t)task->rewind_set) +
                           __builtin_popcountll((uint64_t)task->at_set);
    const int64_t masks = task->pruning >= 0 ? 1 : 0;
    return network.bytes + network.block * (blocks * (int64_t)sizeof(float) + masks) +
           dataset_own_bytes(&plan->datasets[task->dataset].info) + task->curve_count * curve_row +
           program;
}

int64_t plan_memory_bytes(const struct plan *plan, enum net_kernels kernels)
{
    struct known_sizes known = {0};
    int64_t most = 0;
    for (int32_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *task = &plan->tasks[i];
        const int64_t bytes = task_memory(plan, task, sizes_of(plan, task, kernels, &known));
        most = bytes > most ? bytes : most;
    }
    index_map_finish(&known.by_likeness);
    free(known.sizes);
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
