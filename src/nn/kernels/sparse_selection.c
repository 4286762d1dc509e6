/* Selecting the entries of a sparse matrix in those columns where its argument is not zero.
 *
 * A table of a band's columns tells which are selected. A block's entries look theirs up, and those
 * selected are moved up to the ones before. Which they were is kept, a bit each, so that gradients
 * find back to their places. */
#include "isa.h"
#include "kept.h"

#if VECTOR == 16

/* A bit for each column: two registers hold them all, where the entries look them up together. */
struct table {
    uint32_t words[MOST_BAND / 32];
};

INLINE void mark_column(struct table *table, int64_t place)
{
    table->words[place / 32] |= 1u << place % 32;
}

INLINE uint32_t select_entries(const struct table *table, int64_t first, const int32_t *column,
                               const float *value, int64_t count, int32_t *to_column,
                               float *to_value)
{
    const __mmask16 there = (__mmask16)((1u << count) - 1);
    const __m512i columns = _mm512_maskz_loadu_epi32(there, column);
    const __m512i place = _mm512_sub_epi32(columns, _mm512_set1_epi32((int32_t)first));
    const __m512i word =
        _mm512_permutex2var_epi32(_mm512_loadu_si512(table->words), _mm512_srli_epi32(place, 5),
                                  _mm512_loadu_si512(table->words + 16));
    const __m512i bit = _mm512_srlv_epi32(word, _mm512_and_si512(place, _mm512_set1_epi32(31)));
    const __mmask16 kept = _mm512_mask_test_epi32_mask(there, bit, _mm512_set1_epi32(1));
    const __m512 values = _mm512_maskz_loadu_ps(there, value);
    _mm512_storeu_si512(to_column, _mm512_maskz_compress_epi32(kept, columns));
    _mm512_storeu_ps(to_value, _mm512_maskz_compress_ps(kept, values));
    return kept;
}

INLINE void spread_entries(const float *from, uint32_t kept, int64_t count, float *to)
{
    const __m512 all = _mm512_maskz_expand_ps((__mmask16)kept, _mm512_loadu_ps(from));
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), all);
}

#else

struct table {
    uint8_t marks[MOST_BAND]; /* 1: selected */
};

INLINE void mark_column(struct table *table, int64_t place)
{
    table->marks[place] = 1;
}

#if VECTOR == 8

/* For each set of FEW, a bit each: each one's place among its members. */
static const int32_t ranks[1 << FEW][FEW] = {
    {0, 0, 0, 0}, {0, 1, 1, 1}, {0, 0, 1, 1}, {0, 1, 2, 2}, {0, 0, 0, 1}, {0, 1, 1, 2},
    {0, 0, 1, 2}, {0, 1, 2, 3}, {0, 0, 0, 0}, {0, 1, 1, 1}, {0, 0, 1, 1}, {0, 1, 2, 2},
    {0, 0, 0, 1}, {0, 1, 1, 2}, {0, 0, 1, 2}, {0, 1, 2, 3},
};

/* And back, with zeros between. */
INLINE void spread_kept(const float *from, uint32_t kept, float *to)
{
    const __m128i bits = _mm_setr_epi32(1, 2, 4, 8);
    UNROLL
    for (int i = 0; i < SELECTION_BLOCK; i += FEW) {
        const uint32_t few = kept >> i & ((1u << FEW) - 1);
        const __m128i there = _mm_and_si128(_mm_set1_epi32((int32_t)few), bits);
        const __m128i zero = _mm_cmpeq_epi32(there, _mm_setzero_si128());
        _mm_storeu_ps(to + i, _mm_andnot_ps(_mm_castsi128_ps(zero), take(from, ranks[few])));
        from += __builtin_popcount(few);
    }
}

#else

INLINE void spread_kept(const float *from, uint32_t kept, float *to)
{
    int64_t next = 0;
    for (int i = 0; i < SELECTION_BLOCK; i++) {
        const uint32_t is_kept = kept >> i & 1;
        to[i] = is_kept ? from[next] : 0;
        next += is_kept;
    }
}

#endif

/* Of a whole block the first `count` entries. */
INLINE uint32_t select_block(const struct table *table, int64_t first, const int32_t *column,
                             const float *value, int64_t count, int32_t *to_column, float *to_value)
{
    uint32_t kept = 0;
    UNROLL
    for (int i = 0; i < SELECTION_BLOCK; i++)
        kept |= (uint32_t)table->marks[column[i] - first] << i;
    kept &= (1u << count) - 1;
    move_kept(column, value, kept, to_column, to_value);
    return kept;
}

INLINE uint32_t select_entries(const struct table *table, int64_t first, const int32_t *column,
                               const float *value, int64_t count, int32_t *to_column,
                               float *to_value)
{
    if (count == SELECTION_BLOCK)
        return select_block(table, first, column, value, SELECTION_BLOCK, to_column, to_value);
    int32_t columns[SELECTION_BLOCK];
    float values[SELECTION_BLOCK] = {0};
    for (int i = 0; i < SELECTION_BLOCK; i++)
        columns[i] = i < count ? column[i] : (int32_t)first;
    memcpy(values, value, (size_t)count * sizeof *value);
    return select_block(table, first, columns, values, count, to_column, to_value);
}

INLINE void spread_entries(const float *from, uint32_t kept, int64_t count, float *to)
{
    float all[SELECTION_BLOCK];
    spread_kept(from, kept, count == SELECTION_BLOCK ? to : all);
    if (count < SELECTION_BLOCK)
        memcpy(to, all, (size_t)count * sizeof *to);
}

#endif

/* Marks those of the columns that are below `end`, `first` being the table's first; returns how
 * many. */
static int64_t mark_columns(const int32_t *columns, int64_t count, int64_t first, int64_t end,
                            struct table *table)
{
    int64_t i = 0;
    memset(table, 0, sizeof *table);
    for (; i < count && columns[i] < end; i++)
        mark_column(table, columns[i] - first);
    return i;
}

/* The entries of a band and where those selected go. */
struct band {
    const int32_t *column;
    const float *value;
    int64_t first, entries; /* its first column */
    int32_t *to_column;     /* of the whole matrix, as `next` counts */
    float *to_value;
    struct selection_block *blocks; /* its own; the last one, not full, may be empty */
};

/* `next` are selected of the bands before; returns how many with this one. */
static int32_t select_band(const struct band *of, const struct table *table, int32_t next)
{
    const struct band band = *of;
    for (int64_t k = 0; k <= band.entries; k += SELECTION_BLOCK) {
        const uint32_t kept = select_entries(table, band.first, band.column + k, band.value + k,
                                             least(band.entries - k, SELECTION_BLOCK),
                                             band.to_column + next, band.to_value + next);
        band.blocks[k / SELECTION_BLOCK] = (struct selection_block){next, kept};
        next += __builtin_popcount(kept);
    }
    return next;
}

/* Where the selected entries of the band's rows begin. */
static void place_rows(const struct selection_block *blocks, const int32_t *begin, int64_t rows,
                       int32_t *to)
{
    for (int64_t r = 0; r < rows; r++) {
        const uint32_t place = (uint32_t)(begin[r] - begin[0]);
        const struct selection_block block = blocks[place / SELECTION_BLOCK];
        const uint32_t before = block.kept & ((1u << place % SELECTION_BLOCK) - 1);
        to[r] = block.begin + __builtin_popcount(before);
    }
}

void KERNEL(sparse_select)(const struct sparse_weights *w, const int32_t *columns, int64_t count,
                           struct sparse_selection *to)
{
    const struct sparse_pattern *from = w->pattern;
    struct selection_block *blocks = to->blocks;
    int32_t next = 0;
    for (int64_t b = 0; b < from->bands; b++) {
        const int32_t *begin = from->begin + b * from->rows;
        const struct band band = {.column = from->column + begin[0],
                                  .value = w->values + begin[0],
                                  .first = b * from->band,
                                  .entries = begin[from->rows] - begin[0],
                                  .to_column = to->column,
                                  .to_value = to->values,
                                  .blocks = blocks};
        struct table table;
        const int64_t marked =
            mark_columns(columns, count, band.first, band.first + from->band, &table);
        columns += marked;
        count -= marked;
        next = select_band(&band, &table, next);
        place_rows(blocks, begin, from->rows, to->begin + b * from->rows);
        blocks += band.entries / SELECTION_BLOCK + 1;
    }
    to->begin[from->bands * from->rows] = next;
    to->pattern.entries = next;
}

void KERNEL(sparse_spread)(const struct sparse_selection *selection,
                           const struct sparse_pattern *pattern, float *gradient)
{
    const struct selection_block *block = selection->blocks;
    for (int64_t b = 0; b < pattern->bands; b++) {
        const int32_t *begin = pattern->begin + b * pattern->rows;
        for (int64_t k = begin[0]; k <= begin[pattern->rows]; k += SELECTION_BLOCK, block++)
            spread_entries(selection->gradient + block->begin, block->kept,
                           least(begin[pattern->rows] - k, SELECTION_BLOCK), gradient + k);
    }
}
