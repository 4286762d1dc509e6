/* The threads that compute the results of one call together: as many as this process was given
 * (kernels_use_threads), the caller's own among them. Each computes a share, whose bits do not
 * depend on how many there are. */
#ifndef SWEEPSTAKE_NN_CREW_H
#define SWEEPSTAKE_NN_CREW_H

#include "kernels/share.h"

/* Below so many floats touched or multiply-adds a call takes 5 to 20 microseconds and is not
 * divided: to hand it over takes 0.5 while the others look for it, and 20 where they sleep. */
#define CREW_FLOATS (1 << 16)
#define CREW_MULTIPLY_ADDS (1 << 20)

/* At least 1. */
void crew_use(int threads);
int crew_threads(void);

/* Computes a share of `call`. */
typedef void crew_work(const void *call, struct share share);

/* All shares of `call`, which are done when it returns; as one where the call is too small. For one
 * thread of the process; `work` does not call it. */
void crew_run(crew_work *work, const void *call, bool is_large);

#endif
