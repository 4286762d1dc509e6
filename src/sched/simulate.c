/* The simulation: a heap of what comes next at each worker, and the scheduler beside it.
 *
 * A worker that holds a task has exactly one event ahead, decided when the task is handed out: its
 * result, its failure, or the moment its death is noticed; before that one sign of life may come,
 * the first that tells that the end is near. A worker that dies idle is not missed before it is
 * given a task. All other heartbeats are counted, not played: they tell the scheduler only that a
 * worker lives, and the losses tell it which do not.
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
    double dies;                     /* infinite = never */
    int32_t attempts, next_attempts; /* of the tasks at hand and sent ahead */
    /* Of the task at hand. */
    double begun, ends, sign; /* `sign`: of life, to come; infinite = none */
    enum sched_event_kind end;
};

struct simulation {
    const struct sched_workload *work;
    const struct sched_conditions *conditions;
    struct sched_forecast *forecast;
    struct sched *sched;
    struct imagined_worker *workers; /* [conditions->workers] */
    struct ready_heap coming;        /* sign or end of each that holds a task, the next first */
    double now;
    double interval, ahead;            /* between signs of life; when a worker is near its end */
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

static void await(struct simulation *simulation, int32_t worker)
{
    const struct imagined_worker *imagined = &simulation->workers[worker];
    ready_put(&simulation->coming, worker, -fmin(imagined->sign, imagined->ends));
}

/* The first sign of life after the end has come near, on the average. */
static double time_of_sign(const struct simulation *simulation, double seconds)
{
    double before_end = simulation->ahead - simulation->interval / 2;
    return seconds > simulation->ahead ? simulation->now + seconds - before_end : INFINITY;
}

/* Looks ahead to how the hand-out of the task it has at hand ends. */
static void begin(struct simulation *simulation, int32_t number_of_worker)
{
    const struct sched_conditions *conditions = simulation->conditions;
    struct imagined_worker *worker = &simulation->workers[number_of_worker];
    int32_t task = sched_worker_task(simulation->sched, number_of_worker);
    uint64_t number = (uint64_t)task << 32 | (uint64_t)worker->attempts;
    double seconds = simulation->work->fates[task].seconds;
    worker->begun = simulation->now;
    worker->sign = time_of_sign(simulation, seconds);
    worker->end = has_diverged(simulation, task) ? SCHED_TASK_DIVERGED : SCHED_TASK_DONE;
    if (draw(simulation, CHANCE_FAILS, number) < conditions->failures) {
        worker->end = SCHED_TASK_FAILED;
        seconds *= draw(simulation, CHANCE_MOMENT, number);
    }
    worker->ends = simulation->now + seconds;
    if (worker->dies < worker->sign)
        worker->sign = INFINITY;
    if (worker->dies < worker->ends) {
        worker->end = SCHED_WORKER_LOST;
        worker->ends = fmax(worker->dies, simulation->now) + conditions->silence;
    }
    await(simulation, number_of_worker);
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

/* Its progress, in seconds. */
static void hear(struct simulation *simulation, int32_t worker)
{
    int32_t task = sched_worker_task(simulation->sched, worker);
    sched_event(simulation->sched,
                &(struct sched_event){
                    .kind = SCHED_HEARD,
                    .now = simulation->now,
                    .worker = worker,
                    .task = task,
                    .progress = simulation->now - simulation->workers[worker].begun,
                    .goal = simulation->work->fates[task].seconds,
                });
}

static void count_hand_out(struct simulation *simulation, const struct sched_action *action)
{
    struct sched_forecast *forecast = simulation->forecast;
    forecast->hand_outs++;
    forecast->retries += action->attempts > simulation->work->tasks[action->task].attempts + 1;
    forecast->messages++;
}

static void do_action(struct simulation *simulation, const struct sched_action *action)
{
    if (action->kind == SCHED_HAND_OUT) {
        count_hand_out(simulation, action);
        simulation->workers[action->worker].attempts = action->attempts;
        begin(simulation, action->worker);
        hear(simulation, action->worker);
    } else if (action->kind == SCHED_SEND_AHEAD) {
        count_hand_out(simulation, action);
        simulation->workers[action->worker].next_attempts = action->attempts;
    }
    simulation->forecast->messages += action->kind == SCHED_DISMISS_WORKER;
    simulation->finished = action->kind == SCHED_FINISHED;
}

static void act(struct simulation *simulation)
{
    struct sched_action action;
    while (!simulation->finished && sched_next(simulation->sched, &action))
        do_action(simulation, &action);
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

/* It begins what was sent ahead, or asks. */
static void go_on(struct simulation *simulation, int32_t number)
{
    struct imagined_worker *worker = &simulation->workers[number];
    if (sched_worker_task(simulation->sched, number) < 0) {
        tell(simulation, SCHED_WORKER_READY, number);
        return;
    }
    worker->attempts = worker->next_attempts;
    begin(simulation, number);
    hear(simulation, number);
}

/* A worker reports its task, or is missed. */
static void end(struct simulation *simulation, int32_t number)
{
    struct sched_forecast *forecast = simulation->forecast;
    const struct imagined_worker *worker = &simulation->workers[number];
    enum sched_event_kind end = worker->end;
    tell(simulation, end, number);
    if (end == SCHED_WORKER_LOST) {
        forecast->deaths++;
        forecast->lost_seconds += fmax(worker->dies - worker->begun, 0);
        return;
    }
    *(end == SCHED_TASK_FAILED ? &forecast->lost_seconds : &forecast->useful_seconds) +=
        worker->ends - worker->begun;
    count_result(simulation);
    go_on(simulation, number);
}

/* The next thing that happens. */
static void step(struct simulation *simulation)
{
    int32_t number = ready_take(&simulation->coming, 0);
    struct imagined_worker *worker = &simulation->workers[number];
    if (worker->sign < worker->ends) {
        simulation->now = worker->sign;
        worker->sign = INFINITY;
        hear(simulation, number);
        await(simulation, number);
    } else {
        simulation->now = worker->ends;
        end(simulation, number);
    }
}

/* Each worker's until it dies or all is over. */
static int64_t count_signs(const struct simulation *simulation)
{
    const struct sched_conditions *conditions = simulation->conditions;
    int64_t signs = 0;
    for (int32_t i = 0; i < conditions->workers; i++)
        signs +=
            (int64_t)(fmin(simulation->workers[i].dies, simulation->now) / simulation->interval);
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
        if (simulation->coming.count == 0)
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
        .work = work,
        .conditions = conditions,
        .forecast = forecast,
        .interval = sched_heartbeat(conditions->silence, conditions->workers),
        .ahead = sched_ahead(conditions->silence, conditions->workers),
        .second = -1,
    };
    /* Deaths are told, so the scheduler need not find silence out. One worker is this process, and
     * gets nothing ahead. */
    const struct sched_limits limits = {.max_attempts = conditions->max_attempts,
                                        .ahead = conditions->workers > 1 ? simulation.ahead : 0};
    *forecast = (struct sched_forecast){.utilisation = 1};
    simulation.sched = sched_create(work->tasks, work->count, conditions->workers, limits, err);
    simulation.workers = mem_zeroed((size_t)conditions->workers, sizeof *simulation.workers, err);
    int failed = simulation.sched == NULL || simulation.workers == NULL ||
                 ready_init(&simulation.coming, conditions->workers, err) != 0 ||
                 play(&simulation, err) != 0;
    if (!failed) {
        sched_counts(simulation.sched, &forecast->counts);
        if (forecast->makespan > 0)
            forecast->utilisation =
                forecast->useful_seconds / (forecast->makespan * conditions->workers);
    }
    sched_destroy(simulation.sched);
    ready_finish(&simulation.coming);
    free(simulation.workers);
    return failed ? -1 : 0;
}
