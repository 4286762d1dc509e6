/* The front's side of isolation: an executor whose tasks run in the trainer. While one runs the
 * front waits for notes, passes the iteration on, and ends a trainer that breaks a limit. */
#include "work/isolation.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "board.h"

#define LOOK_MILLISECONDS 10

struct isolation {
    struct isolation_limits limits;
    struct board *board;
    int socket;
    pid_t keeper;
    int64_t serial; /* of the last task */
};

/* --- one task, as the front sees it --- */

enum ended_by { ENDED_BY_ITSELF, ENDED_FOR_TIME, ENDED_FOR_STANDSTILL };

struct watch {
    double began, stepped; /* seconds, monotonic: the task, its last step */
    double iteration;
    enum ended_by ended_by;
};

static void end_trainer(struct isolation *isolation, struct watch *watch, enum ended_by why)
{
    pid_t trainer = (pid_t)atomic_load(&isolation->board->trainer);
    if (watch->ended_by != ENDED_BY_ITSELF || trainer <= 0)
        return;
    watch->ended_by = why;
    kill(trainer, SIGKILL);
}

static void check_limits(struct isolation *isolation, struct watch *watch, double now)
{
    const struct isolation_limits *limits = &isolation->limits;
    if (limits->seconds > 0 && now - watch->began > limits->seconds)
        end_trainer(isolation, watch, ENDED_FOR_TIME);
    else if (limits->standstill > 0 && now - watch->stepped > limits->standstill)
        end_trainer(isolation, watch, ENDED_FOR_STANDSTILL);
}

/* A front that was itself stopped does not hold that against the task. */
static void look(struct isolation *isolation, struct watch *watch, double *looked,
                 const struct work_hooks *hooks)
{
    double now = clock_seconds(), away = now - *looked - 1;
    double iteration = atomic_load_explicit(&isolation->board->iteration, memory_order_relaxed);
    *looked = now;
    if (iteration > watch->iteration) {
        watch->iteration = iteration;
        watch->stepped = now;
    } else if (away > 0) {
        watch->stepped += away;
    }
    check_limits(isolation, watch, now);
    if (hooks != NULL && hooks->progress != NULL && hooks->progress(hooks->user, iteration))
        atomic_store(&isolation->board->stop, true);
}

/* 1 = a note of this task, 0 = none came, -1 = the keeper is gone. */
static int await_note(struct isolation *isolation, struct note *note)
{
    struct pollfd pollfd = {.fd = isolation->socket, .events = POLLIN};
    int ready = poll(&pollfd, 1, LOOK_MILLISECONDS);
    if (ready <= 0)
        return ready < 0 && errno != EINTR ? -1 : 0;
    if (!note_receive(isolation->socket, note, sizeof *note))
        return -1;
    return note->serial == isolation->serial;
}

/* --- what a trainer's end says --- */

static void describe_signal(int number, struct store_result *result)
{
    bool killed = number == SIGKILL;
    result->reason = killed ? STORE_REASON_MEMORY : STORE_REASON_CRASH;
    snprintf(result->message, sizeof result->message,
             killed ? "its process was killed (%s), as the system does where memory runs out"
                    : "its process crashed: %s",
             strsignal(number));
}

static void describe_end(const struct isolation *isolation, const struct watch *watch, int status,
                         struct store_result *result)
{
    const struct isolation_limits *limits = &isolation->limits;
    if (watch->ended_by == ENDED_BY_ITSELF && WIFSIGNALED(status)) {
        describe_signal(WTERMSIG(status), result);
        return;
    }
    result->reason = watch->ended_by == ENDED_BY_ITSELF ? STORE_REASON_CRASH : STORE_REASON_TIME;
    if (watch->ended_by == ENDED_FOR_TIME)
        snprintf(result->message, sizeof result->message,
                 "took longer than its limit of %g seconds", limits->seconds);
    else if (watch->ended_by == ENDED_FOR_STANDSTILL)
        snprintf(result->message, sizeof result->message, "made no step for %g seconds",
                 limits->standstill);
    else
        snprintf(result->message, sizeof result->message, "its process ended with status %d",
                 WEXITSTATUS(status));
}

static void fill_failure(const struct isolation *isolation, const struct watch *watch, int status,
                         struct work_outcome *outcome)
{
    *outcome = (struct work_outcome){.status = WORK_FAILED, .result = store_result_pending()};
    outcome->result.status = STORE_FAILED;
    outcome->seconds = outcome->result.seconds = clock_seconds() - watch->began;
    describe_end(isolation, watch, status, &outcome->result);
}

/* --- the executor --- */

static bool hand_over(struct isolation *isolation, int32_t task)
{
    struct board *board = isolation->board;
    struct note note = {.kind = NOTE_TASK, .task = task, .serial = ++isolation->serial};
    atomic_store(&board->stop, false);
    atomic_store(&board->iteration, -INFINITY);
    atomic_store(&board->serial, isolation->serial);
    return note_send(isolation->socket, &note, sizeof note);
}

static int take_result(const struct isolation *isolation, struct work_outcome *outcome,
                       struct error *err)
{
    const struct board *board = isolation->board;
    *outcome = board->outcome;
    if (!board->failed)
        return 0;
    return error_set(err, board->err.class, "%s", board->err.text);
}

static int isolated_run(void *self, int32_t task, const struct work_hooks *hooks,
                        struct work_outcome *outcome, struct error *err)
{
    struct isolation *isolation = self;
    double now = clock_seconds();
    struct watch watch = {.began = now, .stepped = now, .iteration = -INFINITY};
    struct note note;
    int came = hand_over(isolation, task) ? 0 : -1;
    for (double looked = now; came == 0;) {
        came = await_note(isolation, &note);
        if (came == 0)
            look(isolation, &watch, &looked, hooks);
    }
    atomic_store(&isolation->board->serial, 0);
    if (came < 0)
        return error_set(err, ERROR_RESOURCE, "the process that looks after tasks is gone");
    if (note.kind == NOTE_DONE)
        return take_result(isolation, outcome, err);
    fill_failure(isolation, &watch, note.status, outcome);
    return 0;
}

static void isolated_destroy(void *self)
{
    (void)self; /* isolation_end's */
}

/* --- beginning and end --- */

static int start_keeper(const struct isolation_setup *setup, struct isolation *isolation)
{
    int sockets[2];
    pid_t front = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return -1;
    isolation->socket = sockets[0];
    isolation->keeper = fork();
    if (isolation->keeper == 0) {
        close(sockets[0]);
        keeper_run(setup, isolation->board, sockets[1], front);
    }
    int reason = errno;
    close(sockets[1]);
    errno = reason;
    return isolation->keeper < 0 ? -1 : 0;
}

struct isolation *isolation_start(const struct isolation_setup *setup, struct error *err)
{
    struct isolation *isolation = mem_zeroed(1, sizeof *isolation, err);
    if (isolation == NULL)
        return NULL;
    isolation->limits = setup->limits;
    isolation->socket = -1;
    isolation->board = mmap(NULL, sizeof *isolation->board, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(NULL);
    if (isolation->board != MAP_FAILED && start_keeper(setup, isolation) == 0)
        return isolation;
    error_set(err, ERROR_RESOURCE, "no process can be started for tasks: %s", strerror(errno));
    isolation_end(isolation);
    return NULL;
}

int isolation_begin(struct isolation *isolation, const void *bytes, size_t size,
                    struct executor *executor, struct error *err)
{
    struct note note = {.kind = NOTE_BEGIN, .size = (int64_t)size};
    if (!note_send(isolation->socket, &note, sizeof note) ||
        !note_send(isolation->socket, bytes, size) ||
        !note_receive(isolation->socket, &note, sizeof note))
        return error_set(err, ERROR_RESOURCE,
                         "the process that looks after tasks ended at its start");
    if (note.kind == NOTE_REFUSED)
        return error_set(err, isolation->board->err.class, "%s", isolation->board->err.text);
    *executor =
        (struct executor){.self = isolation, .run = isolated_run, .destroy = isolated_destroy};
    return 0;
}

void isolation_end(struct isolation *isolation)
{
    if (isolation == NULL)
        return;
    if (isolation->socket >= 0)
        close(isolation->socket);
    while (isolation->keeper > 0 && waitpid(isolation->keeper, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (isolation->board != MAP_FAILED)
        munmap(isolation->board, sizeof *isolation->board);
    free(isolation);
}
