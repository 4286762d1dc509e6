/* Files: whole reads with a bound, atomic replacement, and monotonic time. */
#ifndef SWEEPSTAKE_BASE_FILE_H
#define SWEEPSTAKE_BASE_FILE_H

#include <stddef.h>

#include "base/error.h"

/* Reads a whole file of at most `limit` bytes; *bytes is terminated and owned by the caller.
 * A missing file, a directory or a larger file is a usage error naming the path. */
int file_read(const char *path, size_t limit, char **bytes, size_t *length, struct error *err);

/* Replaces `path` through PATH.tmp, of which a kill may leave a part: write, fsync, rename, fsync
 * of the folder. A reader sees the old content or the new; one writer at a time. */
#define FILE_TEMPORARY ".tmp"
int file_replace(const char *path, const void *bytes, size_t length, struct error *err);

/* fsync of the folder that holds `path`. */
int file_sync_folder(const char *path, struct error *err);

/* Seconds on the monotonic clock. */
double clock_seconds(void);

#endif
