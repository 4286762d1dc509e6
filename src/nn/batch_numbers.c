/* Numbers are listed by example a band of inputs at a time, which is turned first: so much of it
 * that what a row of the product fetches and stores of its sums is little beside its numbers, and
 * no more, for it is the part of the other matrix that all rows pass over. */
#include "batch_numbers.h"

#define MOST_PERCENT 60 /* of a batch; with more the dense product is as fast */
#define MOST_BAND_INPUTS 132

static int64_t bands_of(int64_t inputs)
{
    return (inputs + MOST_BAND_INPUTS - 1) / MOST_BAND_INPUTS;
}

static int64_t band_of(int64_t inputs)
{
    return (inputs + bands_of(inputs) - 1) / bands_of(inputs);
}

static int64_t band_stride(int64_t inputs)
{
    return odd_lanes(band_of(inputs));
}

/* Where the parts of the memory begin. */
struct places {
    int64_t band;           /* [columns][band_stride] */
    int64_t begin;          /* of either matrix */
    int64_t column, values; /* with room for `most`, and for the band that makes them too many */
    int64_t end;
    int64_t most; /* numbers */
};

static struct places places_for(int64_t inputs, int64_t columns)
{
    const int64_t by_example = bands_of(inputs) * columns;
    struct places p = {.begin = columns * band_stride(inputs),
                       .most = inputs * columns * MOST_PERCENT / 100};
    p.column = p.begin + whole_lanes(1 + (by_example > inputs ? by_example : inputs));
    p.values = p.column + whole_lanes(p.most + band_of(inputs) * columns + SELECTION_BLOCK);
    p.end = p.values + p.values - p.column;
    return p;
}

int64_t batch_numbers_floats(int64_t inputs, int64_t columns)
{
    return places_for(inputs, columns).end;
}

bool batch_numbers_by_example(const struct kernels *kernels, const float *x, int64_t inputs,
                              int64_t columns, float *memory, struct batch_numbers *numbers)
{
    const struct places p = places_for(inputs, columns);
    const int64_t band = band_of(inputs);
    struct nonzeros n = {.rows = columns,
                         .x = memory + p.band,
                         .stride = band_stride(inputs),
                         .begin = (int32_t *)(memory + p.begin),
                         .column = (int32_t *)(memory + p.column),
                         .values = memory + p.values};
    *numbers = (struct batch_numbers){.pattern = {.rows = columns,
                                                  .columns = inputs,
                                                  .band = band,
                                                  .bands = bands_of(inputs),
                                                  .begin = n.begin,
                                                  .column = n.column},
                                      .values = n.values};
    for (; n.first < inputs && n.entries <= p.most; n.first += band, n.begin += columns) {
        n.columns = inputs - n.first < band ? inputs - n.first : band;
        kernels->transpose(x + n.first * columns, columns, memory + p.band, n.stride, n.columns,
                           columns);
        n.entries = kernels->nonzero_entries(&n);
    }
    numbers->pattern.entries = n.entries;
    return n.entries <= p.most;
}

void batch_numbers_by_input(const struct kernels *kernels, const float *x, int64_t inputs,
                            int64_t columns, int64_t examples, float *memory,
                            struct batch_numbers *numbers)
{
    const struct places p = places_for(inputs, columns);
    const struct nonzeros n = {.rows = inputs,
                               .columns = examples,
                               .x = x,
                               .stride = columns,
                               .begin = (int32_t *)(memory + p.begin),
                               .column = (int32_t *)(memory + p.column),
                               .values = memory + p.values};
    *numbers = (struct batch_numbers){.pattern = {.rows = inputs,
                                                  .columns = examples,
                                                  .band = examples,
                                                  .bands = 1,
                                                  .entries = kernels->nonzero_entries(&n),
                                                  .begin = n.begin,
                                                  .column = n.column},
                                      .values = n.values};
}
