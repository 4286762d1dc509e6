/* One row of the summary: a level of a group, trained in one way, over its seeds and draws. */
#ifndef SWEEPSTAKE_VIEW_SUMMARY_ROW_H
#define SWEEPSTAKE_VIEW_SUMMARY_ROW_H

#include <stdint.h>
#include <stdio.h>

#include "join.h"

/* Mean and range of what there is: NaN is left out. */
struct spread {
    int64_t count;
    double sum, least, most;
};

struct summary_row {
    int64_t tasks, done, diverged;
    struct spread percent;    /* P_m */
    struct spread early, end; /* test accuracy, percent */
    struct spread iteration;  /* of early stop */
};

/* Columns of /results that the summary shows. */
struct summary_columns {
    int percent, early, end, iteration;
};
struct summary_columns summary_columns_find(const struct store_table *results);

void summary_row_add(struct summary_row *row, const struct join *join,
                     const struct summary_columns *columns, int64_t task);

void summary_print_heading(FILE *out);
/* `level` is -1 where the row above has said it. */
void summary_row_print(const struct summary_row *row, int64_t level, const char *trained_as,
                       FILE *out);

#endif
