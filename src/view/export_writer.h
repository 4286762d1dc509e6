/* Rows of named fields as CSV or as JSON lines. */
#ifndef SWEEPSTAKE_VIEW_EXPORT_WRITER_H
#define SWEEPSTAKE_VIEW_EXPORT_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/text.h"
#include "view/view.h"

struct writer {
    enum view_format format;
    FILE *out;
    struct text text; /* not written yet */
    bool in_row;      /* the row has a field already */
};

/* A field: writer_begin_field, then one value. A row: fields, then writer_end_row. */
void writer_begin_field(struct writer *writer, const char *name);
void writer_missing(struct writer *writer);
void writer_text(struct writer *writer, const char *value);
void writer_integer(struct writer *writer, int64_t value);
void writer_real(struct writer *writer, double value, bool single);
int writer_end_row(struct writer *writer, struct error *err);

/* Writes what is left; needed even after the last row. */
int writer_flush(struct writer *writer, struct error *err);
void writer_finish(struct writer *writer);

#endif
