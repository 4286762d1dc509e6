/* The channel of a run over MPI. Nothing here waits: messages that have come are taken, those to
 * be sent are handed to MPI, and a worker whose mailbox is full has stopped reading. */
#include "remote.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "mailbox.h"
#include "wait.h"

struct remote {
    struct nap nap;
    int32_t workers, task_count;
    int *watches; /* [workers], see peer.h */
    struct mailbox *mailboxes;
};

static int remote_receive(void *self, int32_t *worker, struct report *report, struct error *err)
{
    struct remote *remote = self;
    int rank;
    size_t size;
    if (!mailbox_look(TAG_REPORT, &rank, &size))
        return 0;
    if (size > sizeof *report || !mailbox_take(TAG_REPORT, rank, report, sizeof *report) ||
        !report_is_valid(report, size, remote->task_count))
        return error_set(err, ERROR_INTERNAL,
                         "rank %d sent %zu bytes that are no report; all ranks must run the same "
                         "program",
                         rank, size);
    *worker = rank - 1;
    return 1;
}

static bool remote_send(void *self, int32_t worker, const struct order *order)
{
    struct remote *remote = self;
    int keep = order->kind == ORDER_ALIVE || order->kind == ORDER_AHEAD ? 1 : 0;
    return mailbox_send(&remote->mailboxes[worker], order, sizeof *order, keep);
}

static bool remote_has_ended(void *self, int32_t worker)
{
    const struct remote *remote = self;
    return peer_has_ended(remote->watches[worker]);
}

static void remote_wait(void *self, bool something_happened)
{
    struct remote *remote = self;
    if (something_happened)
        nap_reset(&remote->nap);
    else
        nap_take(&remote->nap);
}

struct remote *remote_open(const struct peer *peers, int ranks, int32_t task_count,
                           struct channel *channel, struct error *err)
{
    size_t workers = (size_t)ranks - 1;
    struct remote *remote = mem_zeroed(1, sizeof *remote, err);
    if (remote == NULL)
        return NULL;
    remote->watches = mem_zeroed(workers, sizeof *remote->watches, err);
    remote->mailboxes = mem_zeroed(workers, sizeof *remote->mailboxes, err);
    if (remote->watches == NULL || remote->mailboxes == NULL) {
        remote_close(remote);
        return NULL;
    }
    remote->task_count = task_count;
    remote->workers = ranks - 1;
    for (int i = 0; i < remote->workers; i++) {
        remote->watches[i] = peer_watch(&peers[i + 1]);
        mailbox_init(&remote->mailboxes[i], i + 1, TAG_ORDER);
    }
    *channel = (struct channel){
        .self = remote,
        .workers = remote->workers,
        .receive = remote_receive,
        .send = remote_send,
        .has_ended = remote_has_ended,
        .wait = remote_wait,
    };
    return remote;
}

bool remote_flush(struct remote *remote, double seconds)
{
    struct nap nap = {0};
    double end = clock_seconds() + seconds;
    for (int i = 0; i < remote->workers;) {
        if (mailbox_is_empty(&remote->mailboxes[i]))
            i++;
        else if (clock_seconds() > end)
            return false;
        else
            nap_take(&nap);
    }
    return true;
}

void remote_close(struct remote *remote)
{
    if (remote == NULL)
        return;
    for (int i = 0; i < remote->workers && remote->watches != NULL; i++) {
        if (remote->watches[i] >= 0)
            close(remote->watches[i]);
    }
    free(remote->watches);
    free(remote->mailboxes);
    free(remote);
}
