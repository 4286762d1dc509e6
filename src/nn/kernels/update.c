/* Optimisers: one pass over the block, all constants ready. A masked element's gradient is cleared
 * before it is used, and everything that is stored is cleared too, so that 0.0f holds bit for bit
 * whatever the constants are. Without a mask the gradients are left as they are. */
#include "isa.h"

INLINE vfloat keep(vint kept, vfloat v)
{
    return (vfloat)((vint)v & kept);
}

INLINE void sgd_vector(const struct sgd_update *u, int64_t i, const bool masked,
                       const bool has_velocity)
{
    const vint kept = masked ? vmask(u->mask + i) : (vint){0} == 0;
    const vfloat w = vload(u->weights + i);
    vfloat g = vload(u->gradients + i);
    if (masked) {
        g = keep(kept, g);
        vstore(u->gradients + i, g);
    }
    vfloat direction = vfma(vset(u->weight_decay), w, g);
    if (has_velocity) {
        const vfloat v = keep(kept, vfma(vset(u->momentum), vload(u->velocity + i), direction));
        vstore(u->velocity + i, v);
        direction = u->nesterov ? vfma(vset(u->momentum), v, direction) : v;
    }
    vstore(u->weights + i, keep(kept, vfma(vset(-u->rate), direction, w)));
}

void KERNEL(sgd)(const struct sgd_update *u)
{
    const struct sgd_update update = *u;
    for (int64_t i = 0; i < u->count; i += VECTOR) {
        if (u->velocity)
            u->mask ? sgd_vector(&update, i, true, true) : sgd_vector(&update, i, false, true);
        else
            u->mask ? sgd_vector(&update, i, true, false) : sgd_vector(&update, i, false, false);
    }
}

INLINE void adam_vector(const struct adam_update *u, int64_t i, const bool masked)
{
    const vint kept = masked ? vmask(u->mask + i) : (vint){0} == 0;
    const vfloat w = vload(u->weights + i);
    vfloat g = vload(u->gradients + i);
    if (masked) {
        g = keep(kept, g);
        vstore(u->gradients + i, g);
    }
    g = vfma(vset(u->weight_decay), w, g);
    const vfloat first = vfma(vset(u->beta1), vload(u->first + i), (1 - u->beta1) * g);
    const vfloat second = vfma(vset(u->beta2), vload(u->second + i), (1 - u->beta2) * g * g);
    const vfloat denominator = vfma(vsqrt(second), vset(u->second_scale), vset(u->epsilon));
    vstore(u->first + i, keep(kept, first));
    vstore(u->second + i, keep(kept, second));
    vstore(u->weights + i, keep(kept, w - u->step * (first / denominator)));
}

void KERNEL(adam)(const struct adam_update *u)
{
    const struct adam_update update = *u;
    if (u->mask)
        for (int64_t i = 0; i < u->count; i += VECTOR)
            adam_vector(&update, i, true);
    else
        for (int64_t i = 0; i < u->count; i += VECTOR)
            adam_vector(&update, i, false);
}
