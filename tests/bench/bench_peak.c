/* The most multiply-adds an instruction set's units take: independent sums that never leave their
 * registers, and sums that each load an operand. Compiled once for each instruction set. */
#include "../../src/nn/kernels/vector.h"
#include "bench.h"

#define SUMS 12 /* more than latency times units */

double KERNEL(bench_peak)(int64_t turns)
{
    const vfloat factor = vset(0.5f), term = vset(1);
    vfloat sums[SUMS] = {0};
    /* Sums that may differ, for all that the compiler knows, are not computed once for all. */
    UNROLL
    for (int i = 0; i < SUMS; i++)
        __asm__("" : "+v"(sums[i]));
    for (int64_t turn = 0; turn < turns; turn++) {
        UNROLL
        for (int i = 0; i < SUMS; i++)
            sums[i] = vfma(sums[i], factor, term);
    }
    UNROLL
    for (int i = 0; i < SUMS; i++)
        __asm__ volatile("" ::"v"(sums[i]));
    return 2.0 * SUMS * VECTOR * (double)turns;
}

double KERNEL(bench_load_peak)(const float *x, int64_t count, int64_t turns)
{
    const vfloat factor = vset(0.5f);
    vfloat sums[SUMS] = {0};
    for (int64_t turn = 0; turn < turns; turn++)
        for (int64_t at = 0; at + SUMS * VECTOR <= count; at += SUMS * VECTOR) {
            UNROLL
            for (int i = 0; i < SUMS; i++)
                sums[i] = vfma(factor, vload(x + at + i * VECTOR), sums[i]);
        }
    UNROLL
    for (int i = 0; i < SUMS; i++)
        __asm__ volatile("" ::"v"(sums[i]));
    return 2.0 * (double)(count / (SUMS * VECTOR)) * SUMS * VECTOR * (double)turns;
}
