/* Disk space for a file whose size is known. */
#ifndef SWEEPSTAKE_STORE_SPACE_H
#define SWEEPSTAKE_STORE_SPACE_H

#include <stdint.h>

#include "base/error.h"

/* Whether the file system of `path`'s folder has this many bytes free. */
int space_check(const char *path, int64_t bytes, struct error *err);

/* Reserves blocks exactly up to `bytes`. A file system that cannot is left with a sparse file and
 * a warning; one that is full is an error. */
int space_reserve(int fd, const char *path, int64_t bytes, struct error *err);

#endif
