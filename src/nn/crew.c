/* Owns the threads that help the caller's, and the call that they work on.
 *
 * They start with the first call that is divided, so that a process which only forks others (the
 * keeper) has none. Who waits looks for some tens of microseconds, within which a step's next call
 * comes, and then sleeps: a core that others want is theirs. Whoever is awake takes the next share;
 * who does is no matter. Where a thread cannot be had, the others do its work. Signals are for the
 * caller's thread. */
#include "crew.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "float_mode.h"

#define STACK_BYTES (1 << 20) /* kernels take less than a tenth; it counts as a task's memory */
#define LOOKS 4000            /* of 10 to 40 nanoseconds each, before a sleep */

static struct {
    int threads, helpers; /* the caller's */
    pthread_mutex_t lock; /* held by who changes what follows */
    pthread_cond_t begun, ended;
    crew_work *work;
    const void *call;
    atomic_int shares, taken, finished;
} crew = {.threads = 1,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .begun = PTHREAD_COND_INITIALIZER,
          .ended = PTHREAD_COND_INITIALIZER};

void crew_use(int threads)
{
    crew.threads = threads;
}

int crew_threads(void)
{
    return crew.threads;
}

static void pause_briefly(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static bool has_begun(void)
{
    return crew.taken < crew.shares;
}

static bool has_ended(void)
{
    return crew.finished == crew.shares;
}

/* With the lock held before and after. */
static void wait_until(bool (*happened)(void), pthread_cond_t *signal)
{
    pthread_mutex_unlock(&crew.lock);
    for (int i = 0; i < LOOKS && !happened(); i++)
        pause_briefly();
    pthread_mutex_lock(&crew.lock);
    while (!happened())
        pthread_cond_wait(signal, &crew.lock);
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
    crew.finished++;
    if (has_ended())
        pthread_cond_signal(&crew.ended);
}

static void *help(void *nothing)
{
    (void)nothing;
    float_mode_enter(); /* a thread's own */
    pthread_mutex_lock(&crew.lock);
    for (;;) {
        wait_until(has_begun, &crew.begun);
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
    if (crew.helpers < crew.threads - 1)
        start_helpers();
    pthread_mutex_lock(&crew.lock);
    crew.work = work;
    crew.call = call;
    crew.taken = crew.finished = 0;
    crew.shares = crew.threads;
    pthread_cond_broadcast(&crew.begun);
    while (has_begun())
        take_share();
    wait_until(has_ended, &crew.ended);
    pthread_mutex_unlock(&crew.lock);
}

void crew_run(crew_work *work, const void *call, bool is_large)
{
    if (crew.threads > 1 && is_large)
        run_shares(work, call);
    else
        work(call, (struct share){0});
}
