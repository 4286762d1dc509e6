/* Rows of zeros: which rows of an argument are not, and how results of those rows alone come to
 * stand among the zeros of the others. A network's images have blank margins, and in a small batch
 * many a pixel is blank in all of them. */
#include "isa.h"

INLINE bool is_nonzero(const float *x, int64_t columns)
{
    vint bits = {0};
    for (int64_t c = 0; c < columns; c += VECTOR)
        bits |= (vint)vload(x + c);
    return vany(bits & INT32_MAX); /* but for the sign */
}

int64_t KERNEL(nonzero_rows)(const float *x, int64_t rows, int64_t columns, int32_t *list)
{
    int64_t count = 0;
    for (int64_t r = 0; r < rows; r++) {
        list[count] = (int32_t)r;
        count += is_nonzero(x + r * columns, columns);
    }
    return count;
}

#define RUN 32 /* vectors of a row that are written one after the other */

/* Of a run's vectors: where in `from` those columns begin that are there, which of them each lane
 * takes, and which lanes do. */
struct run {
    int64_t vectors;
    int32_t first[RUN];
    int32_t lane[RUN * VECTOR], there[RUN * VECTOR];
};

/* The run from `column` on, whose first column that is there is the next-th of all; returns how
 * many are before the next run. */
static int64_t find_run(const struct spread *s, int64_t column, int64_t next, struct run *run)
{
    const int64_t columns = least(RUN * VECTOR, s->columns - column);
    run->vectors = (columns + VECTOR - 1) / VECTOR;
    memset(run->lane, 0, sizeof run->lane);
    memset(run->there, 0, sizeof run->there);
    int64_t vector = -1;
    for (; next < s->count && s->places[next] < column + columns; next++) {
        const int64_t place = s->places[next] - column;
        for (; vector < place / VECTOR; vector++)
            run->first[vector + 1] = (int32_t)next;
        run->lane[place] = (int32_t)next - run->first[vector];
        run->there[place] = -1;
    }
    for (; vector + 1 < run->vectors; vector++)
        run->first[vector + 1] = (int32_t)next;
    return next;
}

INLINE vint load_lanes(const int32_t *lanes)
{
    vint v;
    memcpy(&v, lanes, sizeof v);
    return v;
}

static void spread_run(const struct spread *s, int64_t column, const struct run *run)
{
    for (int64_t r = 0; r < s->rows; r++) {
        const float *from = s->from + r * s->from_stride;
        float *to = s->to + r * s->to_stride + column;
        for (int64_t i = 0; i < run->vectors; i++) {
            const vfloat packed =
                vpermute(vload(from + run->first[i]), load_lanes(run->lane + i * VECTOR));
            const vfloat all = vselect(load_lanes(run->there + i * VECTOR), packed, vset(0));
            const int64_t columns = s->columns - column - i * VECTOR;
            if (columns >= VECTOR)
                vstore(to + i * VECTOR, all);
            else
                vstore_part(to + i * VECTOR, all, columns);
        }
    }
}

void KERNEL(spread)(const struct spread *s)
{
    struct run run;
    int64_t next = 0;
    for (int64_t column = 0; column < s->columns; column += RUN * VECTOR) {
        next = find_run(s, column, next, &run);
        spread_run(s, column, &run);
    }
}
