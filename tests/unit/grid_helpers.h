/* What the unit tests of grid share: parsing a text, and looking at fields by their paths. */
#ifndef GRID_HELPERS_H
#define GRID_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "grid/grid.h"

/* The grid that `text` is; fails the test when it is refused. */
static inline struct grid *parse(const char *text)
{
    struct error err = {0};
    struct grid *grid = grid_parse("folder/g.yaml", text, strlen(text), &err);
    if (grid == NULL)
        fail_msg("refused: %s", err.text);
    return grid;
}

/* One of its experiments; good until the next but one is asked for. */
static inline const struct experiment *experiment_of(const struct grid *grid, int32_t number)
{
    static struct experiment rooms[2];
    static int room;
    room = 1 - room;
    grid_experiment(grid, number, &rooms[room]);
    return &rooms[room];
}

/* The grid is refused as a usage error; `start` and `part` are in the message. */
static inline void expect_refusal_bytes(const char *text, size_t length, const char *start,
                                        const char *part)
{
    struct error err = {0};
    struct grid *grid = grid_parse("g.yaml", text, length, &err);
    if (grid != NULL)
        fail_msg("taken, though %s %s was due:\n%s", start, part, text);
    assert_int_equal(err.class, ERROR_USAGE);
    if (strncmp(err.text, start, strlen(start)) != 0 || strstr(err.text, part) == NULL)
        fail_msg("for\n%s\nsaid      %s\ninstead of %s ... %s", text, err.text, start, part);
}

static inline void expect_refusal(const char *text, const char *start, const char *part)
{
    expect_refusal_bytes(text, strlen(text), start, part);
}

/* Appends "value value ...\n" of the fields at `paths` for each experiment. */
static inline void describe(const struct grid *grid, const char *const *paths, struct text *text)
{
    for (int32_t i = 0; i < grid->experiment_count; i++) {
        for (const char *const *path = paths; *path != NULL; path++) {
            text_add(text, "%s", path == paths ? "" : " ");
            field_value_text(field_at(field_find(*path)), &experiment_of(grid, i)->fields, text);
        }
        text_add(text, "\n");
    }
}

/* The experiments of `yaml`, one line each, are `expected` (the paths' values). */
#define EXPECT_EXPERIMENTS(yaml, expected, ...)                                                    \
    do {                                                                                           \
        struct grid *described_grid = parse(yaml);                                                 \
        struct text described = {0};                                                               \
        const char *const described_paths[] = {__VA_ARGS__, NULL};                                 \
        describe(described_grid, described_paths, &described);                                     \
        assert_string_equal(described.bytes, expected);                                            \
        text_finish(&described);                                                                   \
        grid_destroy(described_grid);                                                              \
    } while (0)

/* The value of one field of one experiment equals `expected`. */
static inline void expect_field(const struct grid *grid, int32_t experiment, const char *path,
                                const char *expected)
{
    struct text text = {0};
    field_value_text(field_at(field_find(path)), &experiment_of(grid, experiment)->fields, &text);
    assert_string_equal(text.bytes != NULL ? text.bytes : "", expected);
    text_finish(&text);
}

#endif
