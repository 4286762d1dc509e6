/* The channel of a run in one process: `send` takes the task down, `receive` trains it. */
#include "local.h"

#include "base/file.h"
#include "stop.h"

#define HEARTBEAT_SECONDS 0.25

static bool hear_progress(void *user, double iteration)
{
    struct local *local = user;
    double now = clock_seconds();
    if (now >= local->next_heartbeat) {
        struct report report = report_alive(local->task, iteration);
        local->next_heartbeat = now + HEARTBEAT_SECONDS;
        local->channel->overhear(local->channel->overhear_user, 0, &report);
    }
    return local->told_to_stop || stop_requests() > 0;
}

static int local_receive(void *self, int32_t *worker, struct report *report, struct error *err)
{
    struct local *local = self;
    struct work_hooks hooks = {.user = local, .progress = hear_progress};
    struct work_outcome outcome;
    (void)err;
    *worker = 0;
    if (!local->has_asked) {
        local->has_asked = true;
        *report = report_ready();
        return 1;
    }
    if (local->task < 0)
        return 0;
    struct error why = {0};
    bool failed = local->executor->run(local->executor->self, local->task, &hooks, &outcome, &why);
    *report = failed ? report_broken(&why) : report_outcome(local->task, &outcome);
    local->task = -1;
    return 1;
}

static bool local_send(void *self, int32_t worker, const struct order *order)
{
    struct local *local = self;
    (void)worker;
    if (order->kind == ORDER_TASK)
        local->task = order->task;
    else if (order->kind == ORDER_STOP)
        local->told_to_stop = true;
    return true;
}

static bool local_has_ended(void *self, int32_t worker)
{
    (void)self;
    (void)worker;
    return false;
}

/* There is nothing to wait for: the worker is done with its task or has been given the next. */
static void local_wait(void *self, bool something_happened)
{
    (void)self;
    (void)something_happened;
}

void local_open(struct local *local, const struct executor *executor, struct channel *channel)
{
    *local = (struct local){.executor = executor, .task = -1, .channel = channel};
    *channel = (struct channel){
        .self = local,
        .workers = 1,
        .receive = local_receive,
        .send = local_send,
        .has_ended = local_has_ended,
        .wait = local_wait,
    };
}
