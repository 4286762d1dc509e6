/* Makes a table of the store: columns and values are written down once, in one function that is
 * called for a pass that defines the columns and then for each row. */
#ifndef SWEEPSTAKE_WORK_FILLER_H
#define SWEEPSTAKE_WORK_FILLER_H

#include <stdbool.h>

#include "store/store.h"

#define FILLER_DEFINES (-1)

struct filler {
    struct store_table *table;
    int64_t row; /* FILLER_DEFINES in the pass that defines columns */
    int32_t column;
    struct error *err;
    bool failed; /* sticky, like the error */
};

/* A table without its rows: their size and number are known. `row` as for filler_make. */
int filler_define(struct store_table *table, int64_t row_count,
                  void (*row)(struct filler *filler, const void *user), const void *user,
                  struct error *err);

/* `row`: describes the row filler->row to the functions below; called with FILLER_DEFINES first,
 * when it may look at row 0 for no more than the width of its texts. Needs at least one row. */
int filler_make(struct store_table *table, int64_t row_count,
                void (*row)(struct filler *filler, const void *user), const void *user,
                struct error *err);

void fill_integer(struct filler *filler, const char *name, enum store_type type, int64_t value);
void fill_real(struct filler *filler, const char *name, double value);
void fill_text(struct filler *filler, const char *name, size_t width, const char *value);

#endif
