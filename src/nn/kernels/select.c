/* Which kernels this process uses: chosen once, the best the CPU has unless the caller or the
 * environment names one. The choice is process-wide because rounding must be one thing in a
 * process. */
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "crew.h"
#include "divided.h"
#include "nn/network.h"

extern const struct kernels kernels_portable;
#ifdef __x86_64__
extern const struct kernels kernels_avx2, kernels_avx512;

static bool cpu_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool cpu_has_avx512(void)
{
    return cpu_has_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

static bool always(void)
{
    return true;
}

/* Best first. */
static const struct {
    const struct kernels *kernels;
    bool (*usable)(void);
} tables[] = {
#ifdef __x86_64__
    {&kernels_avx512, cpu_has_avx512},
    {&kernels_avx2, cpu_has_avx2},
#endif
    {&kernels_portable, always},
};

#define TABLE_COUNT (sizeof tables / sizeof *tables)

static const struct kernels *selected;

static const struct kernels *best(void)
{
    size_t i = 0;
    while (!tables[i].usable())
        i++;
    return tables[i].kernels;
}

const struct kernels *kernels_find(const char *isa)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (strcmp(tables[i].kernels->isa, isa) == 0 && tables[i].usable())
            return tables[i].kernels;
    return NULL;
}

static int refuse(const char *isa, struct error *err)
{
    struct text usable = {0};
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (tables[i].usable())
            text_add(&usable, "%s%s", usable.length ? ", " : "", tables[i].kernels->isa);
    error_set(err, ERROR_USAGE,
              "instruction set '%s' cannot be used here; this CPU and build have: %s", isa,
              usable.bytes ? usable.bytes : "");
    text_finish(&usable);
    return -1;
}

int kernels_select(const char *isa, struct error *err)
{
    const char *name = isa ? isa : getenv("SWEEPSTAKE_ISA");
    const struct kernels *found = name && *name ? kernels_find(name) : best();
    if (!found) {
        refuse(name, err);
        return isa ? -1 : error_prefix(err, "SWEEPSTAKE_ISA");
    }
    selected = found;
    return 0;
}

const struct kernels *kernels_current(struct error *err)
{
    if (!selected && kernels_select(NULL, err) != 0)
        return NULL;
    return kernels_divide(selected);
}

const char *kernels_isa(void)
{
    const struct kernels *current = kernels_current(NULL);
    return current ? current->isa : best()->isa;
}

const char *kernels_blas_core(void)
{
    return openblas_get_corename();
}

void kernels_use_threads(int threads)
{
    openblas_set_num_threads(1);
    crew_use(threads);
}
