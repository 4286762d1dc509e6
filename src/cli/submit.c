/* sweepstake submit: from a job file to a SLURM job, or with --array to one for each part of the
 * grid. Plans and checks all of them before the first is handed to sbatch. A note beside each store
 * (NAME.h5.job) says which job goes on with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "command.h"
#include "note.h"
#include "part.h"
#include "program.h"
#include "submission.h"

/* One job, or those of all parts. */
struct submissions {
    struct submission *jobs;
    int count;
    bool is_array;
};

/* --- the jobs there are --- */

static int list_jobs(struct text *listing, struct error *err)
{
    char user[24];
    snprintf(user, sizeof user, "%lu", (unsigned long)geteuid());
    const char *const words[] = {"squeue", "-h", "-u", user, "-o", "%A %T %j", NULL};
    return program_run(words, NULL, listing, err);
}

/* `listing`: "NUMBER STATE NAME" a line. */
static bool find_job(const char *listing, long long number, const char *name, char state[32])
{
    for (const char *line = listing; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        long long other;
        int name_at = 0;
        if (sscanf(line, "%lld %31s %n", &other, state, &name_at) != 2 || other != number)
            continue;
        size_t length = strcspn(line + name_at, "\n");
        if (length == strlen(name) && memcmp(line + name_at, name, length) == 0)
            return true;
    }
    return false;
}

static int check_not_submitted(const struct submissions *all, struct error *err)
{
    struct text listing = {0};
    bool is_listed = false;
    char state[32];
    int failed = 0;
    for (int i = 0; i < all->count && !failed; i++) {
        const struct batch *batch = &all->jobs[i].batch;
        long long number = note_read(batch->store);
        if (number == 0)
            continue;
        failed = !is_listed && list_jobs(&listing, err) != 0;
        is_listed = true;
        if (!failed && find_job(listing.bytes, number, batch->name, state))
            failed = error_set(err, ERROR_USAGE,
                               "%s: job %lld is at it already (%s); `scancel %lld` ends it",
                               batch->store, number, state, number);
    }
    text_finish(&listing);
    return failed ? -1 : 0;
}

/* --- submitting --- */

static int hand_over(const char *script, long long *number, struct error *err)
{
    const char *const words[] = {"sbatch", "--parsable", NULL};
    struct text answer = {0};
    int failed = program_run(words, script, &answer, err) != 0;
    *number = answer.bytes != NULL ? strtoll(answer.bytes, NULL, 10) : 0;
    if (!failed && *number <= 0)
        failed = error_set(err, ERROR_RESOURCE, "sbatch gave no job number but '%s'",
                           answer.bytes != NULL ? answer.bytes : "");
    text_finish(&answer);
    return failed ? -1 : 0;
}

static void tell(const struct submission *job)
{
    const struct batch *batch = &job->batch;
    char time[32];
    printf("job %lld: ", job->number);
    if (batch->part.count > 0)
        printf("part %d/%d, ", batch->part.number, batch->part.count);
    printf("%lld tasks on %lld workers, about %s\n", (long long)job->figures.to_run,
           (long long)batch->workers,
           text_duration(time, sizeof time, job->figures.makespan_seconds));
    printf("  squeue -j %lld\n  tail -f '%s.%lld.log'\n  sweepstake status '%s' --follow\n",
           job->number, batch->store, job->number, batch->store);
}

static int submit_job(struct submission *job, bool dry_run, struct error *err)
{
    struct text script = {0};
    int failed = batch_render(&job->batch, &script, err) != 0;
    if (!failed && dry_run)
        fputs(script.bytes, stdout);
    else if (!failed)
        failed = hand_over(script.bytes, &job->number, err) != 0 ||
                 note_write(job->batch.store, job->number, err) != 0;
    text_finish(&script);
    if (!failed && !dry_run)
        tell(job);
    return failed ? -1 : 0;
}

/* The first part to end must know of the others, whether they are submitted already or not. */
static int announce(const struct submissions *all, struct error *err)
{
    for (int i = 0; i < all->count; i++) {
        const struct submission *job = &all->jobs[i];
        if (job->is_complete)
            note_remove(job->store);
        else if (note_write(job->store, 0, err) != 0)
            return -1;
    }
    return 0;
}

static int submit_jobs(struct submissions *all, bool dry_run, struct error *err)
{
    if (!dry_run &&
        (check_not_submitted(all, err) != 0 || (all->is_array && announce(all, err) != 0)))
        return -1;
    for (int i = 0; i < all->count; i++)
        if (!all->jobs[i].is_complete && submit_job(&all->jobs[i], dry_run, err) != 0)
            return -1;
    if (all->is_array && !dry_run)
        printf("the part that ends last joins all of them into %s\n", all->jobs[0].whole);
    return 0;
}

/* --- all --- */

static void tell_complete(const struct submissions *all)
{
    const struct submission *first = &all->jobs[0];
    if (!all->is_array) {
        printf("%s is complete; there is nothing to submit\n", first->store);
        return;
    }
    printf("all parts are complete; this joins them:\n  sweepstake merge");
    for (int i = 0; i < all->count; i++)
        printf(" '%s'", all->jobs[i].store);
    printf(" --into '%s' --grid '%s'", first->whole, first->batch.job->grid);
    if (first->batch.job->data != NULL)
        printf(" --data '%s'", first->batch.job->data);
    printf("\n");
}

static int check_disk(const struct submissions *all, struct error *err)
{
    int64_t needed = 0;
    for (int i = 0; i < all->count; i++) {
        const struct submission *job = &all->jobs[i];
        needed += job->bytes_needed + (all->is_array ? job->figures.store_bytes : 0);
    }
    return submission_check_place(all->jobs[0].whole, needed, err);
}

/* Parts are joined into a new file. */
static int check_whole(const struct submissions *all, struct error *err)
{
    const char *whole = all->jobs[0].whole;
    if (!all->is_array || access(whole, F_OK) != 0)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s is there already: leave --array out to go on with it, or name another "
                     "store",
                     whole);
}

/* Steps are timed as they will run. */
static int use_cores(const struct job_file *job, struct error *err)
{
    if (job->cores_per_rank > NET_MOST_THREADS)
        return error_set(err, ERROR_USAGE, "cores_per_rank: a rank can use %d cores at most",
                         NET_MOST_THREADS);
    kernels_use_threads(job->cores_per_rank > 0 ? (int)job->cores_per_rank : 1);
    return 0;
}

static int prepare_and_submit(const struct job_file *job, struct submissions *all, bool dry_run,
                              struct error *err)
{
    bool complete = true;
    if (use_cores(job, err) != 0)
        return -1;
    for (int i = 0; i < all->count; i++) {
        struct plan_part part = {i + 1, all->count};
        if (submission_prepare(job, all->is_array ? part : (struct plan_part){0}, &all->jobs[i],
                               err) != 0)
            return -1;
        complete = complete && all->jobs[i].is_complete;
    }
    if (check_whole(all, err) != 0 || check_disk(all, err) != 0)
        return -1;
    if (complete) {
        tell_complete(all);
        return 0;
    }
    return submit_jobs(all, dry_run, err);
}

static int run_submit(const struct command *command, int argc, char **argv)
{
    bool dry_run = false;
    int parts = 0;
    const struct option_row rows[] = {
        {"dry-run", OPTION_FLAG, NULL, "print the batch script and submit nothing", &dry_run, 0, 0},
        {"array", OPTION_INTEGER, "K", "K jobs of their own, each with a part of the grid", &parts,
         2, PART_MOST},
    };
    const char *file;
    enum options_result options = options_read(command, rows, 2, argc, argv, &file, 1);
    if (options != OPTIONS_GO_ON)
        return options == OPTIONS_WRONG ? STATUS_USAGE : 0;
    struct error err = {0};
    struct submissions all = {.count = parts > 0 ? parts : 1, .is_array = parts > 0};
    struct job_file *job = job_file_read(file, &err);
    all.jobs = job != NULL ? mem_zeroed((size_t)all.count, sizeof *all.jobs, &err) : NULL;
    int failed = all.jobs == NULL || prepare_and_submit(job, &all, dry_run, &err) != 0;
    free(all.jobs);
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
        "profile that `cluster: NAME` asks for.\n"
        "\n"
        "--array K: each job is as JOB says, with a store of its own (grid.1-of-K.h5 ...) and one\n"
        "part of the grid; parts share no training run and cost about the same. The last to end\n"
        "joins them into the grid's store. The same again submits what is not complete.\n",
    .run = run_submit,
};
