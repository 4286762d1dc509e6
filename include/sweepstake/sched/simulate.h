/* The scheduler in virtual time: the real state machine, driven by imagined workers that take the
 * seconds a task is given, fail and die by chance. Answers how long a grid takes on so many workers,
 * how busy they are, and what the master has to do. Pure: no clock, no file; the same input and seed
 * give the same report. */
#ifndef SWEEPSTAKE_SCHED_SIMULATE_H
#define SWEEPSTAKE_SCHED_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sched/sched.h"

/* How a task goes when nothing befalls it. */
struct sched_fate {
    double seconds; /* finite, >= 0 */
    bool diverges;
};

struct sched_workload {
    const struct sched_task *tasks; /* [count], as sched_create takes them */
    const struct sched_fate *fates; /* [count] */
    int32_t count;
};

struct sched_conditions {
    int32_t workers; /* >= 1 */
    int32_t max_attempts;
    double failures; /* chance that a hand-out fails by itself, at some moment of its task: in [0, 1] */
    double losses;   /* deaths an hour of each worker; none comes back */
    double silence;  /* seconds from a death until the master takes the task from the dead */
    uint64_t seed;
};

struct sched_forecast {
    double makespan;       /* seconds from the first hand-out to the last result, or until all are dead */
    double useful_seconds; /* of all workers, in tasks that ended with a result */
    double lost_seconds;   /* in hand-outs that came to nothing */
    double utilisation;    /* useful_seconds / (workers x makespan); 1 where there was nothing to do */
    int64_t hand_outs, retries, deaths; /* retries: hand-outs of a task after its first; deaths: noticed ones */
    int64_t messages;                   /* the master's: workers that ask or report, and orders to them */
    int64_t signs_of_life;              /* beside those; it sends as many */
    int64_t busiest_second;             /* results that came within one second, at most */
    struct sched_counts counts;         /* at the end; `left` > 0 only if every worker died */
};

int sched_simulate(const struct sched_workload *work, const struct sched_conditions *conditions,
                   struct sched_forecast *forecast, struct error *err);

/* Of the tasks without a result: all their seconds, and those of the longest chain, which no number
 * of workers shortens. `tasks`: how many tasks that chain has. */
struct sched_extent {
    double seconds, longest;
    int32_t tasks;
};
int sched_measure_extent(const struct sched_workload *work, struct sched_extent *extent, struct error *err);

/* The largest number of workers, but no more than there are tasks to run, whose utilisation is at
 * least `utilisation` when nothing befalls them, or 1: with more of them the grid ends sooner, at a worse price. 0 < utilisation <= 1. */
int sched_workers_worth(const struct sched_workload *work, double utilisation, int32_t *workers,
                        struct error *err);

#endif
