/* A file system that does not take what is written: full, over quota, failing, gone. Such an error
 * has a class of its own (ERROR_STORAGE), since it ends a run, not a task, and the run can go on
 * when the cause is removed. */
#ifndef SWEEPSTAKE_BASE_STORAGE_H
#define SWEEPSTAKE_BASE_STORAGE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* ERROR_STORAGE: "what: the reason; what to do". `reason` is an errno, 0 = the text says it all.
 * Returns -1. */
int storage_error(struct error *err, int reason, const char *what);

/* Asks a file why a transfer of these bytes failed, where the library in between does not tell: reads
 * them (and, to find why a write failed, writes the same bytes back and syncs). Returns an errno, 0
 * when nothing is wrong now. The caller alone may be writing there. */
int storage_probe_read(int fd, off_t offset, size_t bytes);
int storage_probe_write(int fd, off_t offset, size_t bytes);

#endif
