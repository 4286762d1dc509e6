/* Selecting the entries of a sparse matrix in those columns where its argument is not zero.
 *
 * A band's columns are a table of bits, which two AVX-512 registers hold: a block's entries look
 * their bits up together, and those selected are moved up to the ones before. Which they were is
 * kept, a bit each, so that gradients find back to their places. */
#include "isa.h"

#define TABLE_WORDS (MOST_BAND / 32)

/* Bit c - first of the table for each of the columns below `end`; returns how many these are. */
static int64_t mark_columns(const int32_t *columns, int64_t count, int64_t first, int64_t end,
                            uint32_t table[TABLE_WORDS])
{
    int64_t i = 0;
    memset(table, 0, TABLE_WORDS * sizeof *table);
    for (; i < count && columns[i] < end; i++)
        table[(columns[i] - first) / 32] |= 1u << (columns[i] - first) % 32;
    return i;
}

#if VECTOR == 16

INLINE uint32_t select_entries(const uint32_t table[TABLE_WORDS], int64_t first,
                               const int32_t *column, const float *value, int64_t count,
                               int32_t *to_column, float *to_value)
{
    const __mmask16 there = (__mmask16)((1u << count) - 1);
    const __m512i columns = _mm512_maskz_loadu_epi32(there, column);
    const __m512i place = _mm512_sub_epi32(columns, _mm512_set1_epi32((int32_t)first));
    const __m512i word = _mm512_permutex2var_epi32(
        _mm512_loadu_si512(table), _mm512_srli_epi32(place, 5), _mm512_loadu_si512(table + 16));
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

INLINE uint32_t select_entries(const uint32_t table[TABLE_WORDS], int64_t first,
                               const int32_t *column, const float *value, int64_t count,
                               int32_t *to_column, float *to_value)
{
    uint32_t kept = 0;
    int64_t next = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t place = column[i] - first;
        const uint32_t is_kept = table[place / 32] >> place % 32 & 1;
        to_column[next] = column[i];
        to_value[next] = value[i];
        kept |= is_kept << i;
        next += is_kept;
    }
    return kept;
}

INLINE void spread_entries(const float *from, uint32_t kept, int64_t count, float *to)
{
    for (int64_t i = 0, next = 0; i < count; i++) {
        const uint32_t is_kept = kept >> i & 1;
        to[i] = is_kept ? from[next] : 0;
        next += is_kept;
    }
}

#endif

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
static int32_t select_band(const struct band *of, const uint32_t table[TABLE_WORDS], int32_t next)
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
        uint32_t table[TABLE_WORDS];
        const int64_t marked =
            mark_columns(columns, count, band.first, band.first + from->band, table);
        columns += marked;
        count -= marked;
        next = select_band(&band, table, next);
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
