/* How the run stands, for people. Counts are the scheduler's; iterations come from heartbeats. */
#include "gauge.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "work/work.h"

/* Share of the newest reading in the rate shown: a figure that jumps cannot be read. */
#define RATE_WEIGHT 0.3
#define SHORTEST_READING 0.2 /* seconds; a rate over less than this is noise */

int gauge_init(struct gauge *gauge, const struct plan *plan, int32_t workers, int32_t kept,
               double now, struct error *err)
{
    *gauge = (struct gauge){.plan = plan, .started = now, .read = now};
    gauge->workers = mem_zeroed((size_t)workers, sizeof *gauge->workers, err);
    if (gauge->workers == NULL)
        return -1;
    gauge->progress = (struct progress){
        .kept = kept,
        .iterations_a_second = NAN,
        .worker_count = workers,
        .workers = gauge->workers,
    };
    for (int32_t i = 0; i < workers; i++)
        gauge_task(gauge, i, -1);
    return 0;
}

void gauge_finish(struct gauge *gauge)
{
    free(gauge->workers);
    gauge->workers = NULL;
}

void gauge_task(struct gauge *gauge, int32_t worker, int32_t task)
{
    struct progress_worker *shown = &gauge->workers[worker];
    *shown = (struct progress_worker){.task = task};
    if (task < 0)
        return;
    const struct plan_task *planned = &gauge->plan->tasks[task];
    shown->level = planned->level;
    shown->iteration = (double)planned->start_iteration;
    shown->iterations = (double)gauge->plan->trainings[planned->training].iterations;
    work_task_label(planned, shown->what, sizeof shown->what);
}

void gauge_iteration(struct gauge *gauge, int32_t worker, int32_t task, double iteration)
{
    struct progress_worker *shown = &gauge->workers[worker];
    if (task < 0 || shown->task != task || !(iteration > shown->iteration))
        return;
    iteration = fmin(iteration, shown->iterations);
    gauge->moved += iteration - shown->iteration;
    shown->iteration = iteration;
}

/* The newest rate while tasks run; when none is left, that of the whole run: the last reading is of
 * a moment in which most workers had nothing to do. */
static void read_rate(struct gauge *gauge, bool is_over, double now)
{
    if (is_over && now > gauge->started) {
        gauge->progress.iterations_a_second =
            (gauge->moved_before + gauge->moved) / (now - gauge->started);
        return;
    }
    double passed = now - gauge->read;
    if (passed < SHORTEST_READING)
        return;
    double rate = gauge->moved / passed, *shown = &gauge->progress.iterations_a_second;
    *shown = isnan(*shown) ? rate : *shown + RATE_WEIGHT * (rate - *shown);
    gauge->moved_before += gauge->moved;
    gauge->moved = 0;
    gauge->read = now;
}

const struct progress *gauge_read(struct gauge *gauge, const struct sched *sched, double now)
{
    struct sched_counts counts;
    sched_counts(sched, &counts);
    read_rate(gauge, counts.left == 0, now);
    struct progress *progress = &gauge->progress;
    progress->total = counts.total;
    progress->done = counts.done;
    progress->diverged = counts.diverged;
    progress->failed = counts.failed;
    progress->skipped = counts.skipped;
    progress->unreachable = counts.unreachable;
    progress->running = counts.running;
    progress->left = counts.left;
    progress->elapsed = now - gauge->started;
    progress->seconds_left = counts.seconds_left;
    return progress;
}
