/* The surviving weights of a layer: making their patterns, packing and unpacking. */
#include "survivors.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "paths.h"
#include "pattern.h"

static int make_turned(const struct sparse_form *form, struct survivors *survivors,
                       struct error *err)
{
    if (pattern_turn(&survivors->pattern, form->taps, form->turned_band, &survivors->turned,
                     &survivors->place, err) != 0)
        return -1;
    survivors->values =
        mem_aligned((size_t)survivors->turned.entries, sizeof *survivors->values, err);
    return survivors->values ? 0 : -1;
}

struct survivors *survivors_create(const struct layer *layer, const char *isa, const uint8_t *mask,
                                   double density, struct error *err)
{
    struct sparse_form form;
    layer->operation->sparse_form(layer, density, &form);
    struct survivors *survivors = mem_zeroed(1, sizeof *survivors, err);
    if (!survivors)
        return NULL;
    const bool goes_backward = layer->source != TRACE_INPUT;
    if (pattern_make(mask, form.rows, form.columns, form.band, &survivors->pattern, err) == 0 &&
        (!goes_backward || make_turned(&form, survivors, err) == 0) &&
        (!path_selects(isa, layer, density) ||
         selection_make(&survivors->pattern, &survivors->selection, err) == 0))
        return survivors;
    survivors_destroy(survivors);
    return NULL;
}

void survivors_destroy(struct survivors *survivors)
{
    if (!survivors)
        return;
    pattern_finish(&survivors->pattern);
    pattern_finish(&survivors->turned);
    selection_finish(&survivors->selection);
    free(survivors->place);
    free(survivors->values);
    free(survivors);
}

/* Entries are visited in their order: rows of bands, band by band. */
void survivors_pack(const struct survivors *survivors, const float *dense, float *packed)
{
    const struct sparse_pattern *pattern = &survivors->pattern;
    for (int64_t i = 0; i < pattern->bands * pattern->rows; i++)
        for (int32_t k = pattern->begin[i]; k < pattern->begin[i + 1]; k++)
            packed[k] = dense[i % pattern->rows * pattern->columns + pattern->column[k]];
    const size_t rest = (size_t)(pattern->rows * pattern->columns - pattern->entries);
    memset(packed + pattern->entries, 0, rest * sizeof *packed);
}

void survivors_unpack(const struct survivors *survivors, const float *packed, float *dense)
{
    const struct sparse_pattern *pattern = &survivors->pattern;
    memset(dense, 0, (size_t)(pattern->rows * pattern->columns) * sizeof *dense);
    for (int64_t i = 0; i < pattern->bands * pattern->rows; i++)
        for (int32_t k = pattern->begin[i]; k < pattern->begin[i + 1]; k++)
            dense[i % pattern->rows * pattern->columns + pattern->column[k]] = packed[k];
}

const float *survivors_turn(const struct survivors *survivors, const struct kernels *kernels,
                            const float *weights)
{
    kernels->gather(weights, survivors->place, survivors->turned.entries, survivors->values);
    return survivors->values;
}

static int64_t pattern_words(int64_t rows, int64_t columns, int64_t band, int64_t entries)
{
    return entries + (columns + band - 1) / band * rows;
}

int64_t survivors_bytes(const struct layer *layer, const char *isa, double density)
{
    struct sparse_form form;
    layer->operation->sparse_form(layer, density, &form);
    const int64_t entries = (int64_t)(density * (double)(form.rows * form.columns));
    const int64_t bands = (form.columns + form.band - 1) / form.band;
    int64_t words = pattern_words(form.rows, form.columns, form.band, entries);
    if (layer->source != TRACE_INPUT)
        words += 2 * entries + pattern_words(form.columns / form.taps, form.rows * form.taps,
                                             form.turned_band, entries);
    return words * (int64_t)sizeof(int32_t) +
           (path_selects(isa, layer, density) ? selection_bytes(form.rows, bands, entries) : 0);
}
