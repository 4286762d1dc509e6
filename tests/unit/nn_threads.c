/* Networks on several threads: the same bits as on one, whatever the number, for every kind of
 * layer, densely and on surviving weights, with every instruction set. */
#include <dirent.h>
#include <sys/resource.h>

#include "../../src/nn/crew.h"
#include "nn_support.h"

#define EXAMPLES 50
#define MOST_THREADS 4
#define STEPS 2

static const struct optimizer_spec adam = {
    .kind = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
static const struct optimizer_spec momentum = {
    .kind = OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 1e-4};

/* Large enough that layers of all kinds are divided. conv-2 has the direct and Winograd's kernels,
 * resnet-18 strides, shortcuts, and images down to 2x2, which have kernels of their own. */
static const struct subject {
    const char *architecture;
    struct shape input;
    const struct optimizer_spec *optimizer;
    double dropout;
} subjects[] = {
    {"lenet-300-100", {1, 28, 28}, &adam, 0},
    {"conv-2", {3, 10, 8}, &adam, 0.5},
    {"resnet-18", {3, 8, 8}, &momentum, 0},
};
#define SUBJECTS (sizeof subjects / sizeof *subjects)

static struct network *create_subject(const struct net_spec *spec, const struct subject *subject,
                                      enum net_kernels kernels)
{
    struct error err = {0};
    const struct net_options options = {
        .train_batch = EXAMPLES, .evaluate_batch = EXAMPLES, .kernels = kernels};
    struct network *net = net_create(spec, options, &err);
    if (!net || net_set_optimizer(net, subject->optimizer, &err) != 0 ||
        net_initialize(net, (struct init_spec){.kind = INIT_GLOROT_NORMAL},
                       (struct rng_stream){.seed = 5, .purpose = RNG_INIT}, &err) != 0)
        fail_msg("%s", err.text);
    return net;
}

/* Every eighth weight is kept, for the sparse kernels. */
static void prune(struct network *net)
{
    int count;
    struct error err = {0};
    const struct parameter_spec *p = net_parameters(net, &count);
    uint8_t *mask = malloc((size_t)net_block_size(net));
    memset(mask, 1, (size_t)net_block_size(net));
    for (int i = 0; i < count; i++)
        for (int64_t e = 0; p[i].is_prunable && e < p[i].count; e++)
            mask[p[i].offset + e] = (e * 5 + i) % 8 == 0;
    if (net_set_mask(net, mask, &err) != 0)
        fail_msg("%s", err.text);
    free(mask);
}

/* What a short training leaves. */
struct trained {
    float *weights, *gradients, *moments;
    double loss;
    struct net_score score;
};

static float *copy_of(const float *block, int64_t count)
{
    float *copy = floats(count);
    memcpy(copy, block, (size_t)count * sizeof *copy);
    return copy;
}

static struct trained train(const struct net_spec *spec, const struct subject *subject,
                            enum net_kernels kernels, int threads)
{
    struct trained result = {0};
    struct example_batch b;
    kernels_use_threads(threads);
    struct network *net = create_subject(spec, subject, kernels);
    if (kernels == NET_KERNELS_SPARSE)
        prune(net);
    fill_batch(&b, spec, EXAMPLES, padded_columns(EXAMPLES), 0, 3);
    for (int64_t i = 0; i < STEPS; i++)
        result.loss = net_train_step(net, &b.batch, 1e-3, i,
                                     (struct rng_stream){.seed = 8, .purpose = RNG_DROPOUT});
    net_evaluate(net, &b.batch, &result.score);
    const int64_t size = net_block_size(net);
    result.weights = copy_of(weights_of(net), size);
    result.gradients = copy_of(gradients_of(net), size);
    result.moments = floats(size);
    net_read_moments(net, 0, result.moments);
    free(b.inputs);
    net_destroy(net);
    return result;
}

static void finish(struct trained *trained)
{
    free(trained->weights);
    free(trained->gradients);
    free(trained->moments);
}

static void compare(const struct subject *subject, enum net_kernels kernels)
{
    struct net_spec spec;
    struct error err = {0};
    if (net_spec_named(subject->architecture, subject->input, 10, subject->dropout, &spec, &err) !=
        0)
        fail_msg("%s", err.text);
    const size_t bytes = (size_t)net_spec_block_size(&spec) * sizeof(float);
    struct trained alone = train(&spec, subject, kernels, 1);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        struct trained crew = train(&spec, subject, kernels, threads);
        assert_memory_equal(&crew.loss, &alone.loss, sizeof crew.loss);
        assert_memory_equal(&crew.score.loss_sum, &alone.score.loss_sum, sizeof(double));
        assert_memory_equal(crew.gradients, alone.gradients, bytes);
        assert_memory_equal(crew.moments, alone.moments, bytes);
        assert_memory_equal(crew.weights, alone.weights, bytes);
        finish(&crew);
    }
    finish(&alone);
}

static void all_subjects(const char *isa)
{
    if (kernels_select(isa, NULL) != 0)
        return;
    for (size_t i = 0; i < SUBJECTS; i++) {
        compare(&subjects[i], NET_KERNELS_DENSE);
        compare(&subjects[i], NET_KERNELS_SPARSE);
    }
}

static int threads_of_this_process(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count - 2; /* . and .. */
}

static void count_share(const void *of, struct share share)
{
    int *const *counts = of;
    (*counts)[share.part]++;
}

/* Which must be the first in this process to need one. */
static void threads_that_cannot_be_had_are_done_without(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its shadow memory would not fit into the limit either */
#endif
    int count[MOST_THREADS] = {0}, *counts = count;
    const int before = threads_of_this_process();
    struct rlimit limit;
    getrlimit(RLIMIT_DATA, &limit);
    setrlimit(RLIMIT_DATA, &(struct rlimit){1, limit.rlim_max}); /* no room for a stack */
    kernels_use_threads(MOST_THREADS);
    crew_run(count_share, &counts, true);
    setrlimit(RLIMIT_DATA, &limit);
    assert_int_equal(threads_of_this_process(), before);
    for (int i = 0; i < MOST_THREADS; i++)
        assert_int_equal(count[i], 1);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    const int before = threads_of_this_process();
    for (size_t i = 0; i < ISA_COUNT; i++)
        all_subjects(every_isa[i]);
    assert_int_equal(threads_of_this_process(), before + MOST_THREADS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_cannot_be_had_are_done_without),
        cmocka_unit_test(threads_change_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
