/* What ranks tell each other: reports go from workers to the master, orders from the master to
 * workers. Fixed-size structs of plain members, sent as bytes between ranks of one program on
 * machines of one kind. Pure: no MPI here. */
#ifndef SWEEPSTAKE_DIST_WIRE_H
#define SWEEPSTAKE_DIST_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/store.h"
#include "work/work.h"

#define WIRE_TEXT_SIZE STORE_RESULT_BYTES

enum report_kind {
    REPORT_READY = 1, /* gives itself to the master: asks for its first task */
    REPORT_ALIVE,     /* the heartbeat: task and iteration, task -1 while idle */
    REPORT_OUTCOME,   /* of a task; asks for the next one if none was sent ahead */
    REPORT_BROKEN,    /* this worker cannot go on, `text` says why; it leaves */
};

struct report {
    int32_t kind;
    int32_t task;     /* -1 = none */
    double iteration; /* REPORT_ALIVE */
    int32_t status;   /* REPORT_OUTCOME: enum work_status; REPORT_BROKEN: enum error_class */
    int32_t reserved; /* 0 */
    double seconds;   /* REPORT_OUTCOME */
    uint64_t digest;  /* REPORT_OUTCOME: of the payload that is on the disk */
    union {
        struct store_result result; /* REPORT_OUTCOME */
        char text[WIRE_TEXT_SIZE];  /* REPORT_BROKEN */
    };
};
_Static_assert(sizeof(struct report) == 40 + STORE_RESULT_BYTES, "reports have no hidden padding");

enum order_kind {
    ORDER_TASK = 1, /* train `task` */
    ORDER_AHEAD,    /* the same after the task at hand: this may be left out */
    ORDER_STOP,     /* interrupt the task at hand and give it back, and one sent ahead */
    ORDER_ALIVE,    /* the master's heartbeat */
    ORDER_LEAVE,    /* the launch is over; `together`: all ranks are here to close and finalize */
};

struct order {
    int32_t kind;
    int32_t task;     /* ORDER_TASK, ORDER_AHEAD */
    int32_t together; /* ORDER_LEAVE */
    int32_t reserved; /* 0 */
};
_Static_assert(sizeof(struct order) == 16, "orders have no hidden padding");

struct report report_ready(void);
struct report report_alive(int32_t task, double iteration);
struct report report_outcome(int32_t task, const struct work_outcome *outcome);
struct report report_broken(const struct error *err);
/* Bytes that are sent of a report: heartbeats leave the tail out. 0 = there is no such kind. */
size_t report_size(int32_t kind);
/* Whether `size` received bytes are a report that makes sense in a plan of `task_count` tasks. */
bool report_is_valid(const struct report *report, size_t size, int32_t task_count);

struct order order_task(int32_t task);
struct order order_ahead(int32_t task);
/* Whether it has a task; each of these is answered by one outcome. */
bool order_is_task(const struct order *order);
struct order order_of(enum order_kind kind);
struct order order_leave(bool together);
bool order_is_valid(const struct order *order, size_t size, int32_t task_count);

#endif
