/* A worker rank. The same three things happen while it trains (from the executor's hook) and while
 * it waits: orders are read, the heartbeat is sent, and the master is looked after.
 *
 * Tasks wait in the order in which they came: one to begin and one sent ahead at most. A worker
 * begins the next without a word from the master.
 *
 * A worker that stood still so long that it may be presumed dead asks anew: with the outcome of the
 * task it had, or by itself when it was idle. A worker whose master is gone leaves on its own: the
 * master's process ended, the process that started this one ended (mpirun), or nothing was heard
 * for the bound. One that cannot go on says so and stays for the order to leave, so that the others
 * can close the store together. */
#include "worker.h"

#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "mailbox.h"
#include "sched/sched.h"
#include "stop.h"
#include "wait.h"

#define LISTEN_SECONDS 0.02
#define MOST_ORDERED 2

struct worker {
    const struct worker_setup *setup;
    struct mailbox mailbox;
    struct nap nap;
    pid_t parent;
    int watch;       /* of the master's process, see peer.h */
    double interval; /* seconds between heartbeats */
    double heard, next_listen, next_heartbeat;
    int32_t ordered[MOST_ORDERED]; /* the tasks to begin, in order */
    int32_t ordered_count;
    int32_t task; /* the task at hand, -1 = none */
    double iteration;
    bool told_to_stop, broken, leaving, together;
};

/* --- what goes on all the time --- */

static void take_order(struct worker *worker, const struct order *order)
{
    worker->heard = clock_seconds();
    switch (order->kind) {
    case ORDER_TASK:
    case ORDER_AHEAD:
        worker->ordered[worker->ordered_count++] = order->task;
        break;
    case ORDER_STOP:
        worker->told_to_stop = true;
        break;
    case ORDER_LEAVE:
        worker->leaving = true;
        worker->together = order->together;
        break;
    default: /* the master's heartbeat: it was heard, that is all */
        break;
    }
}

/* No more tasks come than have room. */
static bool is_order(const struct worker *worker, const struct order *order, size_t size)
{
    return order_is_valid(order, size, worker->setup->task_count) &&
           (!order_is_task(order) || worker->ordered_count < MOST_ORDERED);
}

static bool listen(struct worker *worker)
{
    struct order order;
    int rank;
    size_t size;
    if (!mailbox_look(TAG_ORDER, &rank, &size))
        return false;
    if (size > sizeof order || !mailbox_take(TAG_ORDER, rank, &order, sizeof order) ||
        !is_order(worker, &order, size)) {
        log_line(LOG_ERROR, "the master sent %zu bytes that are no order; this worker leaves",
                 size);
        worker->leaving = true;
        return false;
    }
    take_order(worker, &order);
    return true;
}

static bool master_is_gone(const struct worker *worker, double now)
{
    double silence = worker->setup->silence;
    return getppid() != worker->parent || peer_has_ended(worker->watch) ||
           (silence > 0 && now - worker->heard > silence);
}

static void beat(struct worker *worker, double now)
{
    struct report report = report_alive(worker->task, worker->iteration);
    worker->next_heartbeat = now + worker->interval;
    if (!worker->broken)
        mailbox_send(&worker->mailbox, &report, report_size(report.kind), 1);
    if (master_is_gone(worker, now)) {
        log_line(LOG_DEBUG, "the master is gone; this worker leaves");
        worker->leaving = true;
        worker->together = false;
    }
}

/* Returns whether orders came. They are read first: what waited while this rank was away must not
 * be taken for silence. */
static bool attend(struct worker *worker, double now)
{
    bool came = false;
    while (listen(worker))
        came = true;
    if (now >= worker->next_heartbeat)
        beat(worker, now);
    return came;
}

/* --- tasks --- */

static bool is_to_stop(const struct worker *worker)
{
    return worker->told_to_stop || worker->leaving || stop_requests() > 0;
}

static bool hear_progress(void *user, double iteration)
{
    struct worker *worker = user;
    double now = clock_seconds();
    worker->iteration = iteration;
    if (now >= worker->next_listen) {
        worker->next_listen = now + LISTEN_SECONDS;
        attend(worker, now);
    }
    return is_to_stop(worker);
}

/* Sends what must not be lost, or finds that there is nobody to send it to. */
static void send_surely(struct worker *worker, const struct report *report)
{
    struct nap nap = {0};
    while (!worker->leaving &&
           !mailbox_send(&worker->mailbox, report, report_size(report->kind), 0)) {
        attend(worker, clock_seconds());
        nap_take(&nap);
    }
}

static int32_t take_ordered(struct worker *worker)
{
    int32_t first = worker->ordered[0];
    worker->ordered[0] = worker->ordered[1];
    worker->ordered_count--;
    return first;
}

static void train(struct worker *worker)
{
    const struct executor *executor = worker->setup->executor;
    struct work_hooks hooks = {.user = worker, .progress = hear_progress};
    struct work_outcome outcome = {.status = WORK_INTERRUPTED};
    struct error err = {0};
    worker->task = take_ordered(worker);
    worker->iteration = -INFINITY;
    int failed = !is_to_stop(worker) &&
                 executor->run(executor->self, worker->task, &hooks, &outcome, &err) != 0;
    struct report report = failed ? report_broken(&err) : report_outcome(worker->task, &outcome);
    worker->broken = failed;
    worker->task = -1;
    send_surely(worker, &report);
}

/* --- the loop --- */

static void ask(struct worker *worker)
{
    struct report ready = report_ready();
    send_surely(worker, &ready);
}

/* Whether this process was away so long that it may be presumed dead. Its last heartbeat went out
 * some time before. */
static bool was_away(const struct worker *worker, double since, double now)
{
    double silence = worker->setup->silence;
    return silence > 0 && now - since > silence / 2;
}

static bool has_task(const struct worker *worker)
{
    return worker->ordered_count > 0 && !worker->broken;
}

static void serve(struct worker *worker)
{
    ask(worker);
    for (double looked = clock_seconds(); !worker->leaving;) {
        double now = clock_seconds();
        if (attend(worker, now) || has_task(worker))
            nap_reset(&worker->nap);
        else
            nap_take(&worker->nap);
        if (has_task(worker)) {
            train(worker);
            now = clock_seconds();
        } else if (was_away(worker, looked, now) && !worker->broken) {
            ask(worker);
        }
        looked = now;
    }
}

void worker_run(const struct worker_setup *setup, bool *together)
{
    struct worker worker = {
        .setup = setup,
        .parent = getppid(),
        .watch = peer_watch(setup->master),
        .interval = sched_heartbeat(setup->silence, setup->workers),
        .heard = clock_seconds(),
        .task = -1,
    };
    /* All begin together; their heartbeats come spread over the interval. */
    worker.next_heartbeat = worker.heard + worker.interval * setup->number / setup->workers;
    mailbox_init(&worker.mailbox, 0, TAG_REPORT);
    serve(&worker);
    if (worker.watch >= 0)
        close(worker.watch);
    *together = worker.together;
}
