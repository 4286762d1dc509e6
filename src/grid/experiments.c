/* Owns the pieces of a grid's experiments. Of most, an experiment has the same as the one before.
 */
#include "experiments.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

#define PIECE_SIZE 64
#define PIECES ((sizeof(struct experiment) + PIECE_SIZE - 1) / PIECE_SIZE)

struct piece {
    unsigned char bytes[PIECE_SIZE]; /* of the last of an experiment some are zero */
};

/* An experiment: the numbers of its pieces. */
struct outline {
    int32_t pieces[PIECES];
};

struct experiment_list {
    struct outline *outlines;
    struct piece *pieces;
    int32_t piece_count;
    size_t piece_capacity;
    int32_t *slots; /* the pieces by their bytes: open addressing, -1 = free */
    size_t slot_count;
};

struct experiment_list *experiment_list_create(size_t most, struct error *err)
{
    struct experiment_list *list = mem_zeroed(1, sizeof *list, err);
    if (list != NULL)
        list->outlines = mem_zeroed(most, sizeof *list->outlines, err);
    if (list != NULL && list->outlines != NULL)
        return list;
    experiment_list_destroy(list);
    return NULL;
}

void experiment_list_destroy(struct experiment_list *list)
{
    if (list == NULL)
        return;
    free(list->outlines);
    free(list->pieces);
    free(list->slots);
    free(list);
}

/* --- pieces --- */

static bool is_piece(const struct experiment_list *list, int32_t number, const struct piece *piece)
{
    return memcmp(&list->pieces[number], piece, sizeof *piece) == 0;
}

/* Where the number of such a piece stands, or would. */
static int32_t *slot_of(const struct experiment_list *list, const struct piece *piece)
{
    uint64_t at = hash64_of(piece, sizeof *piece);
    for (;; at++) {
        int32_t *slot = &list->slots[at & (list->slot_count - 1)];
        if (*slot < 0 || is_piece(list, *slot, piece))
            return slot;
    }
}

static int enlarge_slots(struct experiment_list *list, struct error *err)
{
    size_t count = list->slot_count == 0 ? 1024 : 2 * list->slot_count;
    int32_t *slots = mem_zeroed(count, sizeof *slots, err);
    if (slots == NULL)
        return -1;
    memset(slots, -1, count * sizeof *slots);
    free(list->slots);
    list->slots = slots;
    list->slot_count = count;
    for (int32_t i = 0; i < list->piece_count; i++)
        *slot_of(list, &list->pieces[i]) = i;
    return 0;
}

/* The number of such a piece, which is added where there is none. */
static int32_t piece_number(struct experiment_list *list, const struct piece *piece,
                            struct error *err)
{
    size_t needed = (size_t)list->piece_count + 1;
    if ((2 * needed > list->slot_count && enlarge_slots(list, err) != 0) ||
        mem_grow((void **)&list->pieces, &list->piece_capacity, needed, sizeof *piece, err) != 0)
        return -1;
    int32_t *slot = slot_of(list, piece);
    if (*slot < 0) {
        list->pieces[list->piece_count] = *piece;
        *slot = list->piece_count++;
    }
    return *slot;
}

/* --- experiments --- */

static size_t size_of_piece(size_t number)
{
    return number + 1 < PIECES ? PIECE_SIZE : sizeof(struct experiment) - (PIECES - 1) * PIECE_SIZE;
}

int experiment_list_set(struct experiment_list *list, int32_t number,
                        const struct experiment *experiment, struct error *err)
{
    struct outline *outline = &list->outlines[number];
    if (number > 0)
        *outline = list->outlines[number - 1];
    for (size_t i = 0; i < PIECES; i++) {
        struct piece piece = {{0}};
        memcpy(&piece, (const char *)experiment + i * PIECE_SIZE, size_of_piece(i));
        if (number == 0 || !is_piece(list, outline->pieces[i], &piece))
            outline->pieces[i] = piece_number(list, &piece, err);
        if (outline->pieces[i] < 0)
            return -1;
    }
    return 0;
}

void experiment_list_get(const struct experiment_list *list, int32_t number,
                         struct experiment *experiment)
{
    const struct outline *outline = &list->outlines[number];
    for (size_t i = 0; i < PIECES; i++)
        memcpy((char *)experiment + i * PIECE_SIZE, &list->pieces[outline->pieces[i]],
               size_of_piece(i));
}

void experiment_list_move(struct experiment_list *list, int32_t from, int32_t to)
{
    list->outlines[to] = list->outlines[from];
}
