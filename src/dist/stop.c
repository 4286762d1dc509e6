/* The wish to stop. Signals belong to the process, and a handler has no user pointer: the counters
 * here are process-wide by nature. */
#include "stop.h"

#include <math.h>
#include <signal.h>
#include <stddef.h>

#include "base/file.h"

static volatile sig_atomic_t requests, interrupts;
static double deadline = INFINITY; /* seconds, monotonic */

#define SAVE_SECONDS 30.0

static void count_request(int number)
{
    requests = requests + 1;
    if (number == SIGINT)
        interrupts = interrupts + 1;
}

static void watch_signal(int number)
{
    struct sigaction action = {.sa_handler = count_request, .sa_flags = SA_RESTART};
    struct sigaction before;
    sigemptyset(&action.sa_mask);
    if (number == SIGHUP && sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
        return;
    sigaction(number, &action, NULL);
}

/* Half a minute before the end, or at half time where there is less. */
static double stop_time(double seconds)
{
    if (seconds <= 0)
        return INFINITY;
    return clock_seconds() + fmax(seconds - SAVE_SECONDS, seconds / 2);
}

void stop_watch(double seconds)
{
    deadline = stop_time(seconds);
    watch_signal(SIGTERM);
    watch_signal(SIGINT);
    watch_signal(SIGHUP);
    watch_signal(SIGQUIT);
    watch_signal(SIGUSR1);
}

int stop_requests(void)
{
    return (int)requests + (clock_seconds() >= deadline);
}

int stop_interrupts(void)
{
    return (int)interrupts;
}
