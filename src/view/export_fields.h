/* Fields of an export: columns of the joined table, as readers want their values. */
#ifndef SWEEPSTAKE_VIEW_EXPORT_FIELDS_H
#define SWEEPSTAKE_VIEW_EXPORT_FIELDS_H

#include "export_writer.h"
#include "join.h"

/* Numbers in /results that are words for readers. */
enum field_meaning { FIELD_VALUE, FIELD_STATUS, FIELD_REASON };

struct export_field {
    struct join_column from;
    enum field_meaning meaning;
};

/* All columns of the joined table, in order; the caller frees the array. NULL on failure. */
struct export_field *export_fields(const struct join *join, int *count, struct error *err);

/* The value of a field at a point. */
void export_field_write(struct writer *writer, const struct join *join,
                        const struct export_field *field, int64_t point);

#endif
