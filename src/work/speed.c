/* How fast this machine trains: for estimates shown to people. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "nn/network.h"
#include "work/speed.h"

#define TIMED_SECONDS 0.1
#define LEAST_STEPS 3

static double thread_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A task on the network most work is done on. */
static const struct plan_task *typical_task(const struct plan *plan, struct error *err)
{
    double *costs = mem_zeroed((size_t)plan->network_count, sizeof *costs, err);
    if (costs == NULL)
        return NULL;
    for (int32_t i = 0; i < plan->task_count; i++)
        costs[plan->tasks[i].network] += plan->tasks[i].cost;
    const struct plan_task *typical = &plan->tasks[0];
    for (int32_t i = 0; i < plan->task_count; i++) {
        if (costs[plan->tasks[i].network] > costs[typical->network])
            typical = &plan->tasks[i];
    }
    free(costs);
    return typical;
}

static double time_step(struct network *net, const struct net_batch *batch, int64_t iteration)
{
    struct rng_stream dropout = {.seed = 1, .purpose = RNG_DROPOUT};
    double start = thread_seconds();
    net_train_step(net, batch, 1e-4, iteration, dropout);
    return thread_seconds() - start;
}

/* The shortest of many: what else the machine does only ever adds. */
static double shortest_step(struct network *net, const struct net_spec *spec, int32_t examples,
                            uint8_t *labels)
{
    int32_t columns = (examples + NET_LANES - 1) / NET_LANES * NET_LANES;
    struct net_batch batch = {net_train_input(net), labels, examples, columns};
    double start = thread_seconds(), shortest = INFINITY;
    for (int32_t i = 0; i < examples; i++)
        labels[i] = (uint8_t)(i % spec->classes);
    for (int64_t i = 0; i < LEAST_STEPS || thread_seconds() - start < TIMED_SECONDS; i++)
        shortest = fmin(shortest, time_step(net, &batch, i));
    return shortest;
}

int work_measure_speed(const struct plan *plan, double *seconds_per_operation, struct error *err)
{
    const struct plan_task *task = typical_task(plan, err);
    if (task == NULL)
        return -1;
    const struct plan_training *training = &plan->trainings[task->training];
    const struct net_spec *spec = &plan->networks[task->network].spec;
    int32_t examples = (int32_t)training->batch;
    struct network *net = net_create(spec, (struct net_options){.train_batch = examples}, err);
    uint8_t *labels = mem_zeroed((size_t)examples, 1, err);
    int failed =
        net == NULL || labels == NULL || net_set_optimizer(net, &training->optimizer, err) != 0 ||
        net_initialize(net, task->init, (struct rng_stream){1, RNG_INIT, 0}, err) != 0;
    if (!failed)
        *seconds_per_operation = shortest_step(net, spec, examples, labels) /
                                 net_spec_step_operations(spec, training->batch, 1);
    free(labels);
    net_destroy(net);
    return failed ? -1 : 0;
}
