/* Owns the choices that a job file leaves open, and what is checked before a job is submitted. */
#include "submission.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/text.h"
#include "part.h"

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
    bool is_even = job->nodes > 0 && job->workers == 0;
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

int submission_check_place(const char *store, int64_t needed, struct error *err)
{
    char copy[SUBMISSION_PATH_SIZE], wanted[32], free_bytes[32];
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

/* --- all --- */

static int name_all(const struct job_file *job, const char *grid, struct plan_part part,
                    struct submission *submission, struct error *err)
{
    struct batch *batch = &submission->batch;
    int written = job->store != NULL
                      ? snprintf(submission->whole, sizeof submission->whole, "%s", job->store)
                      : snprintf(submission->whole, sizeof submission->whole, "%s.h5", grid);
    if ((size_t)written >= sizeof submission->whole)
        return error_set(err, ERROR_USAGE, "store: the path is too long");
    snprintf(submission->name, sizeof submission->name, "sweepstake-%s", grid);
    size_t length = strlen(submission->name);
    if (part.count > 0)
        snprintf(submission->name + length, sizeof submission->name - length, ".%d-of-%d",
                 part.number, part.count);
    *batch = (struct batch){.job = job,
                            .name = submission->name,
                            .store = submission->store,
                            .part = part,
                            .whole = submission->whole};
    return part_store(submission->whole, part, submission->store, sizeof submission->store, err);
}

static int measure(const struct plan *plan, struct submission *submission, struct error *err)
{
    struct batch *batch = &submission->batch;
    struct plan_figures *figures = &submission->figures;
    bool exists = access(batch->store, F_OK) == 0;
    if (figures_measure(plan, exists ? batch->store : NULL, NET_KERNELS_AUTO,
                        (int)choose_workers(batch->job), figures, err) != 0 ||
        check_memory(plan, batch->job, figures->memory_bytes, err) != 0)
        return -1;
    submission->is_complete = figures->to_run == 0 && !figures->extends;
    submission->bytes_needed = bytes_needed(figures, exists);
    batch->workers = figures->workers;
    batch->wall_seconds = choose_wall_seconds(batch->job, figures->makespan_seconds);
    return 0;
}

int submission_prepare(const struct job_file *job, struct plan_part part,
                       struct submission *submission, struct error *err)
{
    struct plan_options options = {.data_folder = job->data, .part = part};
    struct grid *grid = grid_read(job->grid, err);
    struct plan *plan = grid != NULL ? plan_create(grid, &options, err) : NULL;
    int failed = plan == NULL || name_all(job, grid->name, part, submission, err) != 0 ||
                 measure(plan, submission, err) != 0;
    plan_destroy(plan);
    grid_destroy(grid);
    return failed ? -1 : 0;
}
