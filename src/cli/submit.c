/* sweepstake submit: from a job file to a SLURM job. Plans the grid, chooses what the job file
 * leaves out, checks that the results have a place, renders the batch script and hands it to
 * sbatch. A note beside the store (NAME.h5.job) says which job goes on with it. */
#include <errno.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "batch.h"
#include "command.h"
#include "figures.h"
#include "program.h"

#define PATH_SIZE 4096
#define NOTE_BYTES 4096
#define MARGIN 1.5             /* wall time over the time estimated */
#define START_SECONDS 600      /* for what is no training */
#define LONGEST_CHOSEN 86400.0 /* a job that needs longer goes on in another */

/* --- choosing --- */

static int64_t choose_workers(const struct job_file *job)
{
    return job->workers > 0 ? job->workers : job->nodes * job->ranks_per_node;
}

static int64_t choose_wall_seconds(const struct job_file *job, double makespan)
{
    double seconds = makespan * MARGIN + START_SECONDS;
    if (job->wall_seconds > 0)
        return job->wall_seconds;
    return seconds < LONGEST_CHOSEN ? (int64_t)seconds : (int64_t)LONGEST_CHOSEN;
}

/* --- checks --- */

/* Of the data a rank is asked for its share where each node is sure to have so many ranks, else for
 * all that it may need alone. */
static int rank_memory(const struct plan *plan, const struct job_file *job, int64_t own,
                       int64_t *bytes, struct error *err)
{
    bool is_even = job->nodes > 0 && job->ranks_per_node > 0 && job->workers == 0;
    int64_t ranks = is_even ? job->ranks_per_node : 1, data;
    if (plan_data_bytes(plan, ranks, &data, err) != 0)
        return -1;
    *bytes = own + (data + ranks - 1) / ranks;
    return 0;
}

static int check_memory(const struct plan *plan, const struct job_file *job, int64_t own,
                        struct error *err)
{
    char text[32];
    int64_t needed;
    if (rank_memory(plan, job, own, &needed, err) != 0)
        return -1;
    if (job->memory == 0 || job->memory * 1000000 >= needed)
        return 0;
    return error_set(err, ERROR_USAGE, "memory: %lldM is too little; a worker needs %s",
                     (long long)job->memory, text_bytes(text, sizeof text, (double)needed));
}

/* Bytes that are yet to be had: an enlarged store is made beside the old one, states in any case.
 */
static int64_t bytes_needed(const struct plan_figures *figures, bool exists)
{
    return figures->states_bytes + (exists && !figures->extends ? 0 : figures->store_bytes);
}

static int check_place(const char *store, int64_t needed, struct error *err)
{
    char copy[PATH_SIZE], wanted[32], free_bytes[32];
    struct statvfs system;
    if (!text_copy(copy, sizeof copy, store))
        return error_set(err, ERROR_USAGE, "store: the path is too long");
    const char *folder = dirname(copy);
    if (access(folder, W_OK | X_OK) != 0 || statvfs(folder, &system) != 0)
        return error_set(err, ERROR_USAGE, "store: nothing can be written into %s (%s); make it",
                         folder, strerror(errno));
    double available = (double)system.f_bavail * (double)system.f_frsize;
    if (available >= (double)needed)
        return 0;
    return error_set(err, ERROR_USAGE, "store: %s needs %s, and %s has %s free", store,
                     text_bytes(wanted, sizeof wanted, (double)needed), folder,
                     text_bytes(free_bytes, sizeof free_bytes, available));
}

/* --- the job there is --- */

static void note_path(const char *store, char to[PATH_SIZE])
{
    snprintf(to, PATH_SIZE, "%s.job", store);
}

/* The job that was submitted last; 0 = none is known. */
static long long read_note(const char *store)
{
    char path[PATH_SIZE], *text;
    size_t length;
    note_path(store, path);
    if (access(path, F_OK) != 0 || file_read(path, NOTE_BYTES, &text, &length, NULL) != 0)
        return 0;
    long long number = strtoll(text, NULL, 10);
    free(text);
    return number > 0 ? number : 0;
}

/* The job's number, then what the script keeps: restarts without progress, and how far it was. */
static int write_note(const char *store, long long number, struct error *err)
{
    char path[PATH_SIZE], text[64];
    note_path(store, path);
    int length = snprintf(text, sizeof text, "%lld 0 0 0\n", number);
    return file_replace(path, text, (size_t)length, err);
}

/* `listing`: "NUMBER STATE NAME" a line. */
static bool find_job(char *listing, long long number, const char *name, char state[32])
{
    char *rest = NULL;
    for (char *line = strtok_r(listing, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        long long other;
        int name_at = 0;
        if (sscanf(line, "%lld %31s %n", &other, state, &name_at) == 2 && other == number &&
            strcmp(line + name_at, name) == 0)
            return true;
    }
    return false;
}

static int check_not_submitted(const struct batch *batch, struct error *err)
{
    long long number = read_note(batch->store);
    char user[24], state[32];
    snprintf(user, sizeof user, "%lu", (unsigned long)geteuid());
    const char *const words[] = {"squeue", "-h", "-u", user, "-o", "%A %T %j", NULL};
    struct text listing = {0};
    int failed = number > 0 && program_run(words, NULL, &listing, err) != 0;
    if (!failed && listing.bytes != NULL && find_job(listing.bytes, number, batch->name, state))
        failed = error_set(err, ERROR_USAGE,
                           "%s: job %lld is at it already (%s); `scancel %lld` ends it",
                           batch->store, number, state, number);
    text_finish(&listing);
    return failed ? -1 : 0;
}

/* --- submitting --- */

static void tell(const struct batch *batch, const struct plan_figures *figures, long long number)
{
    char time[32];
    printf("job %lld: %lld tasks on %lld workers, about %s\n", number, (long long)figures->to_run,
           (long long)batch->workers, text_duration(time, sizeof time, figures->makespan_seconds));
    printf("  squeue -j %lld\n  tail -f '%s.%lld.log'\n  sweepstake status '%s' --follow\n", number,
           batch->store, number, batch->store);
}

static int submit(const struct batch *batch, const char *script, const struct plan_figures *figures,
                  struct error *err)
{
    const char *const words[] = {"sbatch", "--parsable", NULL};
    struct text answer = {0};
    if (check_not_submitted(batch, err) != 0)
        return -1;
    int failed = program_run(words, script, &answer, err) != 0;
    long long number = answer.bytes != NULL ? strtoll(answer.bytes, NULL, 10) : 0;
    if (!failed && number <= 0)
        failed = error_set(err, ERROR_RESOURCE, "sbatch gave no job number but '%s'",
                           answer.bytes != NULL ? answer.bytes : "");
    text_finish(&answer);
    if (failed || write_note(batch->store, number, err) != 0)
        return -1;
    tell(batch, figures, number);
    return 0;
}

static int print_or_submit(const struct batch *batch, const struct plan_figures *figures,
                           bool dry_run, struct error *err)
{
    struct text script = {0};
    int failed = batch_render(batch, &script, err) != 0;
    if (!failed && dry_run)
        fputs(script.bytes, stdout);
    else if (!failed)
        failed = submit(batch, script.bytes, figures, err) != 0;
    text_finish(&script);
    return failed ? -1 : 0;
}

static int submit_plan(const struct plan *plan, struct batch *batch, bool dry_run,
                       struct error *err)
{
    struct plan_figures figures;
    const struct job_file *job = batch->job;
    bool exists = access(batch->store, F_OK) == 0;
    if (figures_measure(plan, exists ? batch->store : NULL, NET_KERNELS_AUTO,
                        (int)choose_workers(job), &figures, err) != 0 ||
        check_memory(plan, job, figures.memory_bytes, err) != 0 ||
        check_place(batch->store, bytes_needed(&figures, exists), err) != 0)
        return -1;
    if (figures.to_run == 0 && !figures.extends) {
        printf("%s is complete; there is nothing to submit\n", batch->store);
        return 0;
    }
    batch->workers = figures.workers;
    batch->wall_seconds = choose_wall_seconds(job, figures.makespan_seconds);
    return print_or_submit(batch, &figures, dry_run, err);
}

static int submit_job(const struct job_file *job, bool dry_run, struct error *err)
{
    char store[GRID_NAME_SIZE + 8], name[GRID_NAME_SIZE + 16];
    struct plan_options options = {.data_folder = job->data};
    struct grid *grid = grid_read(job->grid, err);
    struct plan *plan = grid != NULL ? plan_create(grid, &options, err) : NULL;
    int failed = plan == NULL;
    if (!failed) {
        snprintf(store, sizeof store, "%s.h5", grid->name);
        snprintf(name, sizeof name, "sweepstake-%s", grid->name);
        struct batch batch = {
            .job = job, .name = name, .store = job->store != NULL ? job->store : store};
        failed = submit_plan(plan, &batch, dry_run, err) != 0;
    }
    plan_destroy(plan);
    grid_destroy(grid);
    return failed ? -1 : 0;
}

static int run_submit(const struct command *command, int argc, char **argv)
{
    bool dry_run = false;
    const struct option_row rows[] = {
        {"dry-run", OPTION_FLAG, NULL, "print the batch script and submit nothing", &dry_run, 0, 0},
    };
    const char *file;
    enum options_result options = options_read(command, rows, 1, argc, argv, &file, 1);
    if (options != OPTIONS_GO_ON)
        return options == OPTIONS_WRONG ? STATUS_USAGE : 0;
    struct error err = {0};
    struct job_file *job = job_file_read(file, &err);
    if (job == NULL)
        return command_fail(&err);
    int failed = submit_job(job, dry_run, &err);
    job_file_destroy(job);
    return failed ? command_fail(&err) : command_finish_output(0);
}

const struct command command_submit = {
    .name = "submit",
    .operands = "JOB",
    .summary = "Run a grid as a SLURM job that goes on until it is complete",
    .details =
        "JOB is a YAML file (see jobs/). It says which grid to run, where the results go and what "
        "to\n"
        "ask the cluster for; workers and wall time are chosen from the plan where it does not "
        "say.\n"
        "The job saves and goes back into the queue when it is preempted or its time is over. "
        "Paths\n"
        "are taken from the folder in which this is typed, and so is slurm/NAME.yaml, the site's\n"
        "profile that `cluster: NAME` asks for.\n",
    .run = run_submit,
};
