/* The store's kernel mode: what rounding depends on beside the instruction set, as one word: the
 * generation of the kernels and how layers with masked weights compute, "4-auto". */
#include <stdio.h>
#include <string.h>

#include "work/work.h"

/* Raised when kernels change so that results round differently. */
#define GENERATION "4-"

void work_kernel_mode(enum net_kernels kernels, char *to, size_t size)
{
    snprintf(to, size, "%s%s", GENERATION, net_kernels_name(kernels));
}

int work_read_kernel_mode(const char *mode, enum net_kernels *kernels, struct error *err)
{
    const size_t length = strlen(GENERATION);
    if (strncmp(mode, GENERATION, length) == 0 && net_kernels_named(mode + length, kernels) == 0)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "its results come from kernels of generation %.*s, this program has generation "
                     "%.*s",
                     (int)strcspn(mode, "-"), mode, (int)length - 1, GENERATION);
}
