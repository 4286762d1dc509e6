/* Messages on their way to one rank. At most two are outstanding, and nothing ever waits for one:
 * a send to a dead rank neither fails nor finishes. */
#ifndef SWEEPSTAKE_DIST_MAILBOX_H
#define SWEEPSTAKE_DIST_MAILBOX_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "wire.h"

#define MAILBOX_PLACES 2
#define TAG_REPORT 1
#define TAG_ORDER 2

struct mailbox {
    int rank, tag;
    MPI_Request requests[MAILBOX_PLACES];
    union {
        struct report report;
        struct order order;
    } messages[MAILBOX_PLACES];
};

void mailbox_init(struct mailbox *mailbox, int rank, int tag);

/* Sends a copy, at most of a struct report's size. False: all places are taken, nothing was sent.
 * `keep` places stay free: 1 for messages that may be left out, so that those that may not find
 * room. */
bool mailbox_send(struct mailbox *mailbox, const void *message, size_t size, int keep);

/* Whether everything has been sent. */
bool mailbox_is_empty(struct mailbox *mailbox);

/* Whether a message of `tag` is here, from whom and how many bytes; it can be received without
 * waiting. */
bool mailbox_look(int tag, int *rank, size_t *size);
/* Receives the message looked at, at most `size` bytes. */
bool mailbox_take(int tag, int rank, void *message, size_t size);

#endif
