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

/* A vector of columns: those that are there stand one after the other in `from`. */
struct spread_lanes {
    vint lane, there;
    int64_t first, count;
};

INLINE struct spread_lanes lanes_of(const struct spread *s, int64_t first, int64_t column)
{
    struct spread_lanes lanes = {.first = first};
    for (int i = 0; i < VECTOR; i++) {
        const int64_t next = first + lanes.count;
        const bool is_there = next < s->count && s->places[next] == column + i;
        lanes.lane[i] = (int32_t)lanes.count;
        lanes.there[i] = -is_there;
        lanes.count += is_there;
    }
    return lanes;
}

void KERNEL(spread)(const struct spread *s)
{
    int64_t first = 0;
    for (int64_t column = 0; column < s->columns; column += VECTOR) {
        const struct spread_lanes lanes = lanes_of(s, first, column);
        const int64_t columns = least(VECTOR, s->columns - column);
        for (int64_t r = 0; r < s->rows; r++) {
            const vfloat from = vload(s->from + r * s->from_stride + first);
            const vfloat all = vselect(lanes.there, vpermute(from, lanes.lane), vset(0));
            float *to = s->to + r * s->to_stride + column;
            if (columns == VECTOR)
                vstore(to, all);
            else
                vstore_part(to, all, columns);
        }
        first += lanes.count;
    }
}
