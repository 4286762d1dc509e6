/* A share of a call's results, which one of several threads computes: as many consecutive rows (or
 * panels, or columns) of the result as the others, whole units of them. What a result is does not
 * depend on the share it falls into. */
#ifndef SWEEPSTAKE_NN_SHARE_H
#define SWEEPSTAKE_NN_SHARE_H

#include <stdbool.h>
#include <stdint.h>

struct share {
    int part, parts; /* the part-th of so many; parts 0: there is one, everything */
};

struct piece {
    int64_t begin, end;
};

/* Which of `count` rows the share has, taken `unit` at a time. */
static inline struct piece share_piece(struct share share, int64_t count, int64_t unit)
{
    if (share.parts <= 1)
        return (struct piece){0, count};
    const int64_t units = (count + unit - 1) / unit;
    const int64_t begin = units * share.part / share.parts * unit;
    const int64_t end = units * (share.part + 1) / share.parts * unit;
    return (struct piece){begin, end < count ? end : count};
}

/* Whether so many units give each thread one at least. */
static inline bool share_suffices(struct share share, int64_t units)
{
    return units >= share.parts;
}

#endif
