/* Greedily, a group after the other: it begins with the example that has least ink, and goes on
 * with the one whose ink covers fewest bytes that are blank in all of the group so far. These costs
 * are kept for all candidates, and lowered by the bytes that the one taken last has covered.
 *
 * Candidates are the examples of a pool, so that what an example costs to place is bounded. */
#include "alike.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cloned.h"
#include "turn.h"

#define POOL_BYTES (4 << 20)
#define POOL_EXAMPLES (64 << 10)
#define MOST_BYTES 0x3fff /* of an example; with more, TAKEN could be lowered to a cost */
#define TAKEN 0x7fff      /* the cost of what is in a group, and of room behind the last */

typedef int16_t costs16 __attribute__((vector_size(2 * TILE)));

struct pool {
    const struct alike_images *of;
    const uint32_t *examples; /* [count]: the candidates */
    int64_t count, room;      /* room: in whole tiles */
    uint8_t *ink;             /* [byte][room]: 1 = not blank */
    int16_t *inked;           /* [room]: bytes that are not blank, or TAKEN */
    int16_t *cost;            /* [room] */
    uint32_t *taken;          /* [count]: the examples in their new order */
    uint8_t *covered;         /* [byte]: 255 = not blank in all of the group, else 0 */
    uint16_t *fresh;          /* bytes that the one taken last has covered */
    size_t fresh_count;
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t round_up(int64_t count, int64_t unit)
{
    return (count + unit - 1) / unit * unit;
}

static int pool_make(const struct alike_images *of, int64_t most, struct pool *pool,
                     struct error *err)
{
    const size_t room = (size_t)round_up(most, TILE);
    *pool = (struct pool){
        .of = of,
        .room = (int64_t)room,
        .ink = mem_aligned(of->bytes * room, 1, err),
        .inked = mem_aligned(room, sizeof *pool->inked, err),
        .cost = mem_aligned(room, sizeof *pool->cost, err),
        .taken = mem_zeroed(room, sizeof *pool->taken, err),
        .covered = mem_zeroed(of->bytes, 1, err),
        .fresh = mem_zeroed(of->bytes, sizeof *pool->fresh, err),
    };
    return pool->ink && pool->inked && pool->cost && pool->taken && pool->covered && pool->fresh
               ? 0
               : -1;
}

static void pool_finish(struct pool *pool)
{
    free(pool->ink);
    free(pool->inked);
    free(pool->cost);
    free(pool->taken);
    free(pool->covered);
    free(pool->fresh);
}

/* Candidates first..first + TILE - 1 as far as there are. */
static void fill_lane(struct pool *pool, int64_t first)
{
    const size_t bytes = pool->of->bytes;
    const int32_t count = (int32_t)smaller(pool->count - first, TILE);
    const uint8_t *rows[TILE];
    costs16 inked = {0};
    for (int32_t i = 0; i < count; i++)
        rows[i] = pool->of->images + pool->examples[first + i] * bytes;
    for (size_t from = 0; from < bytes; from += TILE) {
        const size_t size = bytes - from < TILE ? bytes - from : TILE;
        bytes16 turned[TILE];
        turn_tile(rows, count, from, size, turned);
        for (size_t b = 0; b < size; b++) {
            const bytes16 ink = (bytes16)(turned[b] != 0) & 1;
            memcpy(pool->ink + (from + b) * (size_t)pool->room + first, &ink, sizeof ink);
            inked += __builtin_convertvector(ink, costs16);
        }
    }
    for (int32_t i = 0; i < TILE; i++)
        pool->inked[first + i] = i < count ? inked[i] : TAKEN;
}

static void pool_fill(struct pool *pool, const uint32_t *examples, int64_t count)
{
    pool->examples = examples;
    pool->count = count;
    for (int64_t first = 0; first < pool->room; first += TILE)
        fill_lane(pool, first);
}

static void begin_group(struct pool *pool)
{
    memcpy(pool->cost, pool->inked, (size_t)pool->room * sizeof *pool->cost);
    memset(pool->covered, 0, pool->of->bytes);
    pool->fresh_count = 0;
}

/* Lowers all costs; the candidate that costs least, the first of them. */
CLONED static int64_t find_cheapest(struct pool *pool)
{
    const int64_t tiles = pool->room / TILE;
    costs16 least = {0}, where = {0}; /* of each lane, and its tile */
    least += TAKEN;
    for (int64_t tile = 0; tile < tiles; tile++) {
        costs16 cost;
        memcpy(&cost, pool->cost + tile * TILE, sizeof cost);
        for (size_t f = 0; f < pool->fresh_count; f++) {
            bytes16 row;
            memcpy(&row, pool->ink + (pool->fresh[f] * tiles + tile) * TILE, sizeof row);
            cost -= __builtin_convertvector(row, costs16);
        }
        memcpy(pool->cost + tile * TILE, &cost, sizeof cost);
        const costs16 is_less = cost < least;
        least = (cost & is_less) | (least & ~is_less);
        where = ((int16_t)tile & is_less) | (where & ~is_less);
    }
    int best = 0;
    for (int i = 1; i < TILE; i++)
        if (least[i] < least[best] || (least[i] == least[best] && where[i] < where[best]))
            best = i;
    return where[best] * TILE + best;
}

/* With an example's bytes first..end - 1. */
static void cover(struct pool *pool, const uint8_t *example, size_t first, size_t end)
{
    for (size_t b = first; b < end; b++)
        if (example[b] != 0 && !pool->covered[b]) {
            pool->covered[b] = UINT8_MAX;
            pool->fresh[pool->fresh_count++] = (uint16_t)b;
        }
}

static void take(struct pool *pool, int64_t candidate)
{
    const uint8_t *example = pool->of->images + pool->examples[candidate] * pool->of->bytes;
    pool->inked[candidate] = pool->cost[candidate] = TAKEN;
    pool->fresh_count = 0;
    size_t b = 0;
    for (; b + sizeof(uint64_t) <= pool->of->bytes; b += sizeof(uint64_t)) {
        uint64_t ink, covered;
        memcpy(&ink, example + b, sizeof ink);
        memcpy(&covered, pool->covered + b, sizeof covered);
        if (ink & ~covered)
            cover(pool, example, b, b + sizeof ink);
    }
    cover(pool, example, b, pool->of->bytes);
}

static void arrange_pool(struct pool *pool, uint32_t *examples, int64_t count)
{
    pool_fill(pool, examples, count);
    for (int64_t i = 0; i < count; i++) {
        if (i % ALIKE_GROUP == 0)
            begin_group(pool);
        const int64_t cheapest = find_cheapest(pool);
        take(pool, cheapest);
        pool->taken[i] = examples[cheapest];
    }
    memcpy(examples, pool->taken, (size_t)count * sizeof *examples);
}

/* Pools of the same size but for the last, in whole groups. */
static int64_t pool_size(size_t bytes, int64_t count)
{
    const int64_t most = round_up(smaller(POOL_BYTES / (int64_t)bytes, POOL_EXAMPLES), ALIKE_GROUP);
    const int64_t pools = (count + most - 1) / most;
    return round_up((count + pools - 1) / pools, ALIKE_GROUP);
}

int alike_arrange(const struct alike_images *of, uint32_t *examples, int64_t count,
                  struct error *err)
{
    if (of->bytes > MOST_BYTES || count == 0)
        return 0;
    const int64_t size = pool_size(of->bytes, count);
    struct pool pool;
    const int status = pool_make(of, size, &pool, err);
    for (int64_t first = 0; status == 0 && first < count; first += size)
        arrange_pool(&pool, examples + first, smaller(size, count - first));
    pool_finish(&pool);
    return status;
}
