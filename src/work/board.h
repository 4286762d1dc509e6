/* What front, keeper and trainer share: a board in shared memory, and notes through a socket that
 * say to look at it. */
#ifndef SWEEPSTAKE_WORK_BOARD_H
#define SWEEPSTAKE_WORK_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "work/isolation.h"

enum note_kind {
    NOTE_BEGIN = 1, /* front: `size` bytes follow */
    NOTE_TASK,      /* front: run `task` */
    NOTE_READY,     /* keeper: the executor is made */
    NOTE_REFUSED,   /* keeper: it is not; the board has the error */
    NOTE_DONE,      /* trainer: the board has the outcome */
    NOTE_ENDED,     /* keeper: the trainer ended, with the wait status `status` */
};

struct note {
    int32_t kind, task;
    int64_t serial; /* of the task: what is said of an earlier one is old */
    int64_t size;
    int32_t status, reserved;
};

struct board {
    _Atomic int64_t serial; /* of the task at hand; 0 = none */
    _Atomic double iteration;
    _Atomic bool stop;
    _Atomic int32_t trainer; /* its pid */
    bool failed;             /* the executor returned -1, with the error */
    struct error err;
    struct work_outcome outcome;
};

/* Whole transfers; false when the other end is gone. */
bool note_send(int socket, const void *bytes, size_t size);
bool note_receive(int socket, void *bytes, size_t size);

/* The life of the keeper; does not return. */
_Noreturn void keeper_run(const struct isolation_setup *setup, struct board *board, int socket,
                          pid_t front);

#endif
