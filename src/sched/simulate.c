/* The simulation: a heap of what comes next at each worker, and the scheduler beside it.
 *
 * A worker that holds a task has exactly one event ahead, decided when the task is handed out: its
 * result, its failure, or the moment its death is noticed. A worker that dies idle is not missed
 * before it is given a task. Heartbeats are counted, not played: at each moment they tell the
 * scheduler only that a worker lives, and the losses tell it which do not.
 *
 * Chance is drawn by task and attempt, and by worker: what befalls one hand-out does not depend on
 * what befell others. */
#include "sched/simulate.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"
#include "ready.h"

enum chance { CHANCE_FAILS, CHANCE_MOMENT, CHANCE_DEATH }; /* draws of one purpose */

struct imagined_worker {
    double dies; /* infinite = never */
    double begun, ends;
    enum sched_event_kind end; /* of the task it holds */
};

struct simulation {
    const struct sched_workload *work;
    const struct sched_conditions *conditions;
    struct sched_forecast *forecast;
    struct sched *sched;
    struct imagined_worker *workers; /* [conditions->workers] */
    struct ready_heap ends;          /* of workers that hold a task, the next first */
    double now;
    int64_t second, results_in_second; /* for the busiest one */
    bool finished;
};

/* In [0, 1), 53 bits. */
static double draw(const struct simulation *simulation, enum chance chance, uint64_t index)
{
    struct rng_stream stream = {simulation->conditions->seed, RNG_SIMULATION, chance};
    return (double)rng_below(stream, index, UINT64_C(1) << 53) * 0x1p-53;
}

/* --- workers --- */

static double time_of_death(const struct simulation *simulation, int32_t worker)
{
    double an_hour = simulation->conditions->losses;
    double u = draw(simulation, CHANCE_DEATH, (uint64_t)worker);
    return an_hour > 0 ? -log1p(-u) / an_hour * 3600 : INFINITY;
}

static bool has_diverged(const struct simulation *simulation, int32_t task)
{
    return simulation->work->fates[task].diverges;
}

/* Looks ahead to how the hand-out ends. */
static void begin(struct simulation *simulation, const struct sched_action *action)
{
    const struct sched_conditions *conditions = simulation->conditions;
    struct imagined_worker *worker = &simulation->workers[action->worker];
    uint64_t number = (uint64_t)action->task << 32 | (uint64_t)action->attempts;
    double seconds = simulation->work->fates[action->task].seconds;
    worker->begun = simulation->now;
    worker->end = has_diverged(simulation, action->task) ? SCHED_TASK_DIVERGED : SCHED_TASK_DONE;
    if (draw(simulation, CHANCE_FAILS, number) < conditions->failures) {
        worker->end = SCHED_TASK_FAILED;
        seconds *= draw(simulation, CHANCE_MOMENT, number);
    }
    worker->ends = simulation->now + seconds;
    if (worker->dies < worker->ends) {
        worker->end = SCHED_WORKER_LOST;
        worker->ends = fmax(worker->dies, simulation->now) + conditions->silence;
    }
    ready_put(&simulation->ends, action->worker, -worker->ends);
}

/* --- the master --- */

static void tell(struct simulation *simulation, enum sched_event_kind kind, int32_t worker)
{
    int32_t task = sched_worker_task(simulation->sched, worker);
    struct sched_event event = {
        .kind = kind, .now = simulation->now, .worker = worker, .task = task};
    if (kind == SCHED_TASK_DONE || kind == SCHED_TASK_DIVERGED)
        event.seconds = simulation->work->fates[task].seconds;
    sched_event(simulation->sched, &event);
}

static void act(struct simulation *simulation)
{
    struct sched_forecast *forecast = simulation->forecast;
    struct sched_action action;
    while (!simulation->finished && sched_next(simulation->sched, &action)) {
        simulation->finished = action.kind == SCHED_FINISHED;
        forecast->messages += action.kind == SCHED_HAND_OUT || action.kind == SCHED_DISMISS_WORKER;
        if (action.kind != SCHED_HAND_OUT)
            continue;
        forecast->hand_outs++;
        forecast->retries += action.attempts > simulation->work->tasks[action.task].attempts + 1;
        begin(simulation, &action);
    }
}

static void count_result(struct simulation *simulation)
{
    struct sched_forecast *forecast = simulation->forecast;
    int64_t second = (int64_t)simulation->now;
    if (second != simulation->second)
        simulation->results_in_second = 0;
    simulation->second = second;
    if (++simulation->results_in_second > forecast->busiest_second)
        forecast->busiest_second = simulation->results_in_second;
    forecast->messages++;
}

/* The next thing that happens: a worker reports its task and asks for another, or is missed. */
static void step(struct simulation *simulation)
{
    struct sched_forecast *forecast = simulation->forecast;
    int32_t number = ready_take(&simulation->ends, 0);
    const struct imagined_worker *worker = &simulation->workers[number];
    enum sched_event_kind end = worker->end;
    simulation->now = worker->ends;
    tell(simulation, end, number);
    if (end == SCHED_WORKER_LOST) {
        forecast->deaths++;
        forecast->lost_seconds += fmax(worker->dies - worker->begun, 0);
        return;
    }
    *(end == SCHED_TASK_FAILED ? &forecast->lost_seconds : &forecast->useful_seconds) +=
        worker->ends - worker->begun;
    count_result(simulation);
    tell(simulation, SCHED_WORKER_READY, number);
}

/* Each worker's until it dies or all is over. */
static int64_t count_signs(const struct simulation *simulation)
{
    const struct sched_conditions *conditions = simulation->conditions;
    double interval = sched_heartbeat(conditions->silence, conditions->workers);
    int64_t signs = 0;
    for (int32_t i = 0; i < conditions->workers; i++)
        signs += (int64_t)(fmin(simulation->workers[i].dies, simulation->now) / interval);
    return signs;
}

static int play(struct simulation *simulation, struct error *err)
{
    const struct sched_conditions *conditions = simulation->conditions;
    for (int32_t i = 0; i < conditions->workers; i++) {
        simulation->workers[i].dies = time_of_death(simulation, i);
        tell(simulation, SCHED_WORKER_READY, i);
        simulation->forecast->messages++;
    }
    act(simulation);
    while (!simulation->finished) {
        if (simulation->ends.count == 0)
            return error_set(err, ERROR_INTERNAL, "the scheduler waits for nobody");
        step(simulation);
        act(simulation);
    }
    simulation->forecast->makespan = simulation->now;
    simulation->forecast->signs_of_life = count_signs(simulation);
    return 0;
}

int sched_simulate(const struct sched_workload *work, const struct sched_conditions *conditions,
                   struct sched_forecast *forecast, struct error *err)
{
    struct simulation simulation = {
        .work = work, .conditions = conditions, .forecast = forecast, .second = -1};
    /* Deaths are told, so the scheduler need not find silence out. */
    const struct sched_limits limits = {.max_attempts = conditions->max_attempts};
    *forecast = (struct sched_forecast){.utilisation = 1};
    simulation.sched = sched_create(work->tasks, work->count, conditions->workers, limits, err);
    simulation.workers = mem_zeroed((size_t)conditions->workers, sizeof *simulation.workers, err);
    int failed = simulation.sched == NULL || simulation.workers == NULL ||
                 ready_init(&simulation.ends, conditions->workers, err) != 0 ||
                 play(&simulation, err) != 0;
    if (!failed) {
        sched_counts(simulation.sched, &forecast->counts);
        if (forecast->makespan > 0)
            forecast->utilisation =
                forecast->useful_seconds / (forecast->makespan * conditions->workers);
    }
    sched_destroy(simulation.sched);
    ready_finish(&simulation.ends);
    free(simulation.workers);
    return failed ? -1 : 0;
}
