/* How fast the kernels are: beside other libraries, and as a share of what the CPU can multiply.
 *
 * Everything is measured in one process on one core, in thread CPU time. In a repetition each
 * runner of a row does its work once in turn, so that a slow moment of the machine meets them all,
 * and the shortest of the repetitions counts. Seconds say little on another machine or day, ratios
 * much. Operations are those of the plain sum: Winograd's rate may be above the peak. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/rng.h"
#include "bench.h"
#include "bench_onednn.h"
#include "nn/network.h"

#define LEAST_REPETITIONS 7
#define MOST_REPETITIONS 200
#define ROW_SECONDS 1.0         /* of repetitions, where that is more than the least of them */
#define REPETITION_SECONDS 1e-3 /* of a runner; below it works several times */

static const struct bench_family *const families[] = {
    &bench_convolutions, &bench_products, &bench_sparse_convolutions, &bench_sparse_products};
#define FAMILIES (sizeof families / sizeof *families)

struct measured_set {
    const char *isa;
    double (*peak)(int64_t turns);
    double (*load_peak)(const float *x, int64_t count, int64_t turns);
    bool by_default;
    const struct kernels *kernels; /* NULL: not measured */
    /* Operations a second: of registers alone, and with loads from the first- and the second-level
     * cache. */
    double registers, first, second;
};

static struct measured_set sets[] = {
#ifdef __x86_64__
    {"avx512", bench_peak_avx512, bench_load_peak_avx512, true, NULL, 0, 0, 0},
    {"avx2", bench_peak_avx2, bench_load_peak_avx2, true, NULL, 0, 0, 0},
    {"portable", bench_peak_portable, bench_load_peak_portable, false, NULL, 0, 0, 0},
#else
    {"portable", bench_peak_portable, bench_load_peak_portable, true, NULL, 0, 0, 0},
#endif
};
#define SETS (sizeof sets / sizeof *sets)

struct options {
    bool json;
    const char *isa;    /* NULL: those measured by default */
    const char *filter; /* of rows; NULL: all */
};

/* What families use */

static void add_runner(struct bench_runner *runners, struct bench_runner runner)
{
    size_t i = 0;
    while (runners[i].name)
        i++;
    if (i + 1 < BENCH_RUNNERS)
        runners[i] = runner;
}

void bench_add_own(struct bench_subject *subject, void (*run)(void *work, const void *with))
{
    for (size_t i = 0; i < SETS; i++)
        if (sets[i].kernels)
            add_runner(subject->own, (struct bench_runner){sets[i].isa, run, sets[i].kernels});
}

void bench_add_rival(struct bench_subject *subject, const char *name,
                     void (*run)(void *work, const void *with), const void *with)
{
    add_runner(subject->rivals, (struct bench_runner){name, run, with});
}

float *bench_floats(int64_t count, struct error *err)
{
    enum { PERIOD = 65521 };
    float *values = mem_aligned((size_t)count, sizeof *values, err);
    if (!values)
        return NULL;
    const int64_t first = count < PERIOD ? count : PERIOD;
    rng_normal((struct rng_stream){.seed = 1, .purpose = RNG_GENERATOR}, 0, values, (size_t)first);
    for (int64_t i = first; i < count; i++)
        values[i] = values[i - first];
    return values;
}

/* Measuring */

static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

#define FIRST_LEVEL (16 << 10) /* bytes that such a cache holds, and not the one before it */
#define SECOND_LEVEL (384 << 10)

static double load_rate(const struct measured_set *set, const float *x, int64_t bytes)
{
    const int64_t count = bytes / (int64_t)sizeof *x, turns = (int64_t)(4 << 20) / bytes * 8;
    double most = 0;
    for (int i = 0; i < 20; i++) {
        const double begin = cpu_seconds();
        const double operations = set->load_peak(x, count, turns);
        most = fmax(most, operations / (cpu_seconds() - begin));
    }
    return most;
}

static int measure_peaks(struct measured_set *set, struct error *err)
{
    float *x = bench_floats(SECOND_LEVEL / (int64_t)sizeof *x, err);
    if (!x)
        return -1;
    for (int i = 0; i < 20; i++) {
        const double begin = cpu_seconds();
        const double operations = set->peak(1000000);
        set->registers = fmax(set->registers, operations / (cpu_seconds() - begin));
    }
    set->first = load_rate(set, x, FIRST_LEVEL);
    set->second = load_rate(set, x, SECOND_LEVEL);
    free(x);
    return 0;
}

/* One runner's place in the turns. */
struct turn {
    const struct bench_runner *runner;
    int64_t times; /* a repetition */
    double seconds;
};

static void take_turn(struct turn *turn, void *work)
{
    const double begin = cpu_seconds();
    for (int64_t i = 0; i < turn->times; i++)
        turn->runner->run(work, turn->runner->with);
    const double seconds = (cpu_seconds() - begin) / (double)turn->times;
    if (turn->seconds == 0 || seconds < turn->seconds)
        turn->seconds = seconds;
}

/* The first runs of all warm up, and say how often a repetition shall run. */
static void warm_up(struct turn *turn, void *work)
{
    turn->times = 1;
    take_turn(turn, work);
    take_turn(turn, work);
    while ((double)turn->times * turn->seconds < REPETITION_SECONDS)
        turn->times *= 2;
    turn->seconds = 0;
}

static void take_turns(struct turn *turns, size_t count, void *work)
{
    for (size_t t = 0; t < count; t++)
        warm_up(&turns[t], work);
    const double begin = cpu_seconds();
    for (int i = 0; i < MOST_REPETITIONS; i++) {
        if (i >= LEAST_REPETITIONS && cpu_seconds() - begin > ROW_SECONDS)
            break;
        for (size_t t = 0; t < count; t++)
            take_turn(&turns[t], work);
    }
}

/* Printing */

static double seconds_of(const struct turn *turns, size_t count, const char *name)
{
    for (size_t t = 0; t < count; t++)
        if (strcmp(turns[t].runner->name, name) == 0)
            return turns[t].seconds;
    return NAN;
}

/* Of the rate of multiply-adds in registers; and of the highest that the kernel's loads allow. */
struct shares {
    double peak, roof;
};

static void print_json(const struct bench_family *family, const struct bench_subject *subject,
                       const struct turn *own, struct shares shares, const struct turn *rivals,
                       size_t rival_count)
{
    printf("{\"kernel\": \"%s\", \"shape\": \"%s\", \"pass\": \"%s\", \"isa\": \"%s\", "
           "\"seconds\": %.4g, \"gflops\": %.4g, \"share_of_peak\": %.3g, \"share_of_roof\": %.3g",
           family->kernel, subject->shape, subject->pass, own->runner->name, own->seconds,
           1e-9 * subject->operations / own->seconds, shares.peak, shares.roof);
    for (size_t i = 0; i < rival_count; i++)
        printf(", \"over_%s\": %.3g", rivals[i].runner->name, own->seconds / rivals[i].seconds);
    printf("}\n");
}

static void print_line(const struct bench_family *family, const struct bench_subject *subject,
                       const struct turn *own, struct shares shares, const struct turn *rivals,
                       size_t rival_count)
{
    printf("%-24s %-17s %-9s %9.3f %8.1f %7.0f%% %7.0f%%", subject->shape, subject->pass,
           own->runner->name, 1e3 * own->seconds, 1e-9 * subject->operations / own->seconds,
           100 * shares.peak, 100 * shares.roof);
    for (size_t i = 0; i < BENCH_RIVALS && family->rivals[i]; i++) {
        const double seconds = seconds_of(rivals, rival_count, family->rivals[i]);
        if (isnan(seconds))
            printf(" %20s", "-");
        else
            printf(" %20.2f", own->seconds / seconds);
    }
    printf("\n");
}

static void print_head(const struct bench_family *family)
{
    printf("\n%-24s %-17s %-9s %9s %8s %8s %8s", family->kernel, "pass", "kernels", "ms", "GFLOP/s",
           "of peak", "of roof");
    for (size_t i = 0; i < BENCH_RIVALS && family->rivals[i]; i++) {
        char head[64];
        snprintf(head, sizeof head, "over %s", family->rivals[i]);
        printf(" %20s", head);
    }
    printf("\n");
}

static const struct measured_set *set_of(const char *isa)
{
    size_t i = 0;
    while (strcmp(sets[i].isa, isa) != 0)
        i++;
    return &sets[i];
}

/* The whole */

static void measure_subject(const struct bench_family *family, const struct bench_subject *subject,
                            bool json)
{
    struct turn turns[2 * BENCH_RUNNERS] = {0};
    size_t own = 0, count = 0;
    for (; subject->own[own].name; own++)
        turns[count++].runner = &subject->own[own];
    for (size_t i = 0; subject->rivals[i].name; i++)
        turns[count++].runner = &subject->rivals[i];
    take_turns(turns, count, subject->work);
    for (size_t i = 0; i < own; i++) {
        const double rate = subject->operations / turns[i].seconds;
        const struct measured_set *set = set_of(turns[i].runner->name);
        const struct shares shares = {rate / set->registers,
                                      rate / (family->loads ? set->second : set->registers)};
        (json ? print_json : print_line)(family, subject, &turns[i], shares, turns + own,
                                         count - own);
    }
    fflush(stdout);
}

static bool is_wanted(const struct bench_family *family, const struct bench_subject *subject,
                      const char *filter)
{
    char name[160];
    snprintf(name, sizeof name, "%s %s %s", family->kernel, subject->shape, subject->pass);
    return !filter || strstr(name, filter);
}

static int measure_family(const struct bench_family *family, const struct options *options,
                          struct error *err)
{
    int status = 0;
    if (!options->json)
        print_head(family);
    for (size_t row = 0; status == 0 && row < family->rows; row++) {
        struct bench_subject subject = {0};
        status = family->make(row, &subject, err);
        if (status == 0 && is_wanted(family, &subject, options->filter))
            measure_subject(family, &subject, options->json);
        family->release(&subject);
    }
    return status;
}

static int choose_sets(const char *isa, struct error *err)
{
    int chosen = 0;
    for (size_t i = 0; i < SETS; i++) {
        if (isa ? strcmp(sets[i].isa, isa) != 0 : !sets[i].by_default)
            continue;
        sets[i].kernels = kernels_find(sets[i].isa);
        chosen += sets[i].kernels != NULL;
    }
    if (!chosen)
        return error_set(err, ERROR_USAGE, "no kernels of '%s' here", isa ? isa : "any kind");
    return 0;
}

static void print_peaks(const struct measured_set *set, bool json)
{
    printf(
        json ? "{\"kernel\": \"multiply-adds\", \"isa\": \"%s\", \"registers\": %.4g, "
               "\"first_level\": "
               "%.4g, \"second_level\": %.4g}\n"
             : "multiply-adds with %s, GFLOP/s: %.1f in registers, %.1f with a load each from the "
               "first-level cache, %.1f from the second\n",
        set->isa, 1e-9 * set->registers, 1e-9 * set->first, 1e-9 * set->second);
}

static int measure(const struct options *options, struct error *err)
{
    if (choose_sets(options->isa, err) != 0)
        return -1;
    for (size_t i = 0; i < SETS; i++) {
        if (!sets[i].kernels)
            continue;
        if (measure_peaks(&sets[i], err) != 0)
            return -1;
        print_peaks(&sets[i], options->json);
    }
    for (size_t i = 0; i < FAMILIES; i++)
        if (measure_family(families[i], options, err) != 0)
            return -1;
    return 0;
}

static const char usage[] =
    "usage: bench_kernels [--json] [--isa NAME] [--only TEXT]\n"
    "Times the kernels on one core beside OpenBLAS and, where the build found it, oneDNN.\n"
    "  --json       an object a row\n"
    "  --isa NAME   these kernels alone, and oneDNN with no more than that instruction set\n"
    "  --only TEXT  rows with TEXT in \"kernel shape pass\"\n";

static bool read_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            options->json = true;
        else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc)
            options->isa = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            options->filter = argv[++i];
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    struct options options = {0};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (!read_options(argc, argv, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    kernels_use_threads(1);
    onednn_limit(options.isa);
    if (measure(&options, &err) != 0) {
        fprintf(stderr, "bench_kernels: %s\n", err.text);
        return error_exit_status(&err);
    }
    return 0;
}
