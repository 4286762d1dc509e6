/* The floating-point mode of the network engine: round to nearest, subnormal numbers read and
 * written as zero. Adam's moments decay into subnormals, which cost many times a normal operation;
 * and results must not depend on the mode the caller's thread happens to have. Every function that
 * computes enters the mode and leaves it before it returns. Other CPUs than x86 keep the thread's
 * mode. */
#ifndef SWEEPSTAKE_NN_FLOAT_MODE_H
#define SWEEPSTAKE_NN_FLOAT_MODE_H

#ifdef __x86_64__

#include <xmmintrin.h>

/* All exceptions masked, nearest, flush to zero, subnormals are zero. */
#define FLOAT_MODE (0x1f80u | 0x8000u | 0x0040u)

static inline unsigned float_mode_enter(void)
{
    const unsigned mode = _mm_getcsr();
    _mm_setcsr(FLOAT_MODE);
    return mode;
}

static inline void float_mode_leave(unsigned mode)
{
    _mm_setcsr(mode);
}

#else

static inline unsigned float_mode_enter(void)
{
    return 0;
}

static inline void float_mode_leave(unsigned mode)
{
    (void)mode;
}

#endif
#endif
