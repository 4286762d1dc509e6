/* One launch of mpirun: starting it, signalling it, and seeing to it that nothing of it stays. */
#ifndef SWEEPSTAKE_DIST_LAUNCH_H
#define SWEEPSTAKE_DIST_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "hosts.h"
#include "status.h"
#include "store/store.h"

/* Tells ranks that they have a supervisor; its value is the scratch folder. */
#define SUPERVISED_VARIABLE "SWEEPSTAKE_SUPERVISED"
/* The generation of the run they belong to, see store_lock_join. */
#define GENERATION_VARIABLE "SWEEPSTAKE_GENERATION"

struct launch_setup {
    const char *mpirun;
    int ranks;
    const char *scratch;
    bool verbose;           /* mpirun tells what it does */
    char *const *arguments; /* a rank's command line, NULL-terminated */
};

struct launch {
    pid_t pid;
    int local_ranks; /* 0 = some are on other nodes, and who is where is not known */
    bool ended;
    int wait_status; /* as of waitpid, once it ended */
};

/* Sets the environment that mpirun and ranks inherit: the hosts, one BLAS thread each, and kernels
 * that round as the store's did unless the user chose others. */
int launch_set_environment(const struct store_identity *identity, const struct hosts *hosts,
                           const char *scratch, const char *generation, struct error *err);

/* Usage error, with what to install, when there is no such program. */
int launch_check(const char *mpirun, struct error *err);

/* Starts mpirun in a process group of its own. */
int launch_start(const struct launch_setup *setup, struct launch *launch, struct error *err);

/* Takes note of children that ended: mpirun, or ranks it left behind. */
void launch_reap(struct launch *launch);

/* A signal to mpirun alone, or to everything of the launch. */
void launch_signal(const struct launch *launch, int number);
void launch_signal_all(const struct launch *launch, int number);

/* Waits for ranks that mpirun left behind (they leave on their own) and ends those that stay. */
void launch_clear(struct launch *launch);

/* Ranks on this node that live, and how many of them are stopped. */
int launch_count_ranks(const struct launch *launch, int *stopped);

/* Rank 0 tells that ranks are ready for signals, and from then on that it lives. */
int launch_report_ready(const char *scratch, struct error *err);
void launch_beat(const char *scratch);

/* How the launch ended, where the folder of the store takes no files any more. */
int launch_report_end(const char *scratch, const struct status *status, struct error *err);
bool launch_read_end(const char *scratch, struct status *status);

/* The supervisor's look at that: a number that changes with each beat, -1 before ranks are ready.
 */
int64_t launch_last_beat(const char *scratch);

#endif
