/* Softmax cross-entropy, vectorised over the batch. */
#include "isa.h"

/* exp(x) for x <= 0, to about 2 units in the last place: x = n log 2 + r, Taylor to r^7. Results
 * below the normal range are 0; NaN stays NaN. */
INLINE vfloat vexp(vfloat x)
{
    const vfloat least = vset(-87.0f);
    const vint tiny = x < least;
    x = vselect(tiny, least, x);
    const vint n = __builtin_convertvector(vfma(x, vset(1.44269504f), vset(-0.5f)), vint);
    const vfloat turns = __builtin_convertvector(n, vfloat);
    vfloat r = vfma(turns, vset(-0.693359375f), x);
    r = vfma(turns, vset(2.12194440e-4f), r);
    vfloat sum = vset(1.0f / 5040);
    sum = vfma(sum, r, vset(1.0f / 720));
    sum = vfma(sum, r, vset(1.0f / 120));
    sum = vfma(sum, r, vset(1.0f / 24));
    sum = vfma(sum, r, vset(1.0f / 6));
    sum = vfma(sum, r, vset(0.5f));
    sum = vfma(sum, r, vset(1));
    sum = vfma(sum, r, vset(1));
    const vfloat power = (vfloat)((n + 127) << 23);
    return vselect(tiny, vset(0), sum * power);
}

/* log(x) for x >= 1: x = 2^n m, log m = 2 artanh((m - 1) / (m + 1)), m in [2/3, 4/3). */
INLINE vfloat vlog(vfloat x)
{
    const vint two_thirds = (vint)vset(2.0f / 3);
    const vint n = ((vint)x - two_thirds) >> 23;
    const vfloat m = (vfloat)((vint)x - (n << 23));
    const vfloat s = (m - 1) / (m + 1), z = s * s;
    vfloat sum = vset(2.0f / 9);
    sum = vfma(sum, z, vset(2.0f / 7));
    sum = vfma(sum, z, vset(2.0f / 5));
    sum = vfma(sum, z, vset(2.0f / 3));
    sum = vfma(sum, z, vset(2));
    const vfloat log_m = s * sum;
    const vfloat turns = __builtin_convertvector(n, vfloat);
    return vselect(x != x, x, vfma(turns, vset(0.693147181f), log_m));
}

/* What one vector of columns gives. */
struct lanes {
    float greatest[VECTOR], log_sum[VECTOR]; /* log of the sum of exp(logit - greatest) */
    int32_t predicted[VECTOR];
};

INLINE vint first_lanes(int32_t count)
{
    vint kept;
    for (int32_t i = 0; i < VECTOR; i++)
        kept[i] = i < count ? -1 : 0;
    return kept;
}

/* Softmax of one vector of columns; `gradient`, if wanted, becomes softmax / examples in the lanes
 * below `wanted`, 0 in the others. */
INLINE void softmax_lanes(const struct softmax_loss *loss, const float *logits, float *gradient,
                          int32_t wanted, struct lanes *lanes)
{
    const int64_t stride = loss->columns;
    vfloat greatest = vload(logits), sum = vset(0);
    vint predicted = {0};
    for (int32_t c = 1; c < loss->classes; c++) {
        const vfloat z = vload(logits + c * stride);
        const vint above = z > greatest;
        greatest = vselect(above, z, greatest);
        predicted = (above & c) | (~above & predicted);
    }
    for (int32_t c = 0; c < loss->classes; c++) {
        const vfloat e = vexp(vload(logits + c * stride) - greatest);
        sum += e;
        if (gradient)
            vstore(gradient + c * stride, e);
    }
    if (gradient) {
        const vfloat scale = 1 / (sum * (float)loss->examples);
        const vint kept = first_lanes(wanted);
        for (int32_t c = 0; c < loss->classes; c++) {
            float *g = gradient + c * stride;
            vstore(g, vselect(kept, vload(g) * scale, vset(0)));
        }
    }
    vstore(lanes->greatest, greatest);
    vstore(lanes->log_sum, vlog(sum));
    memcpy(lanes->predicted, &predicted, sizeof predicted);
}

void KERNEL(softmax_loss)(struct softmax_loss *loss)
{
    const float share = 1 / (float)loss->examples;
    for (int32_t begin = 0; begin < loss->columns; begin += VECTOR) {
        const int32_t left = loss->examples - begin, wanted = left < VECTOR ? left : VECTOR;
        float *gradient = loss->gradient ? loss->gradient + begin : NULL;
        struct lanes lanes;
        softmax_lanes(loss, loss->logits + begin, gradient, wanted, &lanes);
        for (int32_t i = 0; i < wanted; i++) {
            const int64_t label = loss->labels[begin + i], at = label * loss->columns + i;
            const float below = lanes.greatest[i] - loss->logits[begin + at];
            loss->loss_sum += (double)(lanes.log_sum[i] + below);
            loss->correct += lanes.predicted[i] == label;
            if (gradient)
                gradient[at] -= share;
        }
    }
}
