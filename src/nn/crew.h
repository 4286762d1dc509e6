/* The threads that compute the results of one call together: as many as this process was given
 * (kernels_use_threads), the caller's own among them. Each computes a share, whose bits do not
 * depend on how many there are. */
#ifndef SWEEPSTAKE_NN_CREW_H
#define SWEEPSTAKE_NN_CREW_H

#include "base/error.h"
#include "kernels/share.h"

/* Below so many floats touched or multiply-adds a call is not worth dividing: some microseconds. */
#define CREW_FLOATS (1 << 16)
#define CREW_MULTIPLY_ADDS (1 << 20)

/* `threads`: at least 1. Usage error for more where the program was built without OpenMP. */
int crew_use(int threads, struct error *err);
int crew_threads(void);

/* Computes a share of `call`. */
typedef void crew_work(const void *call, struct share share);

/* All shares of `call`; where it is too small, as one. Returns when all are done. */
void crew_run(crew_work *work, const void *call, bool is_large);

#endif
