/* Waiting without spinning: naps from 1 microsecond, doubling to 1 ms while nothing happens. */
#ifndef SWEEPSTAKE_DIST_WAIT_H
#define SWEEPSTAKE_DIST_WAIT_H

struct nap {
    long nanoseconds; /* the next nap's length; 0 = the shortest */
};

void nap_reset(struct nap *nap); /* something happened: be quick again */
void nap_take(struct nap *nap);

/* Sleeps so long, less when a signal comes. */
void sleep_seconds(double seconds);

#endif
