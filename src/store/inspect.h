/* What a file is, found out without HDF5, so that a wrong file gets a sentence that says so. */
#ifndef SWEEPSTAKE_STORE_INSPECT_H
#define SWEEPSTAKE_STORE_INSPECT_H

#include "base/error.h"
#include "store/store.h"

/* Opens the file; the descriptor is the caller's. A usage error when it is missing, a folder, not
 * readable, not writable though `mode` asks for it, not HDF5, or cut short; the text does not name
 * the path. */
int inspect_open(const char *path, enum store_mode mode, int *fd, struct error *err);

#endif
