/* Batch norm of one channel at a time, so that the second look at it finds it in the cache. Sums
 * run over the examples alone, in an order that depends on their number only: vector v of a row
 * goes to accumulator v mod ACCUMULATORS, what is left of a row to the last. */
#include "isa.h"

#define ACCUMULATORS 4

enum sum { SUM_VALUES, SUM_SQUARES, SUM_GRADIENTS };

struct channel {
    const float *x, *dy;
    struct affine affine;
    vint kept; /* lanes of a row's last vector that are examples */
};

struct accumulators {
    vfloat first[ACCUMULATORS], second[ACCUMULATORS];
};

INLINE vint first_lanes(int64_t count)
{
    vint kept;
    for (int i = 0; i < VECTOR; i++)
        kept[i] = i < count ? -1 : 0;
    return kept;
}

/* dy where y, computed as normalize does, is not cut off. */
INLINE vfloat rectified_gradient(const struct affine *affine, vfloat x, vfloat dy)
{
    const vfloat y = vfma(x, vset(affine->scale), vset(affine->shift));
    return affine->rectify ? vselect(y <= 0, vset(0), dy) : dy;
}

INLINE void add_terms(const enum sum sum, const struct channel *channel, int64_t at,
                      const bool last, struct accumulators *to, const int k)
{
    const vfloat x = vload(channel->x + at), difference = x - channel->affine.mean;
    if (sum == SUM_VALUES)
        to->first[k] += last ? vselect(channel->kept, x, vset(0)) : x;
    if (sum == SUM_SQUARES) {
        const vfloat d = last ? vselect(channel->kept, difference, vset(0)) : difference;
        to->first[k] = vfma(d, d, to->first[k]);
    }
    if (sum == SUM_GRADIENTS) {
        vfloat dy = rectified_gradient(&channel->affine, x, vload(channel->dy + at));
        dy = last ? vselect(channel->kept, dy, vset(0)) : dy;
        to->first[k] += dy;
        to->second[k] = vfma(dy, difference, to->second[k]);
    }
}

INLINE void sum_channel(const enum sum sum, const struct norm *norm, const struct channel *channel,
                        float totals[2])
{
    const int64_t whole = norm->examples / VECTOR, rest = norm->examples % VECTOR;
    struct accumulators sums = {0};
    for (int64_t p = 0; p < norm->pixels; p++) {
        const int64_t row = p * norm->columns;
        int64_t v = 0;
        for (; v + ACCUMULATORS <= whole; v += ACCUMULATORS) {
            UNROLL
            for (int k = 0; k < ACCUMULATORS; k++)
                add_terms(sum, channel, row + (v + k) * VECTOR, false, &sums, k);
        }
        UNROLL
        for (int k = 0; k < ACCUMULATORS - 1; k++)
            if (v + k < whole)
                add_terms(sum, channel, row + (v + k) * VECTOR, false, &sums, k);
        if (rest)
            add_terms(sum, channel, row + whole * VECTOR, true, &sums, ACCUMULATORS - 1);
    }
    totals[0] = vsum((sums.first[0] + sums.first[1]) + (sums.first[2] + sums.first[3]));
    totals[1] = vsum((sums.second[0] + sums.second[1]) + (sums.second[2] + sums.second[3]));
}

void KERNEL(moments)(const struct norm *norm, const float *x, struct moments *moments)
{
    const float count = (float)(norm->pixels * norm->examples);
    struct channel channel = {.x = x, .kept = first_lanes(norm->examples % VECTOR)};
    float totals[2];
    sum_channel(SUM_VALUES, norm, &channel, totals);
    moments->mean = channel.affine.mean = totals[0] / count;
    sum_channel(SUM_SQUARES, norm, &channel, totals);
    moments->variance = totals[0] / count;
}

void KERNEL(normalize)(const struct norm *norm, const struct affine *affine, const float *x,
                       float *y)
{
    const vfloat scale = vset(affine->scale), shift = vset(affine->shift);
    const int64_t count = norm->pixels * norm->columns;
    for (int64_t i = 0; i < count; i += VECTOR) {
        const vfloat v = vfma(vload(x + i), scale, shift);
        vstore(y + i, affine->rectify ? vselect(v <= 0, vset(0), v) : v);
    }
}

void KERNEL(norm_gradient_sums)(const struct norm *norm, const struct affine *affine,
                                const float *x, const float *dy, struct norm_sums *sums)
{
    const struct channel channel = {
        .x = x, .dy = dy, .affine = *affine, .kept = first_lanes(norm->examples % VECTOR)};
    float totals[2];
    sum_channel(SUM_GRADIENTS, norm, &channel, totals);
    *sums = (struct norm_sums){totals[0], totals[1] * affine->inverse};
}

/* dx = scale (dy - mean of dy - (x - mean) inverse * mean of dy (x - mean) inverse); mean and
 * variance depend on x. */
void KERNEL(norm_gradient)(const struct norm *norm, const struct affine *affine,
                           const struct norm_sums *sums, const float *x, const float *dy, float *dx)
{
    const float count = (float)(norm->pixels * norm->examples);
    const vfloat constant = vset(sums->dy / count), mean = vset(affine->mean);
    const vfloat slope = vset(sums->dy_x / count * affine->inverse), scale = vset(affine->scale);
    const vint kept = first_lanes(norm->examples % VECTOR);
    const int64_t whole = norm->examples / VECTOR * VECTOR;
    for (int64_t row = 0; row < norm->pixels * norm->columns; row += norm->columns)
        for (int64_t c = 0; c < norm->columns; c += VECTOR) {
            const vfloat v = vload(x + row + c);
            const vfloat gradient = rectified_gradient(affine, v, vload(dy + row + c));
            vfloat result = scale * ((gradient - constant) - (v - mean) * slope);
            if (c >= whole)
                result = vselect(c == whole ? kept : (vint){0}, result, vset(0));
            vstore(dx + row + c, result);
        }
}
