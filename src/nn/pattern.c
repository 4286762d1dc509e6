/* Patterns of surviving weights: a counting sort of the places of a mask. */
#include "pattern.h"

#include <stdlib.h>

#include "base/memory.h"

struct parts {
    int32_t *begin, *column;
};

/* Memory for a pattern of the given size; begin[] is zero. */
static int take_parts(struct parts *parts, int64_t begins, int64_t entries, struct error *err)
{
    parts->begin = mem_zeroed((size_t)begins, sizeof *parts->begin, err);
    parts->column =
        parts->begin ? mem_zeroed((size_t)entries + 1, sizeof *parts->column, err) : NULL;
    if (parts->column)
        return 0;
    free(parts->begin);
    return -1;
}

/* Turns numbers of entries, each one place further on, into beginnings. */
static void add_up(int32_t *begin, int64_t count)
{
    for (int64_t i = 1; i <= count; i++)
        begin[i] += begin[i - 1];
}

static int64_t bands_of(int64_t columns, int64_t band)
{
    return (columns + band - 1) / band;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t count_kept(const uint8_t *mask, int64_t count)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++)
        kept += mask[i];
    return kept;
}

int pattern_make(const uint8_t *mask, int64_t rows, int64_t columns, int64_t band,
                 struct sparse_pattern *pattern, struct error *err)
{
    struct parts parts;
    *pattern = (struct sparse_pattern){.rows = rows,
                                       .columns = columns,
                                       .band = band,
                                       .bands = bands_of(columns, band),
                                       .entries = count_kept(mask, rows * columns)};
    if (take_parts(&parts, pattern->bands * rows + 1, pattern->entries, err) != 0)
        return -1;
    int32_t entry = 0;
    for (int64_t b = 0; b < pattern->bands; b++)
        for (int64_t r = 0; r < rows; r++) {
            parts.begin[b * rows + r] = entry;
            for (int64_t c = b * band; c < smaller((b + 1) * band, columns); c++)
                if (mask[r * columns + c])
                    parts.column[entry++] = (int32_t)c;
        }
    parts.begin[pattern->bands * rows] = entry;
    pattern->begin = parts.begin;
    pattern->column = parts.column;
    return 0;
}

/* Where entries of a pattern go when it is turned. */
struct turn {
    const struct sparse_pattern *from;
    int64_t taps, band, rows;
};

/* Calls for each entry, in their order, with its place among [band][row] of the turned pattern and
 * its column there. */
typedef void entry_visit(void *user, int32_t entry, int64_t place, int32_t column);

static void for_each_entry(const struct turn *turn, entry_visit *visit, void *user)
{
    const struct sparse_pattern *from = turn->from;
    for (int64_t b = 0; b < from->bands; b++)
        for (int64_t r = 0; r < from->rows; r++)
            for (int32_t k = from->begin[b * from->rows + r];
                 k < from->begin[b * from->rows + r + 1]; k++) {
                const int64_t channel = from->column[k] / turn->taps;
                const int64_t tap = from->column[k] % turn->taps;
                const int64_t column = r * turn->taps + turn->taps - 1 - tap;
                visit(user, k, column / turn->band * turn->rows + channel, (int32_t)column);
            }
}

static void count_entry(void *user, int32_t entry, int64_t place, int32_t column)
{
    int32_t *begin = user;
    (void)entry;
    (void)column;
    begin[place + 1]++;
}

struct filling {
    int32_t *next; /* where the next entry of each row goes */
    int32_t *column, *place;
};

static void fill_entry(void *user, int32_t entry, int64_t place, int32_t column)
{
    struct filling *filling = user;
    const int32_t at = filling->next[place]++;
    filling->column[at] = column;
    filling->place[at] = entry;
}

int pattern_turn(const struct sparse_pattern *pattern, int64_t taps, int64_t band,
                 struct sparse_pattern *turned, int32_t **place, struct error *err)
{
    const struct turn turn = {pattern, taps, band, pattern->columns / taps};
    *turned = (struct sparse_pattern){.rows = turn.rows,
                                      .columns = pattern->rows * taps,
                                      .band = band,
                                      .bands = bands_of(pattern->rows * taps, band),
                                      .entries = pattern->entries};
    const int64_t begins = turned->bands * turned->rows;
    struct parts parts;
    *place = NULL;
    if (take_parts(&parts, begins + 1, turned->entries, err) != 0)
        return -1;
    turned->begin = parts.begin;
    turned->column = parts.column;
    struct filling filling = {.column = parts.column};
    filling.next = mem_zeroed((size_t)begins + 1, sizeof *filling.next, err);
    filling.place = mem_zeroed((size_t)turned->entries + 1, sizeof *filling.place, err);
    if (!filling.next || !filling.place) {
        free(filling.next);
        free(filling.place);
        pattern_finish(turned);
        return -1;
    }
    for_each_entry(&turn, count_entry, parts.begin);
    add_up(parts.begin, begins);
    for (int64_t i = 0; i < begins; i++)
        filling.next[i] = parts.begin[i];
    for_each_entry(&turn, fill_entry, &filling);
    free(filling.next);
    *place = filling.place;
    return 0;
}

void pattern_finish(struct sparse_pattern *pattern)
{
    free((void *)pattern->begin);
    free((void *)pattern->column);
    *pattern = (struct sparse_pattern){0};
}

static int64_t selection_blocks(int64_t bands, int64_t entries)
{
    return entries / SELECTION_BLOCK + bands;
}

int selection_make(const struct sparse_pattern *pattern, struct sparse_selection *selection,
                   struct error *err)
{
    const size_t begins = (size_t)(pattern->bands * pattern->rows) + 1;
    const size_t entries = (size_t)pattern->entries + SELECTION_BLOCK;
    const size_t blocks = (size_t)selection_blocks(pattern->bands, pattern->entries);
    struct sparse_selection *s = selection;
    *s = (struct sparse_selection){.pattern = *pattern};
    if ((s->begin = mem_zeroed(begins, sizeof *s->begin, err)) &&
        (s->column = mem_zeroed(entries, sizeof *s->column, err)) &&
        (s->values = mem_zeroed(entries, sizeof *s->values, err)) &&
        (s->gradient = mem_zeroed(entries, sizeof *s->gradient, err)) &&
        (s->blocks = mem_zeroed(blocks, sizeof *s->blocks, err))) {
        s->pattern.begin = s->begin;
        s->pattern.column = s->column;
        return 0;
    }
    selection_finish(s);
    return -1;
}

void selection_finish(struct sparse_selection *selection)
{
    free(selection->begin);
    free(selection->column);
    free(selection->values);
    free(selection->gradient);
    free(selection->blocks);
    *selection = (struct sparse_selection){0};
}

int64_t selection_bytes(int64_t rows, int64_t bands, int64_t entries)
{
    return (bands * rows + 3 * entries) * (int64_t)sizeof(int32_t) +
           selection_blocks(bands, entries) * (int64_t)sizeof(struct selection_block);
}
