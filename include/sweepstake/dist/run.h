/* Running a grid: in this process (one worker), as a supervisor that launches mpirun (several), or
 * as a rank of a launch. The only room that knows MPI. Exit statuses: 0 complete, 1 some tasks
 * failed, 2 usage, 75 stopped and resumable. */
#ifndef SWEEPSTAKE_DIST_RUN_H
#define SWEEPSTAKE_DIST_RUN_H

#include <stdbool.h>

#include "base/error.h"
#include "base/progress.h"
#include "plan/plan.h"
#include "work/work.h"

#define RUN_COMPLETE 0
#define RUN_SOME_FAILED 1
#define RUN_USAGE 2
#define RUN_RESUMABLE 75

struct run_job {
    const char *grid_file, *store_file, *data_folder; /* data_folder may be NULL */
    struct plan_part part;
    int workers;
    int threads; /* of each worker, which share its tasks' steps; at least 1 */
    const char *kernels; /* how a new store's layers compute: "auto", "dense", "sparse"; NULL = auto,
                            or as the store that is there says */
    double silence; /* seconds; 0 = never */
    int max_attempts;
    double save_every;     /* seconds between two saves of a running task's state; 0 = never */
    double task_seconds;   /* a task that takes longer fails; 0 = never */
    double task_gigabytes; /* 1e9 bytes; a task that wants more fails; 0 = no limit */
    double seconds;        /* the whole run stops and saves before so many have passed; 0 = never */
    const char *mpirun; /* program to launch, NULL = "mpirun" */
    bool verbose;
    /* Shows progress; called by the master (in the rank that is it) about once a second and at the
     * end. */
    void (*show)(void *user, const struct progress *progress);
    void *show_user;
    /* Under plain mpirun, which has no supervisor: called once, in rank 0, when the run is over and
     * its results can be read. NULL = nobody is told. */
    void (*end)(void *user, int status, const struct error *err);
    void *end_user;
    const char *fake; /* testing only (SWEEPSTAKE_FAKE): durations and failures of the fake
                         executor; NULL = real */
};

/* Whether this process was started as one of several ranks by mpirun or srun. */
bool run_is_rank(void);

/* Workers of `threads` threads there is room for: in a PBS or LSF job's slots, else on the cores this
 * process may use. Usage error when the file of hosts that the environment names is none. */
int run_room(int threads, int *workers, struct error *err);

/* One worker in this process, without MPI. Returns an exit status; err says why when it is not 0.
 */
int run_single(const struct run_job *job, struct error *err);

/* Supervises mpirun with a master and job->workers workers: plans and creates the store first (so
 * that bad input ends here), forwards SIGTERM/SIGINT/SIGUSR1, reads NAME.h5.status, relaunches
 * while there is progress, cleans up. `arguments`: the command line of a rank, NULL-terminated,
 * arguments[0] the program. Returns the exit status of the grid. */
int run_supervise(const struct run_job *job, char *const *arguments, struct error *err);

/* This process as a rank: rank 0 is master, the others work. Returns this rank's exit status. */
int run_rank(const struct run_job *job, struct error *err);

#endif
