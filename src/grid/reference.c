/* Owns values as they are written in a grid, and the reference made from the table of fields. */
#include <stdio.h>
#include <stdlib.h>

#include "grid/fields.h"
#include "target.h"
#include "value.h"

/* The shortest decimal that reads back as the same number. */
static void add_real(struct text *text, double number)
{
    char digits[32];
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    text_add(text, "%s", digits);
}

static void add_steps(struct text *text, const struct steps *steps)
{
    text_add(text, "%lld%s", (long long)steps->count, steps->in_epochs ? "ep" : "");
}

static void add_steps_list(struct text *text, const struct steps_list *list)
{
    text_add(text, "[");
    for (int32_t i = 0; i < list->count; i++) {
        text_add(text, "%s", i > 0 ? ", " : "");
        add_steps(text, &list->items[i]);
    }
    text_add(text, "]");
}

static void add_real_list(struct text *text, const struct real_list *list)
{
    text_add(text, "[");
    for (int32_t i = 0; i < list->count; i++) {
        text_add(text, "%s", i > 0 ? ", " : "");
        add_real(text, list->items[i]);
    }
    text_add(text, "]");
}

static void add_prune_at(struct text *text, int64_t at)
{
    if (at == PRUNE_AT_END)
        text_add(text, "end");
    else if (at == 0)
        text_add(text, "init");
    else
        text_add(text, "%lld", (long long)at);
}

static void add_examples(struct text *text, int64_t count)
{
    if (count < 0)
        text_add(text, "all");
    else
        text_add(text, "%lld", (long long)count);
}

static void add_output_rate(struct text *text, double rate)
{
    if (rate == VALUE_HALF)
        text_add(text, "half");
    else
        add_real(text, rate);
}

void field_value_text(const struct field *field, const struct experiment_fields *fields,
                      struct text *text)
{
    const void *value = (const unsigned char *)fields + field->offset;
    switch (field->type) {
    case FIELD_TEXT:
        text_add(text, "%s", (const char *)value);
        return;
    case FIELD_INTEGER:
        text_add(text, "%lld", (long long)*(const int64_t *)value);
        return;
    case FIELD_REAL:
        add_real(text, *(const double *)value);
        return;
    case FIELD_BOOLEAN:
        text_add(text, "%s", *(const bool *)value ? "true" : "false");
        return;
    case FIELD_CHOICE:
        text_add(text, "%s", field->choices[*(const int *)value]);
        return;
    case FIELD_STEPS:
        add_steps(text, value);
        return;
    case FIELD_STEPS_LIST:
        add_steps_list(text, value);
        return;
    case FIELD_REAL_LIST:
        add_real_list(text, value);
        return;
    case FIELD_PRUNE_AT:
        add_prune_at(text, *(const int64_t *)value);
        return;
    case FIELD_EXAMPLES:
        add_examples(text, *(const int64_t *)value);
        return;
    case FIELD_OUTPUT_RATE:
        add_output_rate(text, *(const double *)value);
        return;
    }
}

static void add_row(const struct field *field, const char *initial, const char *meaning,
                    struct text *text)
{
    text_add(text, "| `%s` | ", field->path);
    value_expected(field, text);
    text_add(text, " | %s | %s |\n", initial, meaning);
}

void field_reference(struct text *text)
{
    const struct shorthand *before = NULL;
    text_add(text, "| field | value | default | meaning |\n| --- | --- | --- | --- |\n");
    for (int i = 0; i < field_count(); i++) {
        const struct field *field = field_at(i);
        const struct shorthand *shorthand = shorthand_of(i);
        struct target target;
        /* Ahead of the first field that it sets. */
        if (shorthand != NULL && shorthand != before && target_find(shorthand->path, &target))
            add_row(&target.as, "", shorthand->meaning, text);
        before = shorthand;
        add_row(field, *field->initial != '\0' ? field->initial : "(empty)", field->meaning, text);
    }
}
