/* Numbers as text. Fifteen digits always survive a double and six a float; most values that people
 * chose need no more, values that were computed need up to two (three) more. */
#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reads_back(const char *text, double value, bool single)
{
    return single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
}

const char *number_shortest(char to[NUMBER_SIZE], double value, bool single)
{
    int most = single ? 9 : 17;
    for (int digits = single ? 6 : 15; digits <= most; digits++) {
        snprintf(to, NUMBER_SIZE, "%.*g", digits, value);
        if (reads_back(to, value, single))
            break;
    }
    return to;
}

const char *number_thousands(char to[NUMBER_SIZE], double value)
{
    char digits[NUMBER_SIZE];
    if (!(fabs(value) < 1e15)) {
        snprintf(to, NUMBER_SIZE, "%.3g", value);
        return to;
    }
    int length = snprintf(digits, sizeof digits, "%.0f", value), written = 0;
    for (int i = 0; i < length; i++) {
        to[written++] = digits[i];
        if (digits[i] != '-' && i + 1 < length && (length - i - 1) % 3 == 0)
            to[written++] = ',';
    }
    to[written] = '\0';
    return to;
}

double number_percent(int64_t part, int64_t whole)
{
    if (whole <= 0)
        return 100;
    return floor(1000 * (double)part / (double)whole) / 10;
}

/* Fields whose -1 is a word in a grid. */
static const char *word_of_minus_one(const char *field)
{
    if (strcmp(field, "prune.at") == 0)
        return "end";
    bool examples = strcmp(field, "dataset.train") == 0 || strcmp(field, "dataset.test") == 0;
    return examples ? "all" : "-1";
}

static void add_integer(struct text *text, const struct store_column *column, int64_t value)
{
    if (value == -1)
        text_add(text, "%s", word_of_minus_one(column->name));
    else
        text_add(text, "%lld", (long long)value);
}

void number_add_cell(struct text *text, const struct store_table *table, int64_t row, int column)
{
    const struct store_column *what = &table->columns[column];
    char number[NUMBER_SIZE], word[1024];
    switch (what->type) {
    case STORE_TEXT:
        text_add(text, "%s", store_table_text(table, row, column, word, sizeof word));
        break;
    case STORE_FLOAT32:
    case STORE_FLOAT64:
        text_add(text, "%s",
                 number_shortest(number, store_table_real(table, row, column),
                                 what->type == STORE_FLOAT32));
        break;
    default:
        add_integer(text, what, store_table_integer(table, row, column));
    }
}
