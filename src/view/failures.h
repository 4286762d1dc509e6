/* What went wrong, grouped: by status, reason and message, each with what its tasks share. */
#ifndef SWEEPSTAKE_VIEW_FAILURES_H
#define SWEEPSTAKE_VIEW_FAILURES_H

#include <stdio.h>

#include "join.h"

/* Prints nothing when nothing failed or diverged. */
int failures_print(const struct join *join, FILE *out, struct error *err);

#endif
