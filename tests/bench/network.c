/* How fast one network trains on images of CIFAR-10's shape: the shortest of some steps, in CPU
 * time of this thread. Prints one line: seconds a step, operations a step, bytes of memory. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "nn/network.h"

#define MAX_BATCH 1024

static const struct shape image = {3, 32, 32};

static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The recipes' optimisers: Adam for the small networks, SGD with momentum for those with batch
 * norm. */
static struct optimizer_spec optimizer_for(const struct net_spec *spec)
{
    for (int32_t i = 0; i < spec->layer_count; i++)
        if (spec->layers[i].kind == LAYER_BATCH_NORM)
            return (struct optimizer_spec){
                .kind = OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 1e-4};
    return (struct optimizer_spec){
        .kind = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
}

static double shortest_step(struct network *net, int32_t examples, int steps)
{
    const struct rng_stream stream = {.seed = 1, .purpose = RNG_GENERATOR};
    const int32_t columns = (examples + NET_LANES - 1) / NET_LANES * NET_LANES;
    const struct net_batch batch = {net_train_input(net),
                                    (const uint8_t[MAX_BATCH]){1, 2, 3, 4, 5, 6, 7, 8, 9}, examples,
                                    columns};
    double shortest = 0;
    rng_normal(stream, 0, net_train_input(net),
               (size_t)(image.channels * image.height * image.width * columns));
    for (int step = 0; step < steps; step++) {
        const double begin = cpu_seconds();
        net_train_step(net, &batch, 1e-4, step, stream);
        const double seconds = cpu_seconds() - begin;
        shortest = step == 0 || seconds < shortest ? seconds : shortest;
    }
    return shortest;
}

static int measure(const char *architecture, int32_t batch, int steps, struct error *err)
{
    struct net_spec spec;
    if (net_spec_named(architecture, image, 10, 0, &spec, err) != 0)
        return -1;
    const struct net_options options = {.train_batch = batch};
    const struct optimizer_spec optimizer = optimizer_for(&spec);
    struct network *net = net_create(&spec, options, err);
    if (!net || net_set_optimizer(net, &optimizer, err) != 0)
        return -1;
    net_initialize(net, (struct init_spec){.kind = INIT_GLOROT_NORMAL},
                   (struct rng_stream){1, RNG_INIT, 0}, NULL);
    printf("%.9f %.0f %" PRId64 "\n", shortest_step(net, batch, steps),
           net_spec_step_operations(&spec, batch, 1), net_memory_bytes(&spec, options));
    net_destroy(net);
    return 0;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    const int batch = argc == 4 ? atoi(argv[2]) : 0, steps = argc == 4 ? atoi(argv[3]) : 0;
    if (batch < 1 || batch > MAX_BATCH || steps < 1) {
        fprintf(stderr, "usage: bench_network ARCHITECTURE BATCH STEPS\n");
        return 2;
    }
    kernels_single_thread();
    if (measure(argv[1], batch, steps, &err) != 0) {
        fprintf(stderr, "bench_network: %s\n", err.text);
        return error_exit_status(&err);
    }
    return 0;
}
