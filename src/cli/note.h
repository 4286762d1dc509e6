/* The note beside a store (STORE.job): which job goes on with it. The batch script writes it too,
 * and removes it when the store is complete. */
#ifndef SWEEPSTAKE_CLI_NOTE_H
#define SWEEPSTAKE_CLI_NOTE_H

#include "base/error.h"

/* The job that was submitted last; 0 = none is known. */
long long note_read(const char *store);
/* Of a job that has made no progress yet; `number` 0 = of one that is about to be submitted. */
int note_write(const char *store, long long number, struct error *err);
void note_remove(const char *store);

#endif
