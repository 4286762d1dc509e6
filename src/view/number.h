/* Numbers as text, for programs (they come back as they were) and for people. */
#ifndef SWEEPSTAKE_VIEW_NUMBER_H
#define SWEEPSTAKE_VIEW_NUMBER_H

#include <stdint.h>

#include "base/text.h"
#include "store/store.h"

#define NUMBER_SIZE 40

/* The shortest decimal that reads back as the same number, of a float or of a double. */
const char *number_shortest(char to[NUMBER_SIZE], double value, bool single);

/* "48,000": rounded to a whole number. */
const char *number_thousands(char to[NUMBER_SIZE], double value);

/* Percent, rounded down to a tenth: never 100.0 before all is done. */
double number_percent(int64_t part, int64_t whole);

/* A value of a table as one would write it in a grid. */
void number_add_cell(struct text *text, const struct store_table *table, int64_t row, int column);

#endif
