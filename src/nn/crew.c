/* Owns the threads that help the caller's, and the call that they work on.
 *
 * They start with the first call that is divided, so that a process which only forks others (the
 * keeper) has none, and sleep between calls: a core that others want is theirs. Whoever is awake
 * takes the next share; who does is no matter. Where a thread cannot be had, the others do its
 * work. Signals are for the caller's thread. */
#include "crew.h"

#include <pthread.h>
#include <signal.h>

#include "float_mode.h"

#define STACK_BYTES (1 << 20) /* kernels take less than a tenth; it counts as a task's memory */

static struct {
    pthread_mutex_t lock; /* of all below but `threads`, which is the caller's */
    pthread_cond_t begun, ended;
    int threads, helpers;
    crew_work *work;
    const void *call;
    int shares, taken, finished;
} crew = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .begun = PTHREAD_COND_INITIALIZER,
          .ended = PTHREAD_COND_INITIALIZER,
          .threads = 1};

void crew_use(int threads)
{
    crew.threads = threads;
}

int crew_threads(void)
{
    return crew.threads;
}

/* The lock is held before and after, and free during the work. */
static void take_share(void)
{
    crew_work *work = crew.work;
    const void *call = crew.call;
    const struct share share = {crew.taken++, crew.shares};
    pthread_mutex_unlock(&crew.lock);
    work(call, share);
    pthread_mutex_lock(&crew.lock);
    if (++crew.finished == crew.shares)
        pthread_cond_signal(&crew.ended);
}

static void *help(void *nothing)
{
    (void)nothing;
    float_mode_enter(); /* a thread's own */
    pthread_mutex_lock(&crew.lock);
    for (;;) {
        while (crew.taken == crew.shares)
            pthread_cond_wait(&crew.begun, &crew.lock);
        take_share();
    }
    return NULL;
}

/* As many as can be had. */
static void start_helpers(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (crew.helpers < crew.threads - 1 && pthread_create(&thread, &attributes, help, NULL) == 0)
        crew.helpers++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

static void run_shares(crew_work *work, const void *call)
{
    pthread_mutex_lock(&crew.lock);
    if (crew.helpers < crew.threads - 1)
        start_helpers();
    crew.work = work;
    crew.call = call;
    crew.shares = crew.threads;
    crew.taken = crew.finished = 0;
    pthread_cond_broadcast(&crew.begun);
    while (crew.taken < crew.shares)
        take_share();
    while (crew.finished < crew.shares)
        pthread_cond_wait(&crew.ended, &crew.lock);
    pthread_mutex_unlock(&crew.lock);
}

void crew_run(crew_work *work, const void *call, bool is_large)
{
    if (crew.threads > 1 && is_large)
        run_shares(work, call);
    else
        work(call, (struct share){0});
}
