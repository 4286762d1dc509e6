/* Owns the pinning of workers. A hyperthread counts as a core. */
#include "pin.h"

#include "base/log.h"
#include "base/text.h"

bool pin_choose(const cpu_set_t *allowed, struct seat seat, int threads, cpu_set_t *chosen)
{
    if (seat.workers * threads != CPU_COUNT(allowed))
        return false;
    int number = 0; /* of allowed cores before */
    CPU_ZERO(chosen);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, allowed))
            continue;
        if (number / threads == seat.index)
            CPU_SET(cpu, chosen);
        number++;
    }
    return true;
}

static void tell(struct seat seat, const cpu_set_t *cores)
{
    struct text list = {0};
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, cores))
            text_add(&list, " %zu", cpu);
    if (!list.failed)
        log_line(LOG_DEBUG, "worker %d of %d on its node: cores%s", seat.index + 1, seat.workers,
                 list.bytes);
    text_finish(&list);
}

void pin_self(struct seat seat, int threads)
{
    cpu_set_t allowed, chosen;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 &&
        pin_choose(&allowed, seat, threads, &chosen) &&
        sched_setaffinity(0, sizeof chosen, &chosen) == 0) /* where it is refused, all are used */
        tell(seat, &chosen);
}
