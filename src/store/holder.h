/* What a lock's file says: who holds the store, for people, and the run's generation, a random
 * number by which processes of an earlier run find out that they are that. */
#ifndef SWEEPSTAKE_STORE_HOLDER_H
#define SWEEPSTAKE_STORE_HOLDER_H

#include "store/store.h"

struct holder {
    char host[64], pid[16], job[32], restart[16], since[32], generation[STORE_GENERATION_SIZE];
};

/* An empty text where there is none. */
struct holder holder_read(int fd);
/* Replaces it by this process, as a new generation. */
int holder_write(int fd, char generation[STORE_GENERATION_SIZE], struct error *err);

bool holder_is_here(const struct holder *holder);
/* Whether it is of this SLURM job before SLURM started that anew: its node was given up, and it may
 * live on there, unknown to SLURM. */
bool holder_is_given_up(const struct holder *holder);

/* "process 12 on far-away, SLURM job 3, since 2024-01-01T00:00:00Z" */
void holder_describe(const struct holder *holder, char *to, size_t size);

#endif
