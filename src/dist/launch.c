/* One launch of mpirun. It runs in a process group of its own, so that a terminal's Ctrl-C reaches
 * the supervisor alone; it is ended when the supervisor dies; and this process adopts what it
 * leaves behind (a "subreaper"), so that no rank is ever out of reach. */
#include "launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "wait.h"

#define LEAVE_SECONDS 3.0 /* ranks look once a second whether mpirun still lives */
#define READY_NAME "ready"
#define END_NAME "end"

/* --- the environment of ranks --- */

static bool is_one_node(void)
{
    const char *nodes = getenv("SLURM_JOB_NUM_NODES");
    return (nodes == NULL || atoi(nodes) <= 1) && getenv("OMPI_MCA_orte_default_hostfile") == NULL;
}

static int no_environment(struct error *err)
{
    return error_set(err, ERROR_RESOURCE, "not enough memory for the environment");
}

/* The second is what Open MPI 5 calls it. */
static int set_hosts(const struct hosts *hosts, struct error *err)
{
    if (hosts->several && (setenv("OMPI_MCA_orte_default_hostfile", hosts->file, 0) != 0 ||
                           setenv("PRTE_MCA_prte_default_hostfile", hosts->file, 0) != 0))
        return no_environment(err);
    return 0;
}

int launch_set_environment(const struct store_identity *identity, const struct hosts *hosts,
                           const char *scratch, const char *generation, struct error *err)
{
    enum { DEFAULT, ALWAYS, ONE_NODE }; /* unless the user set it; in any case; on one node */
    const struct {
        const char *name, *value;
        int where;
    } variables[] = {
        {SUPERVISED_VARIABLE, scratch, ALWAYS},
        {GENERATION_VARIABLE, generation, ALWAYS},
        {"OPENBLAS_NUM_THREADS", "1", ALWAYS},
        {"OPENBLAS_CORETYPE", identity->blas_core, DEFAULT},
        {"SWEEPSTAKE_ISA", identity->isa, DEFAULT},
        {"HDF5_USE_FILE_LOCKING", "FALSE", ALWAYS},
        {"OMPI_ALLOW_RUN_AS_ROOT", "1", ALWAYS},
        {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", ALWAYS},
        {"OMPI_MCA_mpi_yield_when_idle", "1", DEFAULT},
        {"OMPI_MCA_pml", "ob1", DEFAULT},
        /* Shared memory alone, and files in the scratch folder, which is on this node. The second
         * of two equal settings is what Open MPI 5 calls it. */
        {"OMPI_MCA_btl", "self,vader", ONE_NODE},
        {"OMPI_MCA_btl_vader_backing_directory", scratch, ONE_NODE},
        {"OMPI_MCA_btl_sm_backing_directory", scratch, ONE_NODE},
        {"OMPI_MCA_orte_tmpdir_base", scratch, ONE_NODE},
        {"PRTE_MCA_prte_tmpdir_base", scratch, ONE_NODE},
    };
    if (set_hosts(hosts, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        if (variables[i].where == ONE_NODE && !is_one_node())
            continue;
        if (setenv(variables[i].name, variables[i].value, variables[i].where != DEFAULT) != 0)
            return no_environment(err);
    }
    return 0;
}

/* --- starting --- */

/* Variables that daemons on other nodes pass on; a single node inherits all. */
static const char *const passed_on[] = {
    "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "SWEEPSTAKE_ISA",      "HDF5_USE_FILE_LOCKING",
    SUPERVISED_VARIABLE,    GENERATION_VARIABLE, "SWEEPSTAKE_PROGRESS", "SWEEPSTAKE_DATA",
    "SWEEPSTAKE_SHARED",    "SWEEPSTAKE_FAKE"};

/* mpirun's command line; the words belong to others, the array is the caller's. */
static const char **command_line(const struct launch_setup *setup, char ranks[16],
                                 struct error *err)
{
    size_t count = 0, words = 0, variables = sizeof passed_on / sizeof *passed_on;
    while (setup->arguments[words] != NULL)
        words++;
    const char **line = mem_zeroed(words + 2 * variables + 9, sizeof *line, err);
    if (line == NULL)
        return NULL;
    snprintf(ranks, 16, "%d", setup->ranks);
    line[count++] = setup->mpirun;
    if (!setup->verbose)
        line[count++] = "--quiet";
    line[count++] = "--enable-recovery";
    line[count++] = "--oversubscribe"; /* the master shares a core */
    line[count++] = "--bind-to";
    line[count++] = "none";
    line[count++] = "-n";
    line[count++] = ranks;
    for (size_t i = 0; i < variables; i++) {
        if (getenv(passed_on[i]) != NULL) {
            line[count++] = "-x";
            line[count++] = passed_on[i];
        }
    }
    memcpy(line + count, setup->arguments, words * sizeof *line);
    return line;
}

static bool is_program(const char *folder, size_t length, const char *name)
{
    char path[PATH_MAX];
    int written = snprintf(path, sizeof path, "%.*s/%s", (int)length, folder, name);
    return written < (int)sizeof path && access(path, X_OK) == 0;
}

int launch_check(const char *mpirun, struct error *err)
{
    const char *path = getenv("PATH");
    bool found = strchr(mpirun, '/') != NULL && access(mpirun, X_OK) == 0;
    while (!found && path != NULL && *path != '\0') {
        size_t length = strcspn(path, ":");
        found = is_program(path, length, mpirun);
        path += length + (path[length] == ':');
    }
    if (found)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s was not found: several workers need Open MPI (on Debian: apt-get install "
                     "openmpi-bin), or use --workers 1",
                     mpirun);
}

/* In the child. Sends errno through `trouble`, which closes by itself when mpirun starts. */
static void become_mpirun(const char *const *line, pid_t supervisor, int trouble)
{
    int nothing = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    /* Reading the terminal from a background group would stop it. */
    if (nothing >= 0 && getppid() == supervisor) {
        dup2(nothing, STDIN_FILENO);
        execvp(line[0], (char *const *)line);
    }
    int reason = errno;
    if (write(trouble, &reason, sizeof reason) < 0)
        _exit(126);
    _exit(127);
}

static int launch_failed(const char *mpirun, int reason, struct error *err)
{
    return error_set(err, ERROR_RESOURCE, "%s cannot be started: %s", mpirun, strerror(reason));
}

static int start_process(const char *const *line, struct launch *launch, struct error *err)
{
    int trouble[2], reason = 0;
    pid_t self = getpid();
    if (pipe2(trouble, O_CLOEXEC) != 0)
        return launch_failed(line[0], errno, err);
    launch->pid = fork();
    if (launch->pid == 0)
        become_mpirun(line, self, trouble[1]);
    int fork_reason = errno;
    close(trouble[1]);
    ssize_t got = launch->pid < 0 ? 0 : read(trouble[0], &reason, sizeof reason);
    close(trouble[0]);
    if (launch->pid < 0)
        return launch_failed(line[0], fork_reason, err);
    if (got <= 0)
        return 0;
    waitpid(launch->pid, NULL, 0);
    return launch_failed(line[0], reason, err);
}

static void name_ready(const char *scratch, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/" READY_NAME, scratch);
}

static void name_end(const char *scratch, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/" END_NAME, scratch);
}

int launch_start(const struct launch_setup *setup, struct launch *launch, struct error *err)
{
    char ranks[16], path[PATH_MAX];
    name_ready(setup->scratch, path);
    unlink(path); /* an earlier launch's */
    name_end(setup->scratch, path);
    status_remove(path);
    *launch = (struct launch){.local_ranks = is_one_node() ? setup->ranks : 0};
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const char **line = command_line(setup, ranks, err);
    if (line == NULL)
        return -1;
    int failed = start_process(line, launch, err);
    free(line);
    return failed;
}

/* --- signals and ends --- */

void launch_reap(struct launch *launch)
{
    int wait_status;
    pid_t pid;
    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
        if (pid == launch->pid) {
            launch->ended = true;
            launch->wait_status = wait_status;
        }
    }
}

void launch_signal(const struct launch *launch, int number)
{
    if (!launch->ended)
        kill(launch->pid, number);
}

struct child {
    pid_t pid;
    char state; /* as /proc/PID/stat has it */
};

/* Whether the process is a child of `parent`. */
static bool read_child(const char *pid, pid_t parent, struct child *child)
{
    char path[64], line[512];
    int its_parent = 0;
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fgets(line, sizeof line, file) != NULL) {
        /* The name, in parentheses, may hold anything; the state and the parent follow it. */
        const char *end = strrchr(line, ')');
        if (end == NULL || sscanf(end + 1, " %c %d", &child->state, &its_parent) != 2)
            its_parent = 0;
    }
    fclose(file);
    child->pid = (pid_t)atoi(pid);
    return its_parent == parent;
}

static void for_each_child(pid_t parent, void (*act)(void *user, const struct child *child),
                           void *user)
{
    struct child child;
    struct dirent *entry;
    DIR *processes = opendir("/proc");
    if (processes == NULL)
        return;
    while ((entry = readdir(processes)) != NULL) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            read_child(entry->d_name, parent, &child))
            act(user, &child);
    }
    closedir(processes);
}

static void signal_child(void *number, const struct child *child)
{
    kill(child->pid, *(int *)number);
}

void launch_signal_all(const struct launch *launch, int number)
{
    if (!launch->ended)
        kill(-launch->pid, number);
    for_each_child(getpid(), signal_child, &number); /* adopted ones included */
}

static bool has_children(void)
{
    return waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD;
}

void launch_clear(struct launch *launch)
{
    double end = clock_seconds() + LEAVE_SECONDS;
    while (has_children()) {
        if (clock_seconds() > end)
            launch_signal_all(launch, SIGKILL);
        sleep_seconds(0.01);
    }
}

/* --- signs of life --- */

struct census {
    char program[PATH_MAX];
    int ranks, stopped;
};

/* mpirun has other children, too, where there are other nodes. */
static void count_rank(void *user, const struct child *child)
{
    struct census *census = user;
    char path[64], program[PATH_MAX] = "";
    snprintf(path, sizeof path, "/proc/%ld/exe", (long)child->pid);
    if (readlink(path, program, sizeof program - 1) < 0 || strcmp(program, census->program) != 0)
        return;
    census->ranks++;
    census->stopped += child->state == 'T';
}

int launch_count_ranks(const struct launch *launch, int *stopped)
{
    struct census census = {0};
    if (readlink("/proc/self/exe", census.program, sizeof census.program - 1) > 0)
        for_each_child(launch->pid, count_rank, &census);
    *stopped = census.stopped;
    return census.ranks;
}

int launch_report_ready(const char *scratch, struct error *err)
{
    char path[PATH_MAX];
    name_ready(scratch, path);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return error_set(err, ERROR_RESOURCE, "%s: %s", path, strerror(errno));
    close(file);
    return 0;
}

void launch_beat(const char *scratch)
{
    char path[PATH_MAX];
    name_ready(scratch, path);
    /* A beat that fails is made good by the next. */
    (void)utimensat(AT_FDCWD, path, NULL, 0);
}

int launch_report_end(const char *scratch, const struct status *status, struct error *err)
{
    char path[PATH_MAX];
    name_end(scratch, path);
    return status_write(path, status, err);
}

bool launch_read_end(const char *scratch, struct status *status)
{
    char path[PATH_MAX];
    name_end(scratch, path);
    return status_read(path, status);
}

int64_t launch_last_beat(const char *scratch)
{
    char path[PATH_MAX];
    struct stat status;
    name_ready(scratch, path);
    if (stat(path, &status) != 0)
        return -1;
    return (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
}
