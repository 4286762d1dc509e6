/* How fast one network trains, at several densities and with several kinds of kernels.
 *
 * A subject is a density and a kind of kernels, and has a network of its own. All take turns of a
 * few steps in one process, so that a slow moment of the machine meets them all, and the shortest
 * step counts, in CPU time of the thread. Steps of a turn follow each other as in training: after
 * the first of them the network lies in the caches again. Prints a line of JSON a subject. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "data/dataset.h"
#include "nn/network.h"

#define MAX_BATCH 1024
#define MAX_SUBJECTS 24
#define TURN_SECONDS 0.01
#define EVALUATIONS 3 /* of a turn */

static const char usage[] =
    "usage: bench_network [--evaluation] [--threads N] [--images NAME [--data FOLDER]]\n"
    "                     NETWORK BATCH STEPS [DENSITY[:KERNELS] ...]\n"
    "Times training steps on one core, and with --evaluation also evaluations; or on N threads,\n"
    "by the clock. Batches are of the data set NAME, or noise, which has no zeros. DENSITY is the\n"
    "share of weights kept in each layer that may be pruned, at random; KERNELS is auto, dense or\n"
    "sparse.\n"
    "Default: 1:auto. Prints a line of JSON for each.\n";

static const char *const kernels_names[] = {
    [NET_KERNELS_AUTO] = "auto", [NET_KERNELS_DENSE] = "dense", [NET_KERNELS_SPARSE] = "sparse"};

struct subject {
    double density;
    enum net_kernels kernels;
    struct network *net;
    struct net_batch train, evaluation;
    int steps; /* taken */
    double step_seconds, evaluation_seconds;
};

struct bench {
    const char *network;
    struct net_spec spec;
    int32_t batch;
    int steps;
    bool with_evaluation;
    struct dataset_request images; /* without a name: noise */
    struct dataset *dataset;
    uint8_t labels[MAX_BATCH];
    struct subject subjects[MAX_SUBJECTS];
    int subject_count;
};

static clockid_t time_of = CLOCK_THREAD_CPUTIME_ID;

static double seconds_now(void)
{
    struct timespec time;
    clock_gettime(time_of, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Images of the data set the paper trains the network on. */
static struct shape image_for(const char *network)
{
    return strncmp(network, "lenet", 5) == 0 ? (struct shape){1, 28, 28}
                                             : (struct shape){3, 32, 32};
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

/* Keeps exactly the density's share of `count` weights, at least one, each set of them equally
 * likely: a weight is kept with the probability (still to be kept) / (still to come). */
static void draw_mask(struct rng_stream stream, double density, uint8_t *mask, int64_t count)
{
    int64_t wanted = (int64_t)fmax(1, round(density * (double)count));
    for (int64_t i = 0; i < count; i++) {
        mask[i] = rng_below(stream, (uint64_t)i, (uint64_t)(count - i)) < (uint64_t)wanted;
        wanted -= mask[i];
    }
}

static int prune(struct network *net, double density, struct error *err)
{
    int count;
    const struct parameter_spec *parameters = net_parameters(net, &count);
    uint8_t *mask = mem_aligned((size_t)net_block_size(net), 1, err);
    if (!mask)
        return -1;
    memset(mask, 1, (size_t)net_block_size(net));
    for (int p = 0; p < count; p++)
        if (parameters[p].is_prunable)
            draw_mask((struct rng_stream){1, RNG_MASK, (uint32_t)p}, density,
                      mask + parameters[p].offset, parameters[p].count);
    const int status = net_set_mask(net, mask, err);
    free(mask);
    return status;
}

/* Room for examples: with noise, where there is no data set. */
static struct net_batch start_batch(const struct bench *bench, int32_t examples, float *inputs)
{
    const struct shape image = bench->spec.input;
    const int32_t columns = (examples + NET_LANES - 1) / NET_LANES * NET_LANES;
    if (!bench->dataset)
        rng_normal((struct rng_stream){.seed = 1, .purpose = RNG_GENERATOR}, 0, inputs,
                   (size_t)(image.channels * image.height * image.width) * (size_t)columns);
    return (struct net_batch){inputs, bench->labels, examples, columns};
}

/* Examples as training meets them: the first in file order, which is none. */
static struct net_batch train_batch(const struct bench *bench, float *inputs)
{
    const struct net_batch batch = start_batch(bench, bench->batch, inputs);
    uint8_t labels[MAX_BATCH];
    uint32_t indices[MAX_BATCH];
    for (int32_t i = 0; i < bench->batch; i++)
        indices[i] = (uint32_t)i;
    if (bench->dataset)
        batch_assemble(bench->dataset, PART_TRAIN, indices, batch.examples, batch.columns, inputs,
                       labels);
    return batch;
}

/* And as evaluation does: from the middle of its order, in which like examples stand together. */
static struct net_batch evaluation_batch(const struct bench *bench, float *inputs)
{
    const struct net_batch batch = start_batch(bench, net_evaluate_batch(&bench->spec), inputs);
    uint8_t labels[MAX_BATCH];
    if (bench->dataset)
        batch_assemble_part(bench->dataset, PART_TEST,
                            dataset_part_count(bench->dataset, PART_TEST) / 2, batch.examples,
                            batch.columns, inputs, labels);
    return batch;
}

static struct net_options options_for(const struct bench *bench, const struct subject *subject)
{
    return (struct net_options){.train_batch = bench->batch,
                                .evaluate_batch = net_evaluate_batch(&bench->spec),
                                .kernels = subject->kernels};
}

static int start_subject(const struct bench *bench, struct subject *subject, struct error *err)
{
    const struct net_options options = options_for(bench, subject);
    const struct optimizer_spec optimizer = optimizer_for(&bench->spec);
    subject->net = net_create(&bench->spec, options, err);
    if (!subject->net || net_set_optimizer(subject->net, &optimizer, err) != 0 ||
        net_initialize(subject->net, (struct init_spec){.kind = INIT_GLOROT_NORMAL},
                       (struct rng_stream){1, RNG_INIT, 0}, err) != 0)
        return -1;
    if (subject->density < 1 && prune(subject->net, subject->density, err) != 0)
        return -1;
    subject->train = train_batch(bench, net_train_input(subject->net));
    subject->evaluation = evaluation_batch(bench, net_evaluate_input(subject->net));
    return 0;
}

static void keep_shortest(double *shortest, double seconds)
{
    if (*shortest == 0 || seconds < *shortest)
        *shortest = seconds;
}

static void take_steps(struct subject *subject, int steps)
{
    const double start = seconds_now();
    for (double begin = start; subject->steps < steps && begin - start < TURN_SECONDS;) {
        net_train_step(subject->net, &subject->train, 1e-4, subject->steps++,
                       (struct rng_stream){0});
        const double end = seconds_now();
        keep_shortest(&subject->step_seconds, end - begin);
        begin = end;
    }
}

static void evaluate(struct subject *subject)
{
    for (int i = 0; i < EVALUATIONS; i++) {
        struct net_score score = {0};
        const double begin = seconds_now();
        net_evaluate(subject->net, &subject->evaluation, &score);
        keep_shortest(&subject->evaluation_seconds, seconds_now() - begin);
    }
}

static bool is_finished(const struct bench *bench)
{
    for (int i = 0; i < bench->subject_count; i++)
        if (bench->subjects[i].steps < bench->steps)
            return false;
    return true;
}

static void measure(struct bench *bench)
{
    while (!is_finished(bench))
        for (int i = 0; i < bench->subject_count; i++) {
            take_steps(&bench->subjects[i], bench->steps);
            if (bench->with_evaluation)
                evaluate(&bench->subjects[i]);
        }
}

static void print_subject(const struct bench *bench, const struct subject *subject)
{
    printf("{\"network\": \"%s\", \"batch\": %" PRId32 ", \"density\": %g, \"kernels\": \"%s\", "
           "\"isa\": \"%s\", \"seconds\": %.9f, \"operations\": %.0f, \"bytes\": %" PRId64,
           bench->network, bench->batch, subject->density, kernels_names[subject->kernels],
           kernels_isa(), subject->step_seconds,
           net_spec_step_operations(&bench->spec, bench->batch, subject->density),
           net_memory_bytes(&bench->spec, options_for(bench, subject)));
    if (bench->with_evaluation)
        printf(", \"evaluation_examples\": %" PRId32
               ", \"evaluation_seconds\": %.9f, \"evaluation_operations\": %.0f",
               subject->evaluation.examples, subject->evaluation_seconds,
               net_spec_evaluation_operations(&bench->spec, subject->evaluation.examples,
                                              subject->density));
    printf("}\n");
}

static bool read_subject(const char *text, struct subject *subject)
{
    char *end;
    subject->density = strtod(text, &end);
    if (end == text || !(subject->density > 0 && subject->density <= 1))
        return false;
    if (*end == '\0')
        return true;
    for (size_t i = 0; *end == ':' && i < sizeof kernels_names / sizeof *kernels_names; i++)
        if (strcmp(end + 1, kernels_names[i]) == 0) {
            subject->kernels = (enum net_kernels)i;
            return true;
        }
    return false;
}

/* The operands: NETWORK BATCH STEPS, then subjects. */
static bool read_operands(struct bench *bench, int count, char **operands)
{
    if (count < 3 || count - 3 > MAX_SUBJECTS)
        return false;
    bench->network = operands[0];
    bench->batch = atoi(operands[1]);
    bench->steps = atoi(operands[2]);
    bench->subject_count = count > 3 ? count - 3 : 1;
    bench->subjects[0].density = 1;
    for (int i = 3; i < count; i++)
        if (!read_subject(operands[i], &bench->subjects[i - 3]))
            return false;
    return bench->batch >= 1 && bench->batch <= MAX_BATCH && bench->steps >= 1;
}

static int load_images(struct bench *bench, struct error *err)
{
    if (!*bench->images.name)
        return 0;
    bench->dataset = dataset_load(&bench->images, err);
    if (!bench->dataset)
        return -1;
    const struct dataset_info *info = &bench->dataset->info;
    const struct shape image = bench->spec.input;
    if (info->channels == image.channels && info->height == image.height &&
        info->width == image.width)
        return 0;
    return error_set(err, ERROR_USAGE, "%s has images of another shape than %s takes",
                     bench->images.name, bench->network);
}

static int run(struct bench *bench, struct error *err)
{
    int status =
        net_spec_named(bench->network, image_for(bench->network), 10, 0, &bench->spec, err);
    for (int i = 0; i < MAX_BATCH; i++)
        bench->labels[i] = (uint8_t)(i % 10);
    if (status == 0)
        status = load_images(bench, err);
    for (int i = 0; status == 0 && i < bench->subject_count; i++)
        status = start_subject(bench, &bench->subjects[i], err);
    if (status == 0)
        measure(bench);
    for (int i = 0; i < bench->subject_count; i++) {
        if (status == 0)
            print_subject(bench, &bench->subjects[i]);
        net_destroy(bench->subjects[i].net);
    }
    dataset_destroy(bench->dataset);
    return status;
}

/* Returns how many words the options take, or 0. */
static int read_options(struct bench *bench, int *threads, int count, char **words)
{
    int i = 1;
    for (; i < count && strncmp(words[i], "--", 2) == 0; i++) {
        const char *word = i + 1 < count ? words[i + 1] : "";
        if (strcmp(words[i], "--evaluation") == 0) {
            bench->with_evaluation = true;
        } else if (strcmp(words[i], "--threads") == 0 && atoi(word) >= 1) {
            *threads = atoi(words[++i]);
            time_of = CLOCK_MONOTONIC;
        } else if (strcmp(words[i], "--images") == 0 && *word) {
            snprintf(bench->images.name, sizeof bench->images.name, "%s", words[++i]);
        } else if (strcmp(words[i], "--data") == 0 && *word) {
            snprintf(bench->images.folder, sizeof bench->images.folder, "%s", words[++i]);
        } else {
            return 0;
        }
    }
    return i;
}

int main(int argc, char **argv)
{
    struct bench bench = {.images = {.train = -1, .test = -1}};
    struct error err = {0};
    int threads = 1;
    const int options = read_options(&bench, &threads, argc, argv);
    if (options == 0 || !read_operands(&bench, argc - options, argv + options)) {
        fputs(usage, stderr);
        return 2;
    }
    kernels_use_threads(threads);
    if (run(&bench, &err) != 0) {
        fprintf(stderr, "bench_network: %s\n", err.text);
        return error_exit_status(&err);
    }
    return 0;
}
