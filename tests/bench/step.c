/* How fast a training step and an evaluation are, against OpenBLAS's own rate on large matrices.
 *
 * Everything is measured in one process on one core, in thread CPU time. A repetition runs each
 * thing once in turn, so that a slow moment of the machine meets them all, and the shortest of the
 * repetitions counts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cblas.h>

#include "base/memory.h"
#include "nn/network.h"

#define SETS 3
#define MAX_BATCH 4096
#define LARGE 2048
#define REPETITIONS 7
#define STEPS 60       /* of a repetition, timed one by one */
#define EVALUATIONS 12 /* likewise */

/* The paper's cadence: 5,000 validation examples every 100 iterations. */
#define VALIDATION_EXAMPLES 5000
#define ITERATIONS_BETWEEN 100

#define LEAST_SHARE (1.0 / 3) /* of OpenBLAS's rate */
#define MOST_EVALUATION 0.25  /* of a dense run's time */

static const struct shape image = {1, 28, 28};

struct subject {
    const char *isa;
    struct network *net;
    struct net_batch train, evaluation;
    double step_seconds, evaluation_seconds;
};

static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void keep_shortest(double *shortest, double seconds)
{
    if (*shortest == 0 || seconds < *shortest)
        *shortest = seconds;
}

/* Pixels like those of digits: one in five is not black. */
static void fill_images(float *inputs, int64_t count)
{
    const struct rng_stream stream = {.seed = 1, .purpose = RNG_GENERATOR};
    for (int64_t i = 0; i < count; i++)
        inputs[i] = rng_below(stream, (uint64_t)i, 5) == 0 ? rng_uniform(stream, (uint64_t)i) : 0;
}

static struct net_batch fill_batch(float *inputs, const uint8_t *labels, int32_t examples)
{
    const int32_t columns = (examples + NET_LANES - 1) / NET_LANES * NET_LANES;
    fill_images(inputs, (int64_t)image.height * image.width * columns);
    return (struct net_batch){inputs, labels, examples, columns};
}

static int start_subject(struct subject *subject, const struct net_spec *spec,
                         struct net_options options, const uint8_t *labels, struct error *err)
{
    const struct optimizer_spec adam = {
        .kind = OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    subject->net = net_create(spec, options, err);
    if (!subject->net || net_set_optimizer(subject->net, &adam, err) != 0)
        return -1;
    net_initialize(subject->net, (struct init_spec){.kind = INIT_GLOROT_NORMAL}, (struct rng_stream){1, RNG_INIT, 0}, NULL);
    subject->train = fill_batch(net_train_input(subject->net), labels, options.train_batch);
    subject->evaluation =
        fill_batch(net_evaluate_input(subject->net), labels, options.evaluate_batch);
    return 0;
}

static void measure_subject(struct subject *subject)
{
    const struct rng_stream no_dropout = {0};
    for (int step = 0; step < STEPS; step++) {
        const double begin = cpu_seconds();
        net_train_step(subject->net, &subject->train, 1e-4, step, no_dropout);
        keep_shortest(&subject->step_seconds, cpu_seconds() - begin);
    }
    for (int i = 0; i < EVALUATIONS; i++) {
        struct net_score score = {0};
        const double begin = cpu_seconds();
        net_evaluate(subject->net, &subject->evaluation, &score);
        keep_shortest(&subject->evaluation_seconds, cpu_seconds() - begin);
    }
}

static void measure_large_product(float *const matrices[3], double *shortest)
{
    const double begin = cpu_seconds();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, LARGE, LARGE, LARGE, 1, matrices[0],
                LARGE, matrices[1], LARGE, 0, matrices[2], LARGE);
    keep_shortest(shortest, cpu_seconds() - begin);
}

/* What one subject's times mean. */
struct rates {
    double step, evaluation; /* operations a second */
    double evaluation_share; /* of a run's time at the paper's cadence */
};

static struct rates rates_of(const struct subject *subject, const struct net_spec *spec)
{
    const int32_t examples = subject->evaluation.examples;
    const double evaluation = subject->evaluation_seconds * VALIDATION_EXAMPLES / examples;
    const double steps = subject->step_seconds * ITERATIONS_BETWEEN;
    return (struct rates){
        net_spec_step_operations(spec, subject->train.examples, 1) / subject->step_seconds,
        net_spec_evaluation_operations(spec, examples, 1) / subject->evaluation_seconds,
        evaluation / (evaluation + steps)};
}

struct bench {
    const char *architecture;
    struct net_spec spec;
    struct subject subjects[SETS]; /* best set of kernels first */
    int subject_count;
    uint8_t labels[MAX_BATCH];
    float *matrices[3];
    double blas_seconds;
};

static void print_results(const struct bench *bench)
{
    const double blas = 2.0 * LARGE * LARGE * LARGE / bench->blas_seconds;
    const struct subject *best = &bench->subjects[0];
    const struct rates target = rates_of(best, &bench->spec);
    printf("OpenBLAS (%s), sgemm of %d x %d x %d, one thread: %.1f GFLOP/s\n\n",
           kernels_blas_core(), LARGE, LARGE, LARGE, 1e-9 * blas);
    printf("%s, whole steps with Adam on %" PRId32 " examples (%" PRId32 " columns), one core;\n"
           "evaluation of %d examples every %d iterations, %" PRId32 " at a time\n\n",
           bench->architecture, best->train.examples, best->train.columns, VALIDATION_EXAMPLES,
           ITERATIONS_BETWEEN, best->evaluation.examples);
    printf("%-10s %8s %8s %8s %12s %12s %12s\n", "kernels", "ms", "steps/s", "GFLOP/s",
           "of OpenBLAS", "evaluation", "of time");
    for (int i = 0; i < bench->subject_count; i++) {
        const struct subject *subject = &bench->subjects[i];
        const struct rates rates = rates_of(subject, &bench->spec);
        printf("%-10s %8.3f %8.0f %8.1f %11.0f%% %12.1f %11.1f%%\n", subject->isa,
               1e3 * subject->step_seconds, 1 / subject->step_seconds, 1e-9 * rates.step,
               100 * rates.step / blas, 1e-9 * rates.evaluation, 100 * rates.evaluation_share);
    }
    printf(
        "\n%s: steps at a third of OpenBLAS's rate or more: %s; evaluation at most %.0f%% of the "
        "time: %s\n",
        best->isa, target.step >= LEAST_SHARE * blas ? "yes" : "NO", 100 * MOST_EVALUATION,
        target.evaluation_share <= MOST_EVALUATION ? "yes" : "NO");
}

static int start_bench(struct bench *bench, struct net_options options, struct error *err)
{
    static const char *const sets[SETS] = {"avx512", "avx2", "portable"};
    if (net_spec_named(bench->architecture, image, 10, 0, &bench->spec, err) != 0)
        return -1;
    for (int i = 0; i < MAX_BATCH; i++)
        bench->labels[i] = (uint8_t)(i % 10);
    for (int i = 0; i < 3; i++) {
        if (!(bench->matrices[i] = mem_aligned((size_t)LARGE * LARGE, sizeof(float), err)))
            return -1;
        fill_images(bench->matrices[i], (int64_t)LARGE * LARGE);
    }
    for (int i = 0; i < SETS; i++) {
        if (kernels_select(sets[i], NULL) != 0)
            continue;
        struct subject *subject = &bench->subjects[bench->subject_count++];
        subject->isa = sets[i];
        if (start_subject(subject, &bench->spec, options, bench->labels, err) != 0)
            return -1;
    }
    return 0;
}

static void finish_bench(struct bench *bench)
{
    for (int i = 0; i < 3; i++)
        free(bench->matrices[i]);
    for (int i = 0; i < bench->subject_count; i++)
        net_destroy(bench->subjects[i].net);
}

static int run(const char *architecture, struct net_options options, struct error *err)
{
    struct bench bench = {.architecture = architecture};
    const int status = start_bench(&bench, options, err);
    for (int repetition = 0; status == 0 && repetition < REPETITIONS; repetition++) {
        measure_large_product(bench.matrices, &bench.blas_seconds);
        for (int i = 0; i < bench.subject_count; i++)
            measure_subject(&bench.subjects[i]);
    }
    if (status == 0)
        print_results(&bench);
    finish_bench(&bench);
    return status;
}

static int32_t batch_argument(const char *text)
{
    char *end;
    const long value = strtol(text, &end, 10);
    return *end == '\0' && value >= 1 && value <= MAX_BATCH ? (int32_t)value : -1;
}

int main(int argc, char **argv)
{
    static const char usage[] =
        "usage: bench_step [ARCHITECTURE [BATCH [EVALUATION_BATCH]]]\n"
        "Times training steps and evaluations on 28x28 images with every set of kernels this CPU "
        "has,\n"
        "beside OpenBLAS's rate on large matrices. Defaults: lenet-300-100 60 240.\n";
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    struct error err = {0};
    struct net_options options = {argc > 2 ? batch_argument(argv[2]) : 60,
                                  argc > 3 ? batch_argument(argv[3]) : 240};
    if (argc > 4 || options.train_batch < 0 || options.evaluate_batch < 0) {
        fputs(usage, stderr);
        return 2;
    }
    kernels_single_thread();
    if (run(argc > 1 ? argv[1] : "lenet-300-100", options, &err) != 0) {
        fprintf(stderr, "bench_step: %s\n", err.text);
        return error_exit_status(&err);
    }
    return 0;
}
