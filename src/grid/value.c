/* Owns how a scalar of each type is written and checked. Numbers have no base prefixes, no
 * underscores and no infinities; a negative zero becomes zero, so that equal numbers have equal
 * bytes. */
#include "value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "later.h"

static const char *skip_digits(const char *text)
{
    return text + strspn(text, "0123456789");
}

static const char *skip_sign(const char *text)
{
    return text + (*text == '+' || *text == '-');
}

/* The end of an integer at the start of `text`, or NULL when there is none. */
static const char *integer_end(const char *text)
{
    const char *digits = skip_sign(text), *end = skip_digits(digits);
    return end > digits ? end : NULL;
}

static bool is_real(const char *text)
{
    const char *digits = skip_sign(text), *at = skip_digits(digits);
    long count = at - digits;
    if (*at == '.') {
        const char *decimals = at + 1;
        at = skip_digits(decimals);
        count += at - decimals;
    }
    if (count > 0 && (*at == 'e' || *at == 'E'))
        at = integer_end(at + 1);
    return count > 0 && at != NULL && *at == '\0';
}

static enum value_problem check_range(const struct field *field, double number)
{
    bool low = field->above_least ? number <= field->least : number < field->least;
    bool high = field->below_most ? number >= field->most : number > field->most;
    return low || high || !isfinite(number) ? VALUE_RANGE : VALUE_OK;
}

/* An integer followed by `unit`. */
static enum value_problem read_integer(const struct field *field, const char *text,
                                       const char *unit, int64_t *to)
{
    const char *end = integer_end(text);
    if (end == NULL || strcmp(end, unit) != 0)
        return VALUE_TYPE;
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno == ERANGE)
        return VALUE_RANGE;
    *to = number;
    return check_range(field, (double)number);
}

static enum value_problem read_real(const struct field *field, const char *text, double *to)
{
    if (!is_real(text))
        return VALUE_TYPE;
    *to = strtod(text, NULL) + 0.0;
    return check_range(field, *to);
}

static enum value_problem read_boolean(const char *text, bool *to)
{
    *to = strcmp(text, "true") == 0;
    return *to || strcmp(text, "false") == 0 ? VALUE_OK : VALUE_TYPE;
}

static enum value_problem read_steps(const struct field *field, const char *text, struct steps *to)
{
    size_t length = strlen(text);
    to->in_epochs = length > 2 && strcmp(text + length - 2, "ep") == 0;
    return read_integer(field, text, to->in_epochs ? "ep" : "", &to->count);
}

static int find_choice(const struct field *field, const char *text)
{
    for (int i = 0; field->choices[i] != NULL; i++)
        if (strcmp(field->choices[i], text) == 0)
            return i;
    return -1;
}

static enum value_problem read_choice(const struct field *field, const char *text, int *to)
{
    *to = find_choice(field, text);
    if (*to >= 0)
        return VALUE_OK;
    return name_is_later(field->path, text) ? VALUE_LATER : VALUE_CHOICE;
}

static enum value_problem read_text(const struct field *field, const char *text, char *to)
{
    if (*text == '\0' && *field->initial != '\0')
        return VALUE_TYPE;
    if (!text_copy(to, field->size, text))
        return VALUE_LONG;
    if (name_is_later(field->path, text))
        return VALUE_LATER;
    return field->choices == NULL || find_choice(field, text) >= 0 ? VALUE_OK : VALUE_CHOICE;
}

/* An integer, or a word that stands for a number. */
static enum value_problem read_or_word(const struct field *field, const char *text,
                                       const char *word, int64_t meaning, int64_t *to)
{
    if (strcmp(text, word) != 0)
        return read_integer(field, text, "", to);
    *to = meaning;
    return VALUE_OK;
}

static enum value_problem read_output_rate(const struct field *field, const char *text, double *to)
{
    if (strcmp(text, "half") != 0)
        return read_real(field, text, to);
    *to = VALUE_HALF;
    return VALUE_OK;
}

size_t value_size(const struct field *field)
{
    if (field->type == FIELD_STEPS_LIST)
        return sizeof(struct steps);
    return field->type == FIELD_REAL_LIST ? sizeof(double) : field->size;
}

/* Is it a type whose values in quotes are a mistake? */
static bool is_plain(enum field_type type)
{
    return type != FIELD_TEXT && type != FIELD_CHOICE;
}

enum value_problem value_from_text(const struct field *field, const char *text, bool quoted,
                                   void *to)
{
    memset(to, 0, value_size(field));
    if (quoted && is_plain(field->type))
        return VALUE_TYPE;
    switch (field->type) {
    case FIELD_TEXT:
        return read_text(field, text, to);
    case FIELD_INTEGER:
        return read_integer(field, text, "", to);
    case FIELD_REAL:
    case FIELD_REAL_LIST:
        return read_real(field, text, to);
    case FIELD_BOOLEAN:
        return read_boolean(text, to);
    case FIELD_CHOICE:
        return read_choice(field, text, to);
    case FIELD_STEPS:
    case FIELD_STEPS_LIST:
        return read_steps(field, text, to);
    case FIELD_PRUNE_AT:
        if (strcmp(text, "end") == 0)
            return read_or_word(field, text, "end", PRUNE_AT_END, to);
        return read_or_word(field, text, "init", 0, to);
    case FIELD_EXAMPLES:
        return read_or_word(field, text, "all", -1, to);
    case FIELD_OUTPUT_RATE:
        return read_output_rate(field, text, to);
    }
    return VALUE_TYPE;
}

/* --- messages --- */

static const char *const type_names[] = {
    [FIELD_INTEGER] = "an integer",
    [FIELD_REAL] = "a number",
    [FIELD_STEPS] = "an integer",
    [FIELD_STEPS_LIST] = "a rising list of integers",
    [FIELD_REAL_LIST] = "a rising list of numbers",
    [FIELD_PRUNE_AT] = "end, init or an integer",
    [FIELD_EXAMPLES] = "all or an integer",
    [FIELD_OUTPUT_RATE] = "half or a number",
};

static void expect_number(const struct field *field, struct text *text)
{
    text_add(text, "%s", type_names[field->type]);
    if (field->most >= VALUE_MOST_REAL)
        text_add(text, " %s %.16g", field->above_least ? "above" : "of at least", field->least);
    else
        text_add(text, " %s %.16g %s %.16g", field->above_least ? "above" : "from", field->least,
                 field->below_most ? "to below" : "to", field->most);
    if (field->type == FIELD_STEPS || field->type == FIELD_STEPS_LIST)
        text_add(text, " (iterations; 160ep: epochs)");
}

static void expect_choice(const struct field *field, struct text *text)
{
    text_add(text, "%s", field->choices[0]);
    for (int i = 1; field->choices[i] != NULL; i++)
        text_add(text, "%s%s", field->choices[i + 1] != NULL ? ", " : " or ", field->choices[i]);
}

void value_expected(const struct field *field, struct text *text)
{
    if (field->choices != NULL)
        expect_choice(field, text);
    else if (field->type == FIELD_TEXT)
        text_add(text, "a text of at most %zu bytes", field->size - 1);
    else if (field->type == FIELD_BOOLEAN)
        text_add(text, "true or false");
    else
        expect_number(field, text);
}

static size_t choice_count(const struct field *field)
{
    size_t count = 0;
    while (field->choices[count] != NULL)
        count++;
    return count;
}

static void describe_problem(const struct field *field, const struct scalar *scalar,
                             enum value_problem problem, struct text *text)
{
    static const char *const problems[] = {
        [VALUE_TYPE] = "is of the wrong type", [VALUE_RANGE] = "is out of range",
        [VALUE_CHOICE] = "is not known",       [VALUE_LATER] = "is not there yet",
        [VALUE_LONG] = "is too long",
    };
    const char *quote = scalar->quoted || *scalar->text == '\0' ? "\"" : "";
    if (problem == VALUE_TYPE && scalar_is_range(scalar) && field_is_scalar(field)) {
        text_add(text, "%s is a range; ranges belong under axes, here give ", scalar->text);
    } else {
        text_add(text, "%s%s%s %s; ", quote, scalar->text, quote, problems[problem]);
        const char *nearest = NULL;
        if (problem == VALUE_CHOICE)
            nearest = text_nearest(scalar->text, field->choices, choice_count(field));
        if (nearest != NULL)
            text_add(text, "did you mean %s? There is: ", nearest);
        else
            text_add(text, problem == VALUE_LATER ? "give what there is: " : "give ");
    }
    value_expected(field, text);
}

int value_read(const struct reader *reader, const struct field *field, const struct scalar *scalar,
               void *to)
{
    enum value_problem problem = value_from_text(field, scalar->text, scalar->quoted, to);
    if (problem == VALUE_OK)
        return 0;
    struct text text = {0};
    describe_problem(field, scalar, problem, &text);
    reader_fail(reader, scalar->mark, field->path, "%s",
                text.bytes != NULL ? text.bytes : "is not right");
    text_finish(&text);
    return -1;
}
