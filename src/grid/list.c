/* Owns lists of scalars: ranges expanded, and the fields that are lists (whose items must rise). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

struct range {
    long long first, last;
};

/* 1: a range; 0: none; -1: a range that does not fit 64 bits. */
static int parse_range(const char *text, struct range *range)
{
    char *end;
    errno = 0;
    range->first = strtoll(text, &end, 10);
    if (end == text || strncmp(end, "..", 2) != 0)
        return 0;
    const char *second = end + 2;
    range->last = strtoll(second, &end, 10);
    if (end == second || *end != '\0')
        return 0;
    return errno == ERANGE ? -1 : 1;
}

bool scalar_is_range(const struct scalar *scalar)
{
    struct range range;
    return !scalar->quoted && parse_range(scalar->text, &range) != 0;
}

static int check_range(const struct reader *reader, const char *path, const struct scalar *scalar,
                       struct range *range)
{
    if (parse_range(scalar->text, range) < 0)
        return reader_fail(reader, scalar->mark, path, "%s is out of range", scalar->text);
    if (range->first > range->last)
        return reader_fail(reader, scalar->mark, path,
                           "%s is empty; a range rises, as in %lld..%lld", scalar->text,
                           range->last, range->first);
    return 0;
}

static int add_range(const struct reader *reader, const char *path, const struct scalar *scalar,
                     size_t most, struct scalars *scalars, size_t *capacity)
{
    struct range range = {0};
    if (check_range(reader, path, scalar, &range) != 0)
        return -1;
    unsigned long long more = (unsigned long long)range.last - (unsigned long long)range.first;
    if (more >= most - scalars->count)
        return reader_fail(reader, scalar->mark, path, "more than %zu values; give fewer", most);
    size_t count = (size_t)more + 1;
    const size_t size = 24; /* of a 64-bit number's text */
    char *texts = reader_zeroed(reader, count, size);
    if (texts == NULL ||
        arena_grow(reader->arena, &scalars->items, capacity, scalars->count + count,
                   sizeof *scalars->items, reader->err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        snprintf(texts + i * size, size, "%lld", range.first + (long long)i);
        scalars->items[scalars->count++] = (struct scalar){texts + i * size, scalar->mark, false};
    }
    return 0;
}

static int add_scalar(const struct reader *reader, const char *path, const struct scalar *scalar,
                      size_t most, struct scalars *scalars, size_t *capacity)
{
    if (scalars->count == most)
        return reader_fail(reader, scalar->mark, path, "more than %zu values; give fewer", most);
    if (arena_grow(reader->arena, &scalars->items, capacity, scalars->count + 1,
                   sizeof *scalars->items, reader->err) != 0)
        return -1;
    scalars->items[scalars->count++] = *scalar;
    return 0;
}

static int add_node(const struct reader *reader, const char *path, const struct node *node,
                    bool with_ranges, size_t most, struct scalars *scalars, size_t *capacity)
{
    if (node->kind != NODE_SCALAR || node_is_null(node))
        return reader_fail(reader, node->mark, path, "%s in the list; give single values",
                           node_kind_name(node));
    if (with_ranges && scalar_is_range(&node->scalar))
        return add_range(reader, path, &node->scalar, most, scalars, capacity);
    return add_scalar(reader, path, &node->scalar, most, scalars, capacity);
}

int scalars_read(const struct reader *reader, const char *path, const struct node *node,
                 bool with_ranges, size_t most, struct scalars *scalars)
{
    size_t capacity = 0;
    *scalars = (struct scalars){0};
    if (node->kind == NODE_SCALAR && with_ranges && scalar_is_range(&node->scalar))
        return add_range(reader, path, &node->scalar, most, scalars, &capacity);
    if (node->kind != NODE_LIST)
        return reader_fail(reader, node->mark, path, "%s; give a list, as in [1, 2]%s",
                           node_kind_name(node), with_ranges ? ", or a range, as in 1..5" : "");
    for (size_t i = 0; i < node->count; i++)
        if (add_node(reader, path, node->items[i], with_ranges, most, scalars, &capacity) != 0)
            return -1;
    return 0;
}

/* --- fields that are lists --- */

static int read_steps_list(const struct reader *reader, const struct field *field,
                           const struct scalars *scalars, struct steps_list *list)
{
    for (size_t i = 0; i < scalars->count; i++) {
        struct steps *item = &list->items[i];
        if (value_read(reader, field, &scalars->items[i], item) != 0)
            return -1;
        /* Iterations and epochs are compared once the length of an epoch is known. */
        if (i > 0 && item->in_epochs == item[-1].in_epochs && item->count <= item[-1].count)
            return reader_fail(reader, scalars->items[i].mark, field->path,
                               "%s does not come after %s; the list must rise",
                               scalars->items[i].text, scalars->items[i - 1].text);
    }
    list->count = (int32_t)scalars->count;
    return 0;
}

static int read_real_list(const struct reader *reader, const struct field *field,
                          const struct scalars *scalars, struct real_list *list)
{
    for (size_t i = 0; i < scalars->count; i++) {
        double *item = &list->items[i];
        if (value_read(reader, field, &scalars->items[i], item) != 0)
            return -1;
        if (i > 0 && *item <= item[-1])
            return reader_fail(reader, scalars->items[i].mark, field->path,
                               "%s does not come after %s; the list must rise",
                               scalars->items[i].text, scalars->items[i - 1].text);
    }
    list->count = (int32_t)scalars->count;
    return 0;
}

static int read_scalar(const struct reader *reader, const struct field *field,
                       const struct node *node, void *to)
{
    if (node->kind == NODE_SCALAR && !node_is_null(node))
        return value_read(reader, field, &node->scalar, to);
    struct text expected = {0};
    value_expected(field, &expected);
    const char *place = node->kind == NODE_LIST ? " (a list belongs under axes)" : "";
    reader_fail(reader, node->mark, field->path, "%s; give %s%s", node_kind_name(node),
                expected.bytes != NULL ? expected.bytes : "a value", place);
    text_finish(&expected);
    return -1;
}

int field_read(const struct reader *reader, const struct field *field, const struct node *node,
               void *to)
{
    if (field_is_scalar(field))
        return read_scalar(reader, field, node, to);
    bool steps = field->type == FIELD_STEPS_LIST;
    struct scalars scalars;
    if (scalars_read(reader, field->path, node, true, steps ? GRID_MAX_AT : GRID_MAX_FRACTIONS,
                     &scalars) != 0)
        return -1;
    memset(to, 0, field->size);
    return steps ? read_steps_list(reader, field, &scalars, to)
                 : read_real_list(reader, field, &scalars, to);
}
