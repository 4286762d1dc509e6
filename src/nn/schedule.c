/* Learning-rate schedules: the rate is a function of the absolute iteration alone. */
#include <math.h>

#include "nn/spec.h"

static double step_decay(const struct schedule_spec *schedule, int64_t iteration)
{
    double product = 1;
    for (int32_t i = 0; i < schedule->drop_count; i++)
        if (schedule->drops[i] <= iteration)
            product *= schedule->factor;
    return product;
}

/* cos(pi x) for x in [0, 1], by Taylor series within an eighth of a turn of 0, 1/4 and 1/2: libm's
 * last bit differs between versions and CPUs, and the rate must not. */
static double cos_half_turns(double x)
{
    if (x > 0.5)
        return -cos_half_turns(1 - x);
    const bool near_zero = x <= 0.25;
    const double angle = M_PI * (near_zero ? x : 0.5 - x), z = angle * angle;
    double series = 1;
    for (int n = 18; n >= 2; n -= 2)
        series = 1 - series * z / (near_zero ? n * (n - 1) : n * (n + 1));
    return near_zero ? series : angle * series;
}

static double decay(const struct schedule_spec *schedule, int64_t iteration)
{
    switch (schedule->kind) {
    case SCHEDULE_STEP:
        return step_decay(schedule, iteration);
    case SCHEDULE_COSINE:
        return (1 + cos_half_turns((double)iteration / (double)schedule->iterations)) / 2;
    case SCHEDULE_CONSTANT:
        break;
    }
    return 1;
}

double schedule_rate(const struct schedule_spec *schedule, int64_t iteration)
{
    double warm = 1;
    if (iteration < schedule->warmup)
        warm = (double)iteration / (double)schedule->warmup;
    return schedule->base * warm * decay(schedule, iteration);
}
