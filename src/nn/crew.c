/* Owns the number of threads. OpenMP starts them at the first call that is divided, so that a
 * process which only forks others (the keeper) has none. */
#include "crew.h"

#include "float_mode.h"

static int threads = 1;

#ifdef _OPENMP
#define MOST_THREADS 1024
#else
#define MOST_THREADS 1
#endif

int crew_use(int count, struct error *err)
{
    if (count < 1 || count > MOST_THREADS)
        return error_set(err, ERROR_USAGE, "%d threads: this program can use 1%s", count,
                         MOST_THREADS > 1 ? " to 1024" : ", as it was built without OpenMP");
    threads = count;
    return 0;
}

int crew_threads(void)
{
    return threads;
}

/* The floating-point mode is a thread's own. */
static void work_in_mode(crew_work *work, const void *call, struct share share)
{
    const unsigned mode = float_mode_enter();
    work(call, share);
    float_mode_leave(mode);
}

void crew_run(crew_work *work, const void *call, bool is_large)
{
    if (threads == 1 || !is_large) {
        work(call, (struct share){0});
        return;
    }
    const int parts = threads;
#pragma omp parallel for num_threads(parts) schedule(static, 1)
    for (int part = 0; part < parts; part++)
        work_in_mode(work, call, (struct share){part, parts});
}
