/* `run --simulate`: the schedule of a grid in virtual time. Nothing is trained or written. */
#ifndef SWEEPSTAKE_CLI_SIMULATE_H
#define SWEEPSTAKE_CLI_SIMULATE_H

#include "base/error.h"
#include "plan/plan.h"
#include "sched/simulate.h"

#define SIMULATE_HELP                                                                              \
    "--simulate plays the schedule in virtual time and reports makespan, utilisation and the\n"    \
    "master's load; nothing is trained or written. Words, separated by commas:\n"                  \
    "  ranks=N       ranks that train, the master not counted (default: --workers)\n"              \
    "  failures=P    chance that a hand-out fails by itself, 0 to 1 (default 0)\n"                 \
    "  losses=R      deaths an hour of each rank (default 0); noticed after --silence\n"           \
    "  seed=S        of failures and losses (default 1)\n"                                         \
    "  gflops=G      10^9 operations a second of a rank (default: timed here)\n"                   \
    "The whole grid is played: tasks that --store has finished as long as they took, the others\n" \
    "as estimated. The same words and gflops=G give the same schedule.\n"

struct simulate_words {
    struct sched_conditions conditions;
    double gflops; /* 0 = to be timed */
};

/* Reads the words into `words`, which holds the defaults. Usage error for what is none. */
int simulate_read_words(const char *text, struct simulate_words *words, struct error *err);

struct simulate_job {
    const char *grid_file;
    const char *store_file; /* NULL = the grid's name with .h5; need not be there */
    const char *data_folder;
    struct plan_part part;
    struct simulate_words words;
};

/* Prints the report on stdout. */
int simulate_run(const struct simulate_job *job, struct error *err);

#endif
