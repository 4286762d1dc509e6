/* The keeper and the trainer: the two processes beside a front. The keeper computes nothing; it
 * makes the executor, forks trainers and waits for them. A trainer reads its tasks from the same
 * socket, and leaves when the front has closed it. */
#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

#define IDLE_DEATHS 10 /* trainers in a row that ended without a task: something is wrong here */
#define STATUS_FRONT_GONE 0

bool note_send(int socket, const void *bytes, size_t size)
{
    const char *from = bytes;
    while (size > 0) {
        ssize_t sent = send(socket, from, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        from += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool note_receive(int socket, void *bytes, size_t size)
{
    char *to = bytes;
    while (size > 0) {
        ssize_t got = recv(socket, to, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        size -= (size_t)got;
    }
    return true;
}

/* --- both --- */

/* Neither outlives the process it came from, nor hears what is meant for the run. */
static void settle(pid_t parent)
{
    static const int ignored[] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP, SIGQUIT};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(STATUS_FRONT_GONE);
    setpgid(0, 0);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
}

/* --- the trainer --- */

#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_CAN_BE_LIMITED false /* its shadow memory counts */
#else
#define MEMORY_CAN_BE_LIMITED true
#endif

/* Where memory runs out all the same, the kernel is to choose this process. */
static void offer_to_be_killed(void)
{
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return;
    if (write(file, "500", 3) != 3)
        errno = 0; /* then it chooses as it likes */
    close(file);
}

/* A crash is to end the process, whatever a library of the front's thought of it. */
static void crash_plainly(void)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
}

static void limit_memory(int64_t bytes)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)bytes, .rlim_max = (rlim_t)bytes};
    offer_to_be_killed();
    if (MEMORY_CAN_BE_LIMITED && bytes > 0)
        setrlimit(RLIMIT_DATA, &limit);
}

static bool hear_progress(void *user, double iteration)
{
    struct board *board = user;
    atomic_store_explicit(&board->iteration, iteration, memory_order_relaxed);
    return atomic_load_explicit(&board->stop, memory_order_relaxed);
}

static void run_task(const struct executor *executor, struct board *board, int32_t task)
{
    struct work_hooks hooks = {.user = board, .progress = hear_progress};
    board->err = (struct error){0};
    board->failed = executor->run(executor->self, task, &hooks, &board->outcome, &board->err) != 0;
}

static _Noreturn void trainer_run(const struct isolation_setup *setup,
                                  const struct executor *executor, struct board *board, int socket)
{
    struct note note;
    crash_plainly();
    limit_memory(setup->limits.memory);
    while (note_receive(socket, &note, sizeof note)) {
        if (note.kind != NOTE_TASK || note.serial != atomic_load(&board->serial))
            continue; /* was meant for a trainer before this one */
        run_task(executor, board, note.task);
        note.kind = NOTE_DONE;
        if (!note_send(socket, &note, sizeof note))
            break;
    }
    executor->destroy(executor->self);
    _exit(STATUS_FRONT_GONE);
}

/* --- the keeper --- */

static int make_executor(const struct isolation_setup *setup, int socket, struct executor *executor,
                         struct error *err)
{
    struct note note;
    if (!note_receive(socket, &note, sizeof note) || note.kind != NOTE_BEGIN)
        _exit(STATUS_FRONT_GONE);
    char *bytes = mem_zeroed((size_t)note.size + 1, 1, err); /* a text is terminated */
    if (bytes == NULL)
        return -1;
    if (!note_receive(socket, bytes, (size_t)note.size))
        _exit(STATUS_FRONT_GONE);
    int failed = setup->make(setup->user, bytes, (size_t)note.size, executor, err);
    free(bytes);
    return failed;
}

static pid_t fork_trainer(const struct isolation_setup *setup, const struct executor *executor,
                          struct board *board, int socket)
{
    pid_t keeper = getpid(), trainer = fork();
    if (trainer == 0) {
        settle(keeper);
        trainer_run(setup, executor, board, socket);
    }
    atomic_store(&board->trainer, (int32_t)trainer);
    return trainer;
}

static int await(pid_t trainer)
{
    int status = 0;
    while (waitpid(trainer, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

_Noreturn void keeper_run(const struct isolation_setup *setup, struct board *board, int socket,
                          pid_t front)
{
    struct executor executor;
    struct note note = {.kind = NOTE_READY};
    settle(front);
    if (make_executor(setup, socket, &executor, &board->err) != 0)
        note.kind = NOTE_REFUSED;
    if (!note_send(socket, &note, sizeof note) || note.kind == NOTE_REFUSED)
        _exit(STATUS_FRONT_GONE);
    for (int idle_deaths = 0; idle_deaths < IDLE_DEATHS;) {
        pid_t trainer = fork_trainer(setup, &executor, board, socket);
        int status = trainer < 0 ? -1 : await(trainer);
        if (status == STATUS_FRONT_GONE || trainer < 0)
            break;
        note = (struct note){
            .kind = NOTE_ENDED, .serial = atomic_load(&board->serial), .status = status};
        idle_deaths = note.serial == 0 ? idle_deaths + 1 : 0;
        if (!note_send(socket, &note, sizeof note))
            break;
    }
    executor.destroy(executor.self);
    _exit(STATUS_FRONT_GONE);
}
