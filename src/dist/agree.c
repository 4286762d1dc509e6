/* What all ranks do together at the start. These calls spin while they wait; nothing is being
 * trained yet that they could slow down. */
#include "agree.h"

#include <mpi.h>

#include "base/memory.h"

int agree_on_error(bool failed, struct error *err)
{
    int rank, ranks, first;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    int mine = failed ? rank : ranks;
    MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (first == ranks)
        return 0;
    MPI_Bcast(err, (int)sizeof *err, MPI_BYTE, first, MPI_COMM_WORLD);
    return -1;
}

int agree_on_text(char **text, size_t *length, struct error *err)
{
    int rank;
    unsigned long bytes = *length;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Bcast(&bytes, 1, MPI_UNSIGNED_LONG, 0, MPI_COMM_WORLD);
    *length = bytes;
    if (rank != 0)
        *text = mem_zeroed(*length + 1, 1, err);
    if (agree_on_error(*text == NULL, err) != 0)
        return -1;
    MPI_Bcast(*text, (int)*length, MPI_BYTE, 0, MPI_COMM_WORLD);
    return 0;
}

int agree_on_number(int number)
{
    MPI_Bcast(&number, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return number;
}

void agree_on_peers(struct peer *peers)
{
    struct peer self;
    peer_self(&self);
    MPI_Allgather(&self, (int)sizeof self, MPI_BYTE, peers, (int)sizeof self, MPI_BYTE,
                  MPI_COMM_WORLD);
}
