/* Waiting without spinning. The shortest naps cost a hand-out half a millisecond at most; the
 * longest cost an idle rank under 1% of a core. */
#include "wait.h"

#include <time.h>

#define SHORTEST_NAP 1000L
#define LONGEST_NAP 1000000L

void nap_reset(struct nap *nap)
{
    nap->nanoseconds = SHORTEST_NAP;
}

void nap_take(struct nap *nap)
{
    if (nap->nanoseconds < SHORTEST_NAP)
        nap->nanoseconds = SHORTEST_NAP;
    nanosleep(&(struct timespec){.tv_nsec = nap->nanoseconds}, NULL);
    nap->nanoseconds *= 2;
    if (nap->nanoseconds > LONGEST_NAP)
        nap->nanoseconds = LONGEST_NAP;
}

void sleep_seconds(double seconds)
{
    time_t whole = (time_t)seconds;
    nanosleep(
        &(struct timespec){.tv_sec = whole, .tv_nsec = (long)((seconds - (double)whole) * 1e9)},
        NULL);
}
