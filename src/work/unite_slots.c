/* Slots of a united store. A task keeps what the plan wants kept and, where a source finished it,
 * what that source kept; without a plan and unfinished everywhere, what its sources want. Slots
 * that tasks share in a source (initial values, rewind points) they share here.
 *
 * Sets of weights are only ever appended to a network's list, so that a bit of rewind_set or at_set
 * that is given out stays true. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "plan/plan.h"
#include "unite.h"

/* Columns of /tasks. A family of one set has `writes`, one of several has `set`. */
static const struct {
    const char *slot, *writes, *set, *when;
} families[UNITE_FAMILIES] = {
    [UNITE_MASK] = {"mask_slot", "writes_mask", NULL, NULL},
    [UNITE_INIT] = {"init_slot", "writes_init", NULL, "init"},
    [UNITE_EARLY_STOP] = {"early_stop_slot", "writes_early_stop", NULL, "early-stop"},
    [UNITE_FINAL] = {"final_slot", "writes_final", NULL, "final"},
    [UNITE_REWIND] = {"rewind_slot", NULL, "rewind_set", NULL},
    [UNITE_AT] = {"at_slot", NULL, "at_set", NULL},
};

struct slots {
    struct unite *unite;
    int64_t (*counts)[UNITE_FAMILIES]; /* slots given out: [networks of the layout] */
};

/* One task of one source, on its way into its row. */
struct adoption {
    struct slots *slots;
    struct unite_source *source;
    int64_t task, row;
    const struct store_network *from;
    struct unite_network *network;
    int32_t to; /* network of the layout */
};

/* What a row's sources hold together. */
struct holding {
    bool writes[UNITE_FAMILIES];
    int64_t sets[UNITE_FAMILIES];
    bool test_curve;
};

static int64_t value(const struct store_table *table, int64_t row, const char *column)
{
    return store_table_integer(table, row, store_table_column(table, column));
}

static struct store_table *tasks_of(const struct slots *slots)
{
    return &slots->unite->layout.tasks;
}

static void set(const struct slots *slots, int64_t row, const char *column, int64_t to)
{
    store_table_set_integer(tasks_of(slots), row, store_table_column(tasks_of(slots), column), to);
}

/* --- sets of weights --- */

static int full(const struct store_network *network, struct error *err)
{
    return error_set(err, ERROR_USAGE,
                     "weights of more than %d different iterations would be kept for the network "
                     "%s together with those that are there (rewind.to and prune.at): give another "
                     "file with --store",
                     PLAN_MAX_CAPTURES, network->name);
}

/* Has the layout's network list the set, and says as how many-th of its family. */
static int find_member(struct store_network *network, const char *when, int32_t *member,
                       struct error *err)
{
    enum unite_family family = unite_family_of(when);
    int32_t captures = 0;
    *member = 0;
    for (int32_t i = 0; i < network->when_count; i++) {
        enum unite_family other = unite_family_of(network->whens[i].name);
        if (strcmp(network->whens[i].name, when) == 0)
            return 0;
        captures += other == UNITE_REWIND || other == UNITE_AT;
        *member += other == family;
    }
    bool is_capture = family == UNITE_REWIND || family == UNITE_AT;
    if (network->when_count == STORE_MAX_WHENS || (is_capture && captures >= PLAN_MAX_CAPTURES))
        return full(network, err);
    struct store_when *added = &network->whens[network->when_count++];
    memset(added, 0, sizeof *added);
    memcpy(added->name, when, strnlen(when, sizeof added->name - 1));
    return 0;
}

/* Bits of a source's set as bits of the layout's. */
static int translate_set(const struct adoption *adoption, enum unite_family family, int64_t *to,
                         struct error *err)
{
    int64_t from = value(&adoption->source->tasks, adoption->task, families[family].set);
    struct store_network *network = &adoption->slots->unite->layout.networks[adoption->to];
    int32_t member = 0, place;
    *to = 0;
    for (int32_t i = 0; i < adoption->from->when_count && from > 0; i++) {
        const char *when = adoption->from->whens[i].name;
        if (unite_family_of(when) != family)
            continue;
        if (from >> member++ & 1) {
            if (find_member(network, when, &place, err) != 0)
                return -1;
            *to |= INT64_C(1) << place;
        }
    }
    return 0;
}

/* --- one task of one source --- */

/* Returns whether the source's task has a slot of the family; its row has one then. */
static bool adopt_slot(const struct adoption *adoption, enum unite_family family)
{
    const struct slots *slots = adoption->slots;
    const char *column = families[family].slot;
    int64_t from = value(&adoption->source->tasks, adoption->task, column);
    int64_t to = value(tasks_of(slots), adoption->row, column);
    if (from < 0 || from >= adoption->network->counts[family])
        return false;
    int64_t *known = &adoption->network->slots[family][from];
    if (to >= 0) {
        *known = *known < 0 ? to : *known;
        return true;
    }
    if (*known < 0)
        *known = slots->counts[adoption->to][family]++;
    set(slots, adoption->row, column, *known);
    return true;
}

static int adopt_family(const struct adoption *adoption, enum unite_family family,
                        struct holding *held, struct error *err)
{
    const struct store_table *from = &adoption->source->tasks;
    struct store_network *network = &adoption->slots->unite->layout.networks[adoption->to];
    int32_t member;
    int64_t members;
    if (!adopt_slot(adoption, family))
        return 0;
    if (families[family].set != NULL) {
        if (translate_set(adoption, family, &members, err) != 0)
            return -1;
        held->sets[family] |= members;
        return 0;
    }
    if (value(from, adoption->task, families[family].writes) != 1)
        return 0;
    held->writes[family] = true;
    return families[family].when == NULL
               ? 0
               : find_member(network, families[family].when, &member, err);
}

/* Networks that came with a source's tasks are counted from nothing. */
static int count_networks(struct slots *slots, struct error *err)
{
    const struct store_layout *layout = &slots->unite->layout;
    slots->counts = mem_zeroed((size_t)layout->network_count, sizeof *slots->counts, err);
    for (int32_t i = 0; i < layout->network_count && slots->counts != NULL; i++)
        unite_count_slots(&layout->networks[i], slots->counts[i]);
    return slots->counts == NULL ? -1 : 0;
}

static int adopt(struct slots *slots, struct unite_source *source, int64_t task, int64_t row,
                 struct holding *held, struct error *err)
{
    int64_t network = value(&source->tasks, task, "network");
    struct adoption adoption = {
        .slots = slots,
        .source = source,
        .task = task,
        .row = row,
        .from = store_network(source->store, (int32_t)network),
        .network = &source->networks[network],
        .to = (int32_t)value(tasks_of(slots), row, "network"),
    };
    for (int family = 0; family < UNITE_FAMILIES; family++)
        if (adopt_family(&adoption, (enum unite_family)family, held, err) != 0)
            return -1;
    held->test_curve = held->test_curve || value(&source->tasks, task, "test_curve") == 1;
    return 0;
}

/* --- one row --- */

/* What the row asks for becomes what it asked for and what is held; returns whether it asked for
 * more than is held. */
static bool join_wants(const struct slots *slots, int64_t row, const struct holding *held)
{
    const struct store_table *tasks = tasks_of(slots);
    bool lacks = false;
    for (int family = 0; family < UNITE_FAMILIES; family++) {
        const char *column = families[family].set;
        bool several = column != NULL;
        column = several ? column : families[family].writes;
        int64_t wanted = value(tasks, row, column);
        int64_t holds = several ? held->sets[family] : held->writes[family];
        wanted = wanted < 0 ? 0 : wanted;
        lacks = lacks || (wanted & ~holds) != 0;
        set(slots, row, column, wanted | holds);
    }
    bool wants_test = value(tasks, row, "test_curve") == 1;
    set(slots, row, "test_curve", wants_test || held->test_curve);
    return lacks || (wants_test && !held->test_curve);
}

static int place_row(struct slots *slots, int64_t row, struct error *err)
{
    struct unite *unite = slots->unite;
    struct unite_row *of = &unite->rows[row];
    struct holding held = {0};
    bool finished = false;
    for (int i = 0; i < unite->source_count; i++)
        finished = finished || unite_has_payload(&unite->sources[i], of->from[i]);
    if (!finished && row < unite->planned)
        return 0;
    for (int i = 0; i < unite->source_count; i++) {
        struct unite_source *source = &unite->sources[i];
        if (of->from[i] < 0 || (finished && !unite_has_payload(source, of->from[i])))
            continue;
        if (adopt(slots, source, of->from[i], row, &held, err) != 0)
            return -1;
    }
    of->lacks = join_wants(slots, row, &held) && finished;
    return 0;
}

static void size_networks(struct slots *slots)
{
    struct store_layout *layout = &slots->unite->layout;
    for (int32_t i = 0; i < layout->network_count; i++) {
        struct store_network *network = &layout->networks[i];
        network->mask_slots = slots->counts[i][UNITE_MASK];
        for (int32_t when = 0; when < network->when_count; when++) {
            enum unite_family family = unite_family_of(network->whens[when].name);
            network->whens[when].slots = slots->counts[i][family];
        }
    }
}

int unite_slots(struct unite *unite, struct error *err)
{
    struct slots slots = {.unite = unite};
    int status = count_networks(&slots, err);
    for (int64_t row = 0; row < unite->layout.tasks.row_count && status == 0; row++)
        status = place_row(&slots, row, err);
    if (status == 0)
        size_networks(&slots);
    free(slots.counts);
    return status;
}
