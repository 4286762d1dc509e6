/* The scheduler: brings the table of tasks and the table of workers together.
 *
 * Events change the tables and nothing else. sched_next looks at the tables alone and does the
 * first of these that is due, until none is: presume a silent worker dead, give out what is to be
 * written, hand out the most urgent task, send it ahead, dismiss a worker. So it does not matter
 * how many events come between two of its calls. Writes come before hand-outs: an attempt taken off
 * is written before the next is counted.
 *
 * A worker is found to be near the end of its task when it gets it, by what others took, and
 * whenever it is heard, by its own progress. */
#include "sched/sched.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "tasks.h"
#include "workers.h"

#define HEARTBEAT_SECONDS 1.0
#define SIGNS_A_SECOND 500.0 /* that the master takes of all workers */
#define AHEAD_SECONDS 1.0

struct sched {
    struct task_table tasks;
    struct worker_table workers;
    int32_t *failed_at; /* [task] the worker where its last hand-out came to nothing, -1 = none */
    double silence;     /* seconds, 0 = never */
    double ahead;       /* seconds, 0 = never */
    double now;         /* of the last event */
    double patience_since; /* no worker's silence counts from before this */
    bool stopping;
};

struct sched *sched_create(const struct sched_task *tasks, int32_t count, int32_t workers,
                           struct sched_limits limits, struct error *err)
{
    if (count < 0 || workers < 0 || limits.max_attempts < 1 || !(limits.silence >= 0) ||
        !(limits.ahead >= 0)) {
        error_set(err, ERROR_INTERNAL,
                  "cannot schedule %d tasks on %d workers with %d attempts, a silence of %g s and "
                  "%g s ahead",
                  count, workers, limits.max_attempts, limits.silence, limits.ahead);
        return NULL;
    }
    struct sched *sched = mem_zeroed(1, sizeof *sched, err);
    if (sched == NULL)
        return NULL;
    sched->silence = limits.silence;
    sched->ahead = limits.ahead;
    sched->now = sched->patience_since = -INFINITY;
    sched->failed_at = mem_zeroed((size_t)count, sizeof *sched->failed_at, err);
    if (sched->failed_at == NULL ||
        tasks_init(&sched->tasks, tasks, count, limits.max_attempts, err) != 0 ||
        workers_init(&sched->workers, workers, err) != 0) {
        sched_destroy(sched);
        return NULL;
    }
    for (int32_t i = 0; i < count; i++)
        sched->failed_at[i] = -1;
    return sched;
}

void sched_set_hosts(struct sched *sched, const int32_t *hosts)
{
    for (int32_t i = 0; i < sched->workers.count; i++)
        sched->workers.workers[i].host = hosts[i];
}

void sched_destroy(struct sched *sched)
{
    if (sched == NULL)
        return;
    tasks_finish(&sched->tasks);
    workers_finish(&sched->workers);
    free(sched->failed_at);
    free(sched);
}

double sched_heartbeat(double silence, int32_t workers)
{
    double seconds = fmax(HEARTBEAT_SECONDS, workers / SIGNS_A_SECOND);
    return silence > 0 ? fmin(seconds, silence / 4) : seconds;
}

double sched_ahead(double silence, int32_t workers)
{
    return AHEAD_SECONDS + sched_heartbeat(silence, workers);
}

/* --- the end of the task at hand --- */

static double seconds_to_end(const struct sched *sched, int32_t worker, double goal)
{
    double left = workers_seconds_left(&sched->workers, worker, goal);
    if (!isnan(left))
        return left;
    const struct worker *running = &sched->workers.workers[worker];
    return tasks_expected_seconds(&sched->tasks, running->task) -
           (sched->now - running->handed_out);
}

/* `goal`: of the progress heard, 0 = not known. */
static void look_ahead(struct sched *sched, int32_t worker, double goal)
{
    bool lacks_next = sched->ahead > 0 && sched->workers.workers[worker].next < 0;
    if (lacks_next && seconds_to_end(sched, worker, goal) <= sched->ahead)
        workers_set_near(&sched->workers, worker, true);
}

static void begin_task(struct sched *sched, int32_t worker, int32_t task)
{
    workers_give(&sched->workers, worker, task, sched->now);
    look_ahead(sched, worker, 0);
}

/* Its next, if any, is at hand then. */
static void end_task(struct sched *sched, int32_t worker)
{
    workers_end_task(&sched->workers, worker, sched->now);
    if (sched->workers.workers[worker].task >= 0)
        look_ahead(sched, worker, 0);
}

/* --- events --- */

/* A caller that was away (stopped, starved, at its first event) has not listened: the silence of
 * others is counted from its return. */
static void pass_time(struct sched *sched, double now)
{
    if (!(now - sched->now <= sched->silence))
        sched->patience_since = now;
    sched->now = fmax(sched->now, now);
}

/* The hand-out of a task was none. */
static void undo_hand_out(struct sched *sched, int32_t task)
{
    tasks_refund(&sched->tasks, task);
    tasks_retry(&sched->tasks, task);
}

static void take_back_next(struct sched *sched, int32_t worker)
{
    int32_t next = sched->workers.workers[worker].next;
    if (next < 0)
        return;
    workers_set_next(&sched->workers, worker, -1);
    undo_hand_out(sched, next);
}

/* A worker's hand-out came to nothing, and what it would have begun after it is not begun. */
static void take_back(struct sched *sched, int32_t worker)
{
    int32_t task = sched->workers.workers[worker].task;
    if (task < 0)
        return;
    take_back_next(sched, worker);
    sched->failed_at[task] = worker;
    tasks_retry(&sched->tasks, task);
    workers_come_home(&sched->workers, worker, sched->now);
}

static bool hear(struct sched *sched, const struct sched_event *event)
{
    struct worker *worker = &sched->workers.workers[event->worker];
    if (worker->state == WORKER_AWAY)
        return false;
    if (worker->state != WORKER_RUNNING) {
        workers_hear(&sched->workers, event->worker, sched->now);
        return true;
    }
    if (event->task != worker->task || !(event->progress > worker->progress))
        return false;
    workers_hear_progress(&sched->workers, event->worker, event->progress, sched->now);
    look_ahead(sched, event->worker, event->goal);
    return true;
}

static bool lose(struct sched *sched, int32_t worker)
{
    if (sched->workers.workers[worker].state == WORKER_AWAY)
        return false;
    take_back(sched, worker);
    workers_leave(&sched->workers, worker);
    return true;
}

static bool take_result(struct sched *sched, const struct sched_event *event)
{
    struct task_table *tasks = &sched->tasks;
    const struct worker *worker = &sched->workers.workers[event->worker];
    int32_t task = event->task;
    if (task >= 0 && worker->next == task && event->kind == SCHED_TASK_INTERRUPTED) {
        take_back_next(sched, event->worker);
        return true;
    }
    if (task < 0 || worker->task != task)
        return false;
    if (event->kind == SCHED_TASK_DONE) {
        tasks_complete(tasks, task, TASK_DONE, event->seconds);
    } else if (event->kind == SCHED_TASK_DIVERGED) {
        tasks_complete(tasks, task, TASK_DIVERGED, event->seconds);
    } else if (event->kind == SCHED_TASK_FAILED) {
        sched->failed_at[task] = event->worker;
        tasks_charge(tasks, task);
        if (event->is_final)
            tasks_give_up(tasks, task);
        else
            tasks_retry(tasks, task);
    } else {
        undo_hand_out(sched, task);
    }
    end_task(sched, event->worker);
    return true;
}

/* What workers hold now may be cut short by the end of the launch: it is refunded at once, while
 * there is somebody to write it. */
static bool stop(struct sched *sched)
{
    if (sched->stopping)
        return false;
    sched->stopping = true;
    for (int32_t i = 0; i < sched->workers.count; i++) {
        const struct worker *worker = &sched->workers.workers[i];
        if (worker->task >= 0)
            tasks_refund(&sched->tasks, worker->task);
        if (worker->next >= 0)
            tasks_refund(&sched->tasks, worker->next);
    }
    return true;
}

static bool take_worker_event(struct sched *sched, const struct sched_event *event)
{
    if (event->worker < 0 || event->worker >= sched->workers.count)
        return false;
    switch (event->kind) {
    case SCHED_WORKER_READY:
        take_back(sched, event->worker);
        workers_ask(&sched->workers, event->worker, sched->now);
        return true;
    case SCHED_HEARD:
        return hear(sched, event);
    case SCHED_WORKER_LOST:
        return lose(sched, event->worker);
    case SCHED_TASK_DONE:
    case SCHED_TASK_DIVERGED:
    case SCHED_TASK_FAILED:
    case SCHED_TASK_INTERRUPTED:
        return take_result(sched, event);
    case SCHED_STOP:
    case SCHED_TICK:
        break;
    }
    return false;
}

bool sched_event(struct sched *sched, const struct sched_event *event)
{
    pass_time(sched, event->now);
    if (event->kind == SCHED_TICK)
        return true;
    if (event->kind == SCHED_STOP)
        return stop(sched);
    return take_worker_event(sched, event);
}

/* --- actions: each returns whether it was due --- */

static bool presume_dead(struct sched *sched, struct sched_action *action)
{
    int32_t worker = workers_longest_silent(&sched->workers);
    if (worker < 0 || sched->silence <= 0)
        return false;
    double since = fmax(sched->workers.workers[worker].heard, sched->patience_since);
    if (!(sched->now - since > sched->silence))
        return false;
    action->kind = SCHED_PRESUME_DEAD;
    action->worker = worker;
    action->task = sched->workers.workers[worker].task;
    return lose(sched, worker);
}

static bool write_out(struct sched *sched, struct sched_action *action)
{
    int32_t task = tasks_next_write(&sched->tasks);
    if (task < 0)
        return false;
    bool written_off = task_is_written_off(sched->tasks.tasks[task].state);
    action->kind = written_off ? SCHED_WRITE_OFF : SCHED_WRITE_ATTEMPTS;
    action->task = task;
    return true;
}

/* `place`: of a ready task. */
static bool failed_here(const struct sched *sched, int32_t place, int32_t worker)
{
    return sched->failed_at[sched->tasks.ready.tasks[place].task] == worker;
}

/* The longest idle worker takes the most urgent task. One that came to nothing there goes to
 * another idle worker, or is left to those at work while the next ready task is taken. Returns the
 * place of the task. */
static int32_t match(const struct sched *sched, int32_t *worker)
{
    if (!failed_here(sched, 0, *worker))
        return 0;
    int32_t second = ready_second(&sched->tasks.ready);
    int32_t other = workers_idle_elsewhere(&sched->workers, *worker);
    if (other >= 0) {
        *worker = other;
        return 0;
    }
    bool others_come = sched->workers.live > 1;
    return others_come && second > 0 && !failed_here(sched, second, *worker) ? second : 0;
}

static bool hand_out(struct sched *sched, struct sched_action *action)
{
    int32_t worker = workers_longest_idle(&sched->workers);
    if (worker < 0 || sched->stopping || sched->tasks.ready.count == 0)
        return false;
    int32_t place = match(sched, &worker);
    action->kind = SCHED_HAND_OUT;
    action->worker = worker;
    action->task = tasks_hand_out(&sched->tasks, place);
    begin_task(sched, worker, action->task);
    return true;
}

/* The place of the ready task that the worker is to begin next: the most urgent one that did not
 * come to nothing there. -1 = none now: what its own task leaves is more urgent and will be its. */
static int32_t match_ahead(const struct sched *sched, int32_t worker)
{
    const struct ready_heap *ready = &sched->tasks.ready;
    int32_t place = failed_here(sched, 0, worker) ? ready_second(ready) : 0;
    if (place < 0 || failed_here(sched, place, worker))
        return -1;
    double below = tasks_urgency_below(&sched->tasks, sched->workers.workers[worker].task);
    return ready->tasks[place].urgency >= below ? place : -1;
}

/* Only where no worker is idle, or it would have had the task. One for which there is none is
 * looked at again when it is heard. */
static bool send_ahead(struct sched *sched, struct sched_action *action)
{
    int32_t worker, place = -1;
    while (place < 0) {
        worker = workers_first_near(&sched->workers);
        if (worker < 0 || sched->stopping || sched->tasks.ready.count == 0)
            return false;
        place = match_ahead(sched, worker);
        workers_set_near(&sched->workers, worker, false);
    }
    action->kind = SCHED_SEND_AHEAD;
    action->worker = worker;
    action->task = tasks_hand_out(&sched->tasks, place);
    workers_set_next(&sched->workers, worker, action->task);
    return true;
}

static bool dismiss(struct sched *sched, struct sched_action *action)
{
    int32_t worker = workers_longest_idle(&sched->workers);
    if (worker < 0 || (!sched->stopping && tasks_left(&sched->tasks) > 0))
        return false;
    action->kind = SCHED_DISMISS_WORKER;
    action->worker = worker;
    workers_leave(&sched->workers, worker);
    return true;
}

/* Without a live worker nothing can run. A worker that comes back after this is dismissed. */
static bool finish(struct sched *sched, struct sched_action *action)
{
    if (sched->workers.live > 0)
        return false;
    sched->stopping = true;
    action->kind = SCHED_FINISHED;
    return true;
}

bool sched_next(struct sched *sched, struct sched_action *action)
{
    *action = (struct sched_action){.worker = -1, .task = -1, .attempts = -1};
    if (!presume_dead(sched, action) && !write_out(sched, action) && !hand_out(sched, action) &&
        !send_ahead(sched, action) && !dismiss(sched, action) && !finish(sched, action))
        return false;
    if (action->task >= 0) {
        action->attempts = sched->tasks.tasks[action->task].attempts;
        action->state = sched->tasks.tasks[action->task].state;
    }
    return true;
}

/* --- questions --- */

/* The longer of two bounds: all work spread over the live workers, and the longest remaining chain.
 * What the running tasks have had of their time is taken off. */
static double seconds_left(const struct sched *sched, double seconds_per_cost)
{
    const struct task_table *tasks = &sched->tasks;
    const struct worker_table *workers = &sched->workers;
    double work = fmax(tasks->cost_left, 0) * seconds_per_cost, longest = 0;
    if (tasks->ready.count > 0)
        longest = tasks->tasks[tasks->ready.tasks[0].task].chain * seconds_per_cost;
    for (int32_t i = 0; i < workers->count; i++) {
        if (workers->workers[i].task < 0)
            continue;
        const struct task *task = &tasks->tasks[workers->workers[i].task];
        double had =
            fmin(sched->now - workers->workers[i].handed_out, task->cost * seconds_per_cost);
        work -= had;
        longest = fmax(longest, task->chain * seconds_per_cost - had);
        if (workers->workers[i].next >= 0)
            longest =
                fmax(longest, tasks->tasks[workers->workers[i].next].chain * seconds_per_cost);
    }
    return fmax(work / workers->live, longest);
}

void sched_counts(const struct sched *sched, struct sched_counts *counts)
{
    const struct task_table *tasks = &sched->tasks;
    const int32_t *in_state = tasks->in_state;
    const struct pace *pace = &tasks->pace;
    *counts = (struct sched_counts){
        .total = tasks->count,
        .done = in_state[TASK_DONE],
        .diverged = in_state[TASK_DIVERGED],
        .failed = in_state[TASK_FAILED],
        .skipped = in_state[TASK_SKIPPED],
        .unreachable = in_state[TASK_UNREACHABLE],
        .running = in_state[TASK_RUNNING] - sched->workers.ahead,
        .ready = in_state[TASK_READY] + sched->workers.ahead,
        .waiting = in_state[TASK_WAITING],
        .left = tasks_left(tasks),
        .live_workers = sched->workers.live,
        .cost_left = fmax(tasks->cost_left, 0), /* a sum with rounding errors */
        .cost_done = tasks->cost_done,
        .seconds_per_cost = pace->cost > 0 ? pace->seconds / pace->cost : 0,
    };
    bool known = pace->cost > 0 && counts->live_workers > 0;
    counts->seconds_left = known ? seconds_left(sched, counts->seconds_per_cost) : NAN;
    if (counts->left == 0)
        counts->cost_left = counts->seconds_left = 0;
}

enum task_state sched_task_state(const struct sched *sched, int32_t task)
{
    return sched->tasks.tasks[task].state;
}

int32_t sched_worker_task(const struct sched *sched, int32_t worker)
{
    return sched->workers.workers[worker].task;
}
