/* Messages on their way to one rank, and those that have come. All are below the limit up to which
 * MPI sends at once and buffers at the receiver, so that a message seen by a probe is here in
 * full. */
#include "mailbox.h"

#include <string.h>

void mailbox_init(struct mailbox *mailbox, int rank, int tag)
{
    memset(mailbox, 0, sizeof *mailbox);
    mailbox->rank = rank;
    mailbox->tag = tag;
    for (int i = 0; i < MAILBOX_PLACES; i++)
        mailbox->requests[i] = MPI_REQUEST_NULL;
}

static int count_free(struct mailbox *mailbox, int *first)
{
    int free_places = 0;
    for (int i = MAILBOX_PLACES - 1; i >= 0; i--) {
        int done = 1;
        if (mailbox->requests[i] != MPI_REQUEST_NULL)
            MPI_Test(&mailbox->requests[i], &done, MPI_STATUS_IGNORE);
        if (done) {
            mailbox->requests[i] = MPI_REQUEST_NULL;
            *first = i;
            free_places++;
        }
    }
    return free_places;
}

bool mailbox_send(struct mailbox *mailbox, const void *message, size_t size, int keep)
{
    int place = -1;
    if (count_free(mailbox, &place) <= keep || size > sizeof mailbox->messages[0])
        return false;
    memcpy(&mailbox->messages[place], message, size);
    return MPI_Isend(&mailbox->messages[place], (int)size, MPI_BYTE, mailbox->rank, mailbox->tag,
                     MPI_COMM_WORLD, &mailbox->requests[place]) == MPI_SUCCESS;
}

bool mailbox_is_empty(struct mailbox *mailbox)
{
    int place;
    return count_free(mailbox, &place) == MAILBOX_PLACES;
}

bool mailbox_look(int tag, int *rank, size_t *size)
{
    MPI_Status status;
    int here = 0, bytes = 0;
    /* Twice: the first only moves messages along, the second sees what that brought. */
    for (int i = 0; i < 2 && !here; i++) {
        if (MPI_Iprobe(MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, &here, &status) != MPI_SUCCESS)
            return false;
    }
    if (!here || MPI_Get_count(&status, MPI_BYTE, &bytes) != MPI_SUCCESS)
        return false;
    *rank = status.MPI_SOURCE;
    *size = (size_t)bytes;
    return true;
}

bool mailbox_take(int tag, int rank, void *message, size_t size)
{
    return MPI_Recv(message, (int)size, MPI_BYTE, rank, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE) ==
           MPI_SUCCESS;
}
