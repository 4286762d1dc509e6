/* What every step of reading a grid file carries along, and how it reports errors:
 * "file:line:column: key: what is wrong; what would be right". */
#ifndef SWEEPSTAKE_GRID_READER_H
#define SWEEPSTAKE_GRID_READER_H

#include <stdbool.h>

#include "arena.h"
#include "base/error.h"
#include "grid/experiment.h"

struct reader {
    const char *file;    /* for messages */
    struct arena *arena; /* the parse's memory */
    struct error *err;
    bool builtin; /* reading a recipe: its values bear no mark */
};

/* Longest dotted path that is put together from the keys of a file, cut beyond. */
#define READER_PATH_SIZE 320

/* A usage error at `mark` about `path` (NULL: about the place itself). Returns -1. */
int reader_fail(const struct reader *reader, struct mark mark, const char *path, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* The error for a key that is none of `known`: offers the nearest, or all where they are few. */
int reader_unknown(const struct reader *reader, struct mark mark, const char *path, const char *key,
                   const char *const *known, size_t count);

/* Arena memory of the parse; NULL after filling the reader's error. */
void *reader_zeroed(const struct reader *reader, size_t count, size_t size);

#endif
