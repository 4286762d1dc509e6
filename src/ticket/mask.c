/* Masks as blocks: counting, applying, and masks drawn at random. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mask.h"
#include "ticket/ticket.h"

#define BLOCK_ALIGNMENT 16 /* of the views in a parameter block, see nn/spec.h */

int64_t mask_block_size(const struct parameter_spec *parameters, int count)
{
    if (count == 0)
        return 0;
    int64_t end = parameters[count - 1].offset + parameters[count - 1].count;
    return (end + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
}

int64_t mask_kept(const uint8_t *mask, int64_t count)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++)
        kept += mask[i] != 0;
    return kept;
}

void ticket_count(const struct parameter_spec *parameters, int count, const uint8_t *mask,
                  int64_t *remaining, int64_t *total)
{
    *remaining = *total = 0;
    for (int p = 0; p < count; p++) {
        if (!parameters[p].is_weight)
            continue;
        *total += parameters[p].count;
        *remaining += mask ? mask_kept(mask + parameters[p].offset, parameters[p].count)
                           : parameters[p].count;
    }
}

/* Keeps the elements permutation[0..kept-1] of a parameter and no others. */
static void keep_first(uint8_t *mask, int64_t count, const uint32_t *permutation, int64_t kept)
{
    memset(mask, 0, (size_t)count);
    for (int64_t i = 0; i < kept; i++)
        mask[permutation[i]] = 1;
}

static int check_size(const struct parameter_spec *parameter, struct error *err)
{
    if (parameter->count > UINT32_MAX)
        return error_set(err, ERROR_USAGE,
                         "%s has %" PRId64 " weights; a random mask can be drawn for at most %lu",
                         parameter->name, parameter->count, (unsigned long)UINT32_MAX);
    return 0;
}

static int draw_parameter(const struct parameter_spec *parameter, uint32_t salt, int64_t kept,
                          struct rng_stream stream, uint8_t *mask, struct error *err)
{
    if (kept == parameter->count)
        return 0;
    if (check_size(parameter, err) != 0)
        return -1;
    uint32_t *permutation = mem_zeroed((size_t)parameter->count, sizeof *permutation, err);
    if (!permutation)
        return -1;
    rng_permutation(stream, salt, permutation, (uint32_t)parameter->count);
    keep_first(mask, parameter->count, permutation, kept);
    free(permutation);
    return 0;
}

int ticket_random_mask(const struct parameter_spec *parameters, int count, const uint8_t *mask,
                       struct rng_stream stream, uint8_t *random_mask, struct error *err)
{
    memset(random_mask, 1, (size_t)mask_block_size(parameters, count));
    for (int p = 0; p < count; p++) {
        const struct parameter_spec *parameter = &parameters[p];
        if (!parameter->is_prunable)
            continue;
        int64_t kept = mask_kept(mask + parameter->offset, parameter->count);
        if (draw_parameter(parameter, (uint32_t)p, kept, stream, random_mask + parameter->offset,
                           err) != 0)
            return -1;
    }
    return 0;
}
