/* The master. Each round of its loop takes one report, lets the scheduler know, and then does what
 * the scheduler says until it says nothing more; about once a second it beats: tells its workers
 * that it lives, looks whether they do (some at a beat where they are many), and shows the
 * progress.
 *
 * A worker answers each task that was sent to it with one outcome, in order. Where some are owed it
 * has not asked, whatever it said: what was sent to it is under way. So one that was presumed dead
 * is trusted again when it owes nothing, and does not get one task while it works at another.
 *
 * Invariants: `attempts` are on the disk before a task is handed out, and a result row before
 * anything follows from it (a task, the end); a result row is written only for a result that the
 * scheduler counts, and nothing once another run has the store; nothing here waits for a worker;
 * actions follow each report at once (the ledger remembers one message). */
#include "master.h"

#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "gauge.h"
#include "stop.h"
#include "wait.h"

/* What the master remembers of a worker. */
struct hand {
    int32_t attempts;      /* of the task at hand, this one included */
    int32_t next_attempts; /* of the one sent ahead */
    int32_t owed;          /* outcomes of tasks that were sent to it */
    bool is_home;          /* dismissed, and waiting for the order to leave */
};

struct master {
    const struct master_setup *setup;
    struct sched *sched;
    struct gauge gauge;
    struct ledger ledger;
    struct error broken;   /* why the last worker that gave up did */
    struct error replaced; /* another run has the store */
    struct error storage;  /* the store's file system failed, here or at a worker: the run stops */
    struct hand *hands;    /* [workers] */
    double beat_interval, next_beat;
    int32_t looked_after; /* the next beat goes on with this worker */
    bool stopping, finished;
};

/* --- telling the scheduler --- */

static void note_loss(struct master *master, int32_t worker, int32_t task)
{
    if (task >= 0)
        ledger_note_loss(&master->ledger, task, &master->setup->places[worker]);
}

static bool tell(struct master *master, enum sched_event_kind kind, int32_t worker)
{
    struct sched_event event = {.kind = kind, .now = clock_seconds(), .worker = worker, .task = -1};
    return sched_event(master->sched, &event);
}

/* The same where the task that the worker holds, if any, is lost by it. */
static bool tell_losing(struct master *master, enum sched_event_kind kind, int32_t worker)
{
    note_loss(master, worker, sched_worker_task(master->sched, worker));
    return tell(master, kind, worker);
}

static void hear(void *user, int32_t worker, const struct report *report)
{
    struct master *master = user;
    const struct plan *plan = master->setup->plan;
    struct sched_event event = {
        .kind = SCHED_HEARD,
        .now = clock_seconds(),
        .worker = worker,
        .task = report->task,
        .progress = report->iteration,
        .goal = report->task >= 0 ? plan_end_iteration(plan, &plan->tasks[report->task]) : 0,
    };
    sched_event(master->sched, &event);
    gauge_iteration(&master->gauge, worker, report->task, report->iteration);
}

/* --- stopping --- */

static void stop(struct master *master)
{
    struct channel *channel = master->setup->channel;
    struct order order = order_of(ORDER_STOP);
    if (master->stopping)
        return;
    master->stopping = true;
    tell(master, SCHED_STOP, -1);
    for (int32_t i = 0; i < channel->workers; i++) {
        if (sched_worker_task(master->sched, i) >= 0)
            channel->send(channel->self, i, &order);
    }
}

/* --- beats --- */

static void show(struct master *master, double now)
{
    if (master->setup->show != NULL)
        master->setup->show(master->setup->show_user,
                            gauge_read(&master->gauge, master->sched, now));
}

static void look_after(struct master *master, int32_t worker)
{
    struct channel *channel = master->setup->channel;
    struct order alive = order_of(ORDER_ALIVE);
    if (channel->has_ended(channel->self, worker)) {
        bool had_task = sched_worker_task(master->sched, worker) >= 0;
        if (tell_losing(master, SCHED_WORKER_LOST, worker))
            log_line(LOG_WARNING, "worker %d on %s died%s", worker + 1,
                     master->setup->places[worker].host,
                     had_task ? "; its task goes to another" : "");
    } else {
        channel->send(channel->self, worker, &alive);
    }
}

/* As many as it takes for each to be looked after once in its own interval. */
static void look_after_some(struct master *master)
{
    int32_t workers = master->setup->channel->workers;
    double interval = sched_heartbeat(master->setup->limits.silence, workers);
    int32_t some = (int32_t)ceil(workers * master->beat_interval / interval);
    for (int32_t i = 0; i < some; i++) {
        look_after(master, master->looked_after);
        master->looked_after = (master->looked_after + 1) % workers;
    }
}

static void beat(struct master *master)
{
    double now = clock_seconds();
    if (now < master->next_beat)
        return;
    master->next_beat = now + master->beat_interval;
    look_after_some(master);
    tell(master, SCHED_TICK, -1);
    if (ledger_check(&master->ledger, &master->replaced) != 0)
        stop(master); /* a task that trains inside `receive` is to end, too */
    master->setup->beat(master->setup->beat_user);
    show(master, now);
}

/* A heartbeat from a task that trains inside `receive`: the loop stands still meanwhile. */
static void overhear(void *user, int32_t worker, const struct report *report)
{
    hear(user, worker, report);
    beat(user);
}

/* A file system that fails ends the run, but not at once: workers give their tasks back. Returns -1
 * for any other error. */
static int meet_storage(struct master *master, const struct error *why)
{
    if (why->class != ERROR_STORAGE)
        return -1;
    if (master->storage.class == ERROR_NONE) {
        log_line(LOG_ERROR, "%s: stopping", why->text);
        master->storage = *why;
    }
    stop(master);
    return 0;
}

/* The same where it was this process that could not write. */
static int close_ledger(struct master *master, const struct error *why)
{
    if (meet_storage(master, why) != 0)
        return -1;
    master->ledger.is_closed = true;
    return 0;
}

static void give_back(struct master *master, int32_t worker, int32_t task)
{
    struct sched_event event = {
        .kind = SCHED_TASK_INTERRUPTED,
        .now = clock_seconds(),
        .worker = worker,
        .task = task,
    };
    sched_event(master->sched, &event);
}

/* What was sent ahead is at hand when the first is back. */
static void give_all_back(struct master *master, int32_t worker)
{
    for (int32_t task; (task = sched_worker_task(master->sched, worker)) >= 0;)
        give_back(master, worker, task);
}

/* --- reports --- */

static enum sched_event_kind event_of(int32_t work_status)
{
    switch (work_status) {
    case WORK_DONE:
        return SCHED_TASK_DONE;
    case WORK_DIVERGED:
        return SCHED_TASK_DIVERGED;
    case WORK_INTERRUPTED:
        return SCHED_TASK_INTERRUPTED;
    default:
        return SCHED_TASK_FAILED;
    }
}

static void ask(struct master *master, int32_t worker)
{
    if (master->hands[worker].owed > 0)
        return;
    master->hands[worker].is_home = false;
    tell_losing(master, SCHED_WORKER_READY, worker);
}

/* What was sent ahead is at hand now. */
static void turn_to_next(struct master *master, int32_t worker)
{
    struct hand *hand = &master->hands[worker];
    gauge_task(&master->gauge, worker, sched_worker_task(master->sched, worker));
    hand->attempts = hand->next_attempts;
}

static int take_outcome(struct master *master, int32_t worker, const struct report *report,
                        struct error *err)
{
    struct sched_event event = {
        .kind = event_of(report->status),
        .now = clock_seconds(),
        .worker = worker,
        .task = report->task,
        .seconds = report->seconds,
        .is_final = report->status == WORK_FAILED && ledger_is_final(&master->ledger, report),
    };
    /* A worker that was asked to stop knows before this process when the signal came there first.
     */
    if (report->status == WORK_INTERRUPTED)
        stop(master);
    bool counts = sched_event(master->sched, &event);
    if (report->status == WORK_DONE)
        gauge_iteration(&master->gauge, worker, report->task, INFINITY);
    if (master->hands[worker].owed > 0)
        master->hands[worker].owed--;
    if (counts && report->status == WORK_FAILED)
        ledger_note_failure(&master->ledger, report, &master->setup->places[worker]);
    if (counts && (report->status == WORK_DONE || report->status == WORK_DIVERGED) &&
        ledger_commit(&master->ledger, report, &master->setup->places[worker],
                      master->hands[worker].attempts, err) != 0 &&
        close_ledger(master, err) != 0)
        return -1;
    turn_to_next(master, worker);
    ask(master, worker);
    return 0;
}

static void lose_broken(struct master *master, int32_t worker, const struct report *report)
{
    struct error why = {.class = (enum error_class)report->status};
    text_copy(why.text, sizeof why.text, report->text);
    master->broken = why;
    if (meet_storage(master, &why) == 0)
        give_all_back(master, worker); /* it is not the task's fault */
    else
        log_line(LOG_WARNING, "worker %d on %s gives up: %s", worker + 1,
                 master->setup->places[worker].host, why.text);
    master->hands[worker].is_home = true; /* it stays for the order to leave */
    tell_losing(master, SCHED_WORKER_LOST, worker);
    gauge_task(&master->gauge, worker, -1);
}

static int take_report(struct master *master, int32_t worker, const struct report *report,
                       struct error *err)
{
    switch (report->kind) {
    case REPORT_READY:
        ask(master, worker);
        return 0;
    case REPORT_ALIVE:
        hear(master, worker, report);
        return 0;
    case REPORT_OUTCOME:
        return take_outcome(master, worker, report, err);
    default:
        lose_broken(master, worker, report);
        return 0;
    }
}

/* --- actions --- */

static int hand_out(struct master *master, const struct sched_action *action, struct error *err)
{
    struct channel *channel = master->setup->channel;
    struct order order = order_task(action->task);
    if (ledger_write_attempts(&master->ledger, action, err) != 0)
        return -1;
    gauge_task(&master->gauge, action->worker, action->task);
    master->hands[action->worker].attempts = action->attempts;
    if (channel->send(channel->self, action->worker, &order))
        master->hands[action->worker].owed++;
    else
        tell_losing(master, SCHED_WORKER_LOST, action->worker);
    return 0;
}

static int send_ahead(struct master *master, const struct sched_action *action, struct error *err)
{
    struct channel *channel = master->setup->channel;
    struct order order = order_ahead(action->task);
    if (ledger_write_attempts(&master->ledger, action, err) != 0)
        return -1;
    master->hands[action->worker].next_attempts = action->attempts;
    if (channel->send(channel->self, action->worker, &order))
        master->hands[action->worker].owed++;
    else
        give_back(master, action->worker, action->task);
    return 0;
}

static void presume_dead(struct master *master, const struct sched_action *action)
{
    log_line(LOG_WARNING, "nothing was heard of worker %d on %s for too long%s", action->worker + 1,
             master->setup->places[action->worker].host,
             action->task >= 0 ? "; its task goes to another" : "");
    note_loss(master, action->worker, action->task);
    gauge_task(&master->gauge, action->worker, -1);
}

static int act(struct master *master, const struct sched_action *action, struct error *err)
{
    switch (action->kind) {
    case SCHED_HAND_OUT:
        return hand_out(master, action, err);
    case SCHED_SEND_AHEAD:
        return send_ahead(master, action, err);
    case SCHED_WRITE_OFF:
        return ledger_write_off(&master->ledger, action, err);
    case SCHED_WRITE_ATTEMPTS:
        return ledger_write_attempts(&master->ledger, action, err);
    case SCHED_PRESUME_DEAD:
        presume_dead(master, action);
        return 0;
    case SCHED_DISMISS_WORKER:
        master->hands[action->worker].is_home = true;
        return 0;
    case SCHED_FINISHED:
        master->finished = true;
        return 0;
    }
    return 0;
}

static int act_on_all(struct master *master, struct error *err)
{
    struct sched_action action;
    while (!master->finished && sched_next(master->sched, &action)) {
        if (act(master, &action, err) == 0)
            continue;
        if (close_ledger(master, err) != 0)
            return -1;
        /* Its attempts were not written: it was not sent. */
        if (action.kind == SCHED_HAND_OUT || action.kind == SCHED_SEND_AHEAD)
            give_back(master, action.worker, action.task);
        if (action.kind == SCHED_HAND_OUT)
            ask(master, action.worker);
    }
    return ledger_settle(&master->ledger, err) != 0 ? close_ledger(master, err) : 0;
}

static int loop(struct master *master, struct error *err)
{
    struct channel *channel = master->setup->channel;
    while (!master->finished) {
        int32_t worker;
        struct report report;
        int received = channel->receive(channel->self, &worker, &report, err);
        if (received < 0 || (received > 0 && take_report(master, worker, &report, err) != 0))
            return -1;
        if (stop_requests() > 0)
            stop(master);
        beat(master);
        if (master->replaced.class != ERROR_NONE) {
            *err = master->replaced;
            return -1;
        }
        if (act_on_all(master, err) != 0)
            return -1;
        if (!master->finished)
            channel->wait(channel->self, received > 0);
    }
    return 0;
}

/* --- start and end --- */

/* There is a row of /environment for each host. */
static int tell_hosts(struct master *master, struct error *err)
{
    int32_t workers = master->setup->channel->workers;
    int32_t *hosts = mem_zeroed((size_t)workers, sizeof *hosts, err);
    if (hosts == NULL)
        return -1;
    for (int32_t i = 0; i < workers; i++)
        hosts[i] = master->setup->places[i].environment;
    sched_set_hosts(master->sched, hosts);
    free(hosts);
    return 0;
}

static int create_sched(struct master *master, int32_t *kept, struct error *err)
{
    const struct master_setup *setup = master->setup;
    size_t count = (size_t)setup->plan->task_count;
    struct sched_task *tasks = mem_zeroed(count, sizeof *tasks, err);
    if (tasks != NULL && ledger_read(&master->ledger, tasks, kept, err) == 0)
        master->sched = sched_create(tasks, setup->plan->task_count, setup->channel->workers,
                                     setup->limits, err);
    free(tasks);
    return master->sched == NULL ? -1 : tell_hosts(master, err);
}

static int master_init(struct master *master, const struct master_setup *setup, struct error *err)
{
    int32_t kept = 0;
    *master = (struct master){
        .setup = setup,
        .beat_interval = sched_heartbeat(setup->limits.silence, 1),
    };
    master->hands = mem_zeroed((size_t)setup->channel->workers, sizeof *master->hands, err);
    if (master->hands == NULL ||
        ledger_init(&master->ledger, setup->plan, setup->store, setup->lock, err) != 0 ||
        create_sched(master, &kept, err) != 0)
        return -1;
    setup->channel->overhear = overhear;
    setup->channel->overhear_user = master;
    return gauge_init(&master->gauge, setup->plan, setup->channel->workers, kept, clock_seconds(),
                      err);
}

static void master_finish(struct master *master)
{
    gauge_finish(&master->gauge);
    sched_destroy(master->sched);
    ledger_finish(&master->ledger);
    free(master->hands);
}

static bool all_are_home(const struct master *master)
{
    struct channel *channel = master->setup->channel;
    for (int32_t i = 0; i < channel->workers; i++) {
        if (!master->hands[i].is_home || channel->has_ended(channel->self, i))
            return false;
    }
    return true;
}

static void send_away(struct master *master, bool together)
{
    struct channel *channel = master->setup->channel;
    struct order order = order_leave(together);
    for (int32_t i = 0; i < channel->workers; i++)
        channel->send(channel->self, i, &order);
}

static int judge(struct master *master, struct master_end *end, struct error *err)
{
    struct sched_counts counts;
    if (master->storage.class != ERROR_NONE) {
        *err = master->storage;
        return -1;
    }
    sched_counts(master->sched, &counts);
    if (counts.left == 0)
        end->verdict =
            counts.failed + counts.unreachable > 0 ? MASTER_SOME_FAILED : MASTER_COMPLETE;
    else if (master->stopping)
        end->verdict = MASTER_STOPPED;
    else if (master->broken.class == ERROR_NONE)
        end->verdict = MASTER_NO_WORKERS;
    else
        return error_set(err, master->broken.class, "no worker can go on: %s", master->broken.text);
    return 0;
}

int master_run(const struct master_setup *setup, struct master_end *end, struct error *err)
{
    struct master master;
    *end = (struct master_end){.verdict = MASTER_STOPPED};
    int failed = master_init(&master, setup, err) != 0 || loop(&master, err) != 0;
    if (!failed) {
        show(&master, clock_seconds());
        failed = judge(&master, end, err) != 0;
        /* Closing a file on a file system that fails may hang. */
        end->together = master.storage.class == ERROR_NONE && all_are_home(&master);
    }
    send_away(&master, end->together);
    master_finish(&master);
    return failed ? -1 : 0;
}
